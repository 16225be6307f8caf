/** From arguments to an exit code. */

import { Command, CommanderError } from 'commander';
import { packageVersion } from '../core/package-root.js';
import { addCheck } from './check.js';
import type { CommandContext } from './context.js';
import { addDead } from './dead.js';
import { addDoctor } from './doctor.js';
import { addDrain } from './drain.js';
import { type Engine, engine as realEngine } from './engine.js';
import { printError } from './errors.js';
import { EXIT, exitCodeOfError } from './exit-codes.js';
import { addExplain } from './explain.js';
import { addGraph } from './graph.js';
import type { Io } from './io.js';
import { addKill } from './kill.js';
import { addList } from './list.js';
import { addPause } from './pause.js';
import { addPermissions } from './permissions.js';
import { addResume } from './resume.js';
import { addRun } from './run.js';
import { addTop } from './top.js';

/** In the order of `--help`. */
const COMMANDS = [
  addRun,
  addCheck,
  addGraph,
  addExplain,
  addList,
  addTop,
  addPause,
  addResume,
  addDrain,
  addKill,
  addDead,
  addPermissions,
  addDoctor,
];

/** Help is read at this width on a wider terminal, and where there is none. */
const HELP_COLUMNS = 100;

/** `args` without node and script. Everything is said through `io`; never rejects. */
export async function main(args: readonly string[], io: Io, engine: Engine = realEngine): Promise<number> {
  const context: CommandContext = { io, engine, exitCode: EXIT.ok };
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    // Commander has said it already; help that was asked for is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    printError(error, io.stderr, args.includes('--debug'));
    return exitCodeOfError((error as { code?: unknown } | undefined)?.code);
  }
}

function createProgram(context: CommandContext): Command {
  const { stdout, stderr } = context.io;
  const program = new Command('squall')
    .description('Storm-style topologies on NATS: every spout and bolt a process, every tuple tracked to its end')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => Math.min(stdout.columns, HELP_COLUMNS),
      getErrHelpWidth: () => Math.min(stderr.columns, HELP_COLUMNS),
      getOutHasColors: () => stdout.hasColours,
      getErrHasColors: () => stderr.hasColours,
    })
    .showHelpAfterError('(--help tells what there is)');
  for (const add of COMMANDS) add(program, context);
  return program;
}
