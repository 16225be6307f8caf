/** `squall` as people start it, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RunResult } from '../../core/index.js';
import { type Scope, until, type Workspace } from './e2e.js';
import { natsServerBinary } from './nats.js';

export const SQUALL = fileURLToPath(new URL('../../cli/squall.js', import.meta.url));
const DEADLINE_MS = 60_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Command {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #stderr = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr: this.#stderr }));
    });
  }

  /** Starts `squall …` in the test's folder, which knows no NATS but what `env` tells; ends with the test. */
  static async start(
    scope: Scope,
    place: Workspace,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Command> {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NATS_')));
    const child = spawn(process.execPath, [SQUALL, ...args], {
      cwd: place.folder,
      env: { ...inherited, SQUALL_NATS_SERVER: await natsServerBinary(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const command = new Command(child);
    place.hear(() => `squall ${args.join(' ')}\n${command.stderr}`);
    scope.teardown(async () => {
      child.kill('SIGTERM');
      child.kill('SIGTERM');
      await command.#ended;
    });
    return command;
  }

  /** `squall run`, with the test's state folder and name. */
  static run(
    scope: Scope,
    place: Workspace,
    file: string,
    set: Readonly<Record<string, string>> = {},
    more: readonly string[] = [],
  ): Promise<Command> {
    const settings = Object.entries({ name: place.name, ...set }).flatMap(([key, value]) => [
      '--set',
      `${key}=${value}`,
    ]);
    return Command.start(scope, place, ['run', file, '--state', place.state, '--json', ...settings, ...more]);
  }

  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As `until`; rejects, with what it has said, also when it ends before. */
  async until<T>(look: () => T | undefined | false, what: string, withinMs = DEADLINE_MS): Promise<NonNullable<T>> {
    let over = false;
    const end = () => {
      over = true;
    };
    this.#ended.then(end, end);
    const found = await until<T | 'over'>(() => look() || (over && 'over'), what, withinMs).catch((error: Error) => {
      throw new Error(`${error.message}; it said: ${this.#stderr}`);
    });
    if (found === 'over') throw new Error(`Expected ${what}, but it ended; it said: ${this.#stderr}`);
    return found as NonNullable<T>;
  }

  /** Rejects, with what it has said, after the deadline. */
  async ended(withinMs = DEADLINE_MS): Promise<Ended> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`Expected it to end within ${withinMs} ms; it said: ${this.#stderr}`)),
        withinMs,
      );
    });
    try {
      return await Promise.race([this.#ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Its end, and what `--json` printed. */
  async result(
    withinMs = DEADLINE_MS,
  ): Promise<{ readonly code: number | null; readonly result: RunResult; readonly stderr: string }> {
    const { code, stdout, stderr } = await this.ended(withinMs);
    try {
      return { code, stderr, result: JSON.parse(stdout) as RunResult };
    } catch {
      throw new Error(`Expected one JSON object on stdout, found "${stdout}", exit code ${code}, stderr: ${stderr}`);
    }
  }
}
