/** `squall run FILE` */
import type { Command } from 'commander';
import type { Run } from '../core/cluster/run.js';
import type { RunOptions, RunResult } from '../core/cluster/run-types.js';
import { type ConnectFlags, connectOptions } from '../core/transport/connect-options.js';
import type { CommandContext } from './context.js';
import { printMessage } from './errors.js';
import { exitCodeOfRun, exitCodeOfSignal } from './exit-codes.js';
import type { Io, StopSignal } from './io.js';
import {
  addDebugOption,
  addLoginsOption,
  addNatsOptions,
  addSetOption,
  addStateOption,
  DEFAULT_STATE,
  NATS_HELP,
  parseDuration,
} from './options.js';
import { addPlacementOptions, type PlacementFlags } from './placement-options.js';
import { Progress } from './progress.js';
import { styleOf } from './style.js';
import { summary } from './summary.js';

interface RunFlags extends ConnectFlags, PlacementFlags {
  readonly set?: Readonly<Record<string, string>>;
  readonly duration?: number;
  readonly json?: boolean;
  readonly debug?: boolean;
  readonly state: string;
  readonly fresh?: boolean;
  readonly logins?: string;
  readonly jetstream: boolean;
  readonly metrics?: string;
}

/** npm passes a Ctrl-C on to its child, which has it from the terminal already: two this close are one press. */
const SAME_PRESS_MS = 250;

const HELP = `${NATS_HELP}

Ctrl-C or SIGTERM stops the spouts and completes what is in flight, within the message time-out; the second ends at
once, and then no close and no cleanup is called. From another terminal: squall pause, resume, drain, kill.

Exit codes:
  0  all complete; or ended by --duration with everything settled
  1  failure; or ended by --duration with tuples left in flight
  2  wrong usage or a wrong topology
  3  dead letters
  4  incomplete: what a task had kept in memory was lost
  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM`;

export function addRun(program: Command, context: CommandContext): void {
  const command = program
    .command('run')
    .description('run a topology, on this machine')
    .argument('<file>', 'the topology file');
  addPlacementOptions(addSetOption(command))
    .option('--duration <time>', 'stop after this time, such as 30s', parseDuration)
    .option('--metrics <port>', 'serve /metrics, /healthz and /ready at PORT or HOST:PORT (0: any that is free)')
    .option('--json', 'print the result as one JSON object on stdout')
    .option('--fresh', 'ignore what an earlier run that was cut off has left');
  addStateOption(command);
  addLoginsOption(addNatsOptions(command)).option(
    '--no-jetstream',
    'do without JetStream: dead letters are told and not kept',
  );
  addDebugOption(command)
    .addHelpText('after', HELP)
    .action(async (file: string, flags: RunFlags) => {
      context.exitCode = await runTopology(file, flags, context);
    });
}

async function runTopology(file: string, flags: RunFlags, { io, engine }: CommandContext): Promise<number> {
  const options: RunOptions = {
    set: flags.set ?? {},
    workers: flags.workers,
    ackers: flags.ackers,
    nats: connectOptions(flags, io.env),
    ...(flags.logins === undefined ? {} : { logins: flags.logins }),
    durationMs: flags.duration,
    debug: flags.debug ?? false,
    state: flags.state,
    fresh: flags.fresh ?? false,
    jetstream: flags.jetstream,
    metrics: flags.metrics,
  };
  const start = await engine.run();
  const run = start(file, options);
  const progress = new Progress(run, io, { debug: options.debug ?? false });
  const stopper = stopOnSignals(run, progress, io);
  let result: RunResult;
  try {
    result = await run.result;
  } finally {
    stopper.release();
    progress.end();
  }
  tell(result, run, stopper.signal(), flags, io);
  return exitCodeOfRun(result, stopper.signal());
}

/** The first signal drains, the second ends at once, and should even that hang, the third ends this process. */
function stopOnSignals(run: Run, progress: Progress, io: Io): { signal(): StopSignal | undefined; release(): void } {
  let first: StopSignal | undefined;
  let count = 0;
  let lastAt = Number.NEGATIVE_INFINITY;
  const release = io.onSignal((signal) => {
    const now = performance.now();
    const samePress = signal === 'SIGINT' && io.interactive && now - lastAt < SAME_PRESS_MS;
    lastAt = now;
    if (samePress) return;
    count += 1;
    first ??= signal;
    if (count > 2) {
      progress.end();
      io.exit(exitCodeOfSignal(first));
      return;
    }
    const again = signal === 'SIGINT' ? 'Ctrl-C again' : 'a second signal';
    progress.say(
      count === 1
        ? `${signal}: no more input; what is in flight is completed. To end at once: ${again}.`
        : `${signal}: ending at once`,
    );
    void (count === 1 ? run.drain() : run.kill());
  });
  return { signal: () => first, release };
}

function tell(result: RunResult, run: Run, signal: StopSignal | undefined, flags: RunFlags, io: Io): void {
  const lines = summary(result, {
    snapshot: run.snapshot(),
    signal,
    state: flags.state,
    lookAt: flags.jetstream ? `squall dead ${result.topology} list${whereOf(flags)}` : undefined,
    style: styleOf(io.stderr),
    width: io.stderr.columns - 1,
  });
  for (const line of lines) io.stderr.write(`${line}\n`);
  if (result.error !== undefined) printMessage(result.error.code, result.error.message, io.stderr);
  if (flags.json === true) io.stdout.write(`${JSON.stringify(result)}\n`);
}

/** What `squall dead` needs to look where this run has put its letters. A URL may hold a password: left out. */
function whereOf({ state, nats, context, logins }: RunFlags): string {
  return [
    ...(state === DEFAULT_STATE ? [] : [` --state ${path(state)}`]),
    ...(logins === undefined ? [] : [` --logins ${path(logins)}`]),
    ...(context === undefined ? [] : [` --context ${context}`]),
    ...(nats === undefined ? [] : [` --nats ${nats.includes('@') ? '…' : nats}`]),
  ].join('');
}

function path(name: string): string {
  return /^[\w./-]+$/.test(name) ? name : JSON.stringify(name);
}
