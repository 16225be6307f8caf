/** Commands about a run that goes on in another process. */
import type { Command } from 'commander';
import type { ControlClient } from '../core/cluster/control-client.js';
import type { RemoteRun } from '../core/cluster/control-messages.js';
import { SquallError } from '../core/errors.js';
import { type ConnectFlags, masked } from '../core/transport/connect-options.js';
import type { CommandContext } from './context.js';
import { exitCodeOfSignal } from './exit-codes.js';
import { clean, dateTime } from './format.js';
import { serverOf } from './operator.js';
import { addDebugOption, addLoginsOption, addNatsOptions, addStateOption, NATS_HELP } from './options.js';
import { checkTopology } from './topology-name.js';

export type Control = Pick<ControlClient, 'runs' | 'tell' | 'ended' | 'close'>;

export interface ControlFlags extends ConnectFlags {
  readonly state: string;
  readonly logins?: string;
}
export interface RemoteRunFlags extends ControlFlags {
  readonly run?: string;
}

/** Options and the end of the help, as all of these commands have them. */
export function addControlOptions(command: Command, help: string): Command {
  addDebugOption(addLoginsOption(addNatsOptions(addStateOption(command))));
  return command.addHelpText('after', `${help}\n${NATS_HELP}`);
}

/** `squall <name> <topology>`, with `--run` for several runs of one name. */
export function addRemoteCommand(program: Command, name: string, description: string, help: string): Command {
  const command = program.command(name).description(description).argument('<topology>', 'its name');
  command.option('--run <id>', 'which run, where several have the name: the beginning of its id is enough');
  return addControlOptions(
    command,
    `${help}

Exit codes:
  0  done
  1  failure
  2  wrong usage, or no such run`,
  );
}

/**
 * The exit code of `work`, or of the signal that ended it. `work` is given undefined where no server is running that
 * could be asked: these commands start none.
 */
export async function withControl(
  flags: ControlFlags,
  { io, engine }: CommandContext,
  work: (control: Control | undefined, where: string) => Promise<number>,
): Promise<number> {
  const open = await engine.openControl();
  const nats = await serverOf(flags, io.env);
  const where = nats === undefined ? `the state folder ${flags.state}` : masked(nats);
  let release = (): void => {};
  const signalled = new Promise<number>((resolve) => {
    release = io.onSignal((signal) => resolve(exitCodeOfSignal(signal)));
  });
  try {
    const control = await open({ state: flags.state, ...(nats === undefined ? {} : { nats }) });
    try {
      return await Promise.race([work(control, where), signalled]);
    } finally {
      await control?.close();
    }
  } finally {
    release();
  }
}

/** The one run that is meant. Throws ERR_SQUALL_NO_RUN, ERR_SQUALL_SEVERAL_RUNS. */
export async function withRun(
  topology: string,
  flags: RemoteRunFlags,
  context: CommandContext,
  work: (control: Control, run: RemoteRun) => Promise<number>,
): Promise<number> {
  checkTopology(topology);
  return withControl(flags, context, async (control, where) => {
    const all = (await control?.runs(topology)) ?? [];
    const { run: id } = flags;
    const found = id === undefined ? all : all.filter(({ run }) => run.startsWith(id));
    const [first] = found;
    if (control === undefined || first === undefined) throw noRun(topology, id, all, where);
    if (found.length > 1) throw severalRuns(topology, found);
    return work(control, first);
  });
}

export function noRun(
  topology: string | undefined,
  id: string | undefined,
  all: readonly RemoteRun[],
  where: string,
): SquallError {
  const found = all.length === 0 ? '' : `; found: ${all.map(({ run }) => run).join(', ')}`;
  const message =
    `expected a run${topology === undefined ? '' : ` of '${topology}'`}${id === undefined ? '' : ` whose id begins with '${clean(id)}'`}, ` +
    `none is heard of at ${where}${found}. See what runs with squall list; a run of another folder is found with ` +
    '--state DIR, one that uses a NATS server that was given to it with the same --nats URL.';
  return new SquallError('ERR_SQUALL_NO_RUN', message, { facts: { topology, run: id } });
}

/** `topology` undefined: any was meant. */
export function severalRuns(topology: string | undefined, runs: readonly RemoteRun[]): SquallError {
  const lines = runs.map(
    ({ topology: name, run, pid, host, startedAt }) =>
      `  ${topology === undefined ? `${name}  ` : ''}${run}  process ${pid} on ${clean(host)}, since ${dateTime(startedAt)}`,
  );
  return new SquallError(
    'ERR_SQUALL_SEVERAL_RUNS',
    topology === undefined
      ? `${runs.length} runs are under way: say which one by its name, or with --run ID\n${lines.join('\n')}`
      : `'${topology}' is the name of ${runs.length} runs: say which one with --run ID, the beginning is enough\n${lines.join('\n')}`,
    { facts: { topology, runs: runs.map(({ run }) => run) } },
  );
}

/** What it has emitted and not seen complete. */
export function pendingOf({ snapshot }: RemoteRun): number {
  return Object.values(snapshot.spouts).reduce((sum, { pending }) => sum + pending, 0);
}
