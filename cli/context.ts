import type { Engine } from './engine.js';
import type { Io } from './io.js';

/** What every command is given. */
export interface CommandContext {
  readonly io: Io;
  readonly engine: Engine;
  /** the command's exit code, once it is through */
  exitCode: number;
}
