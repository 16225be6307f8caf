/** `squall dead T list|show|purge` */
import { Command } from 'commander';
import type { OpenDeadLetters } from '../core/cluster/dead-letters.js';
import { SquallError } from '../core/errors.js';
import { checkName } from '../core/topology/names.js';
import type { ConnectFlags } from '../core/transport/connect-options.js';
import type { CommandContext } from './context.js';
import { addDeadList } from './dead-list.js';
import { addDeadPurge } from './dead-purge.js';
import { addDeadShow } from './dead-show.js';
import { exitCodeOfSignal } from './exit-codes.js';
import type { StopSignal } from './io.js';
import { addDebugOption, addNatsOptions, addStateOption, NATS_HELP, natsOf } from './options.js';

export type LetterStore = Pick<OpenDeadLetters['store'], 'list' | 'get' | 'count' | 'purge'>;

/** Where the letters are. */
export interface StoreFlags extends ConnectFlags {
  readonly state: string;
}

/** What an action on the letters of one topology is given. */
export interface DeadContext extends CommandContext {
  readonly topology: string;
  /** Opens the store for as long as `work` takes; its exit code, or the signal's that ended it. */
  withStore(flags: StoreFlags, work: (store: LetterStore) => Promise<number>): Promise<number>;
}

const ACTIONS = [addDeadList, addDeadShow, addDeadPurge];

const HELP = `
Actions:
  list        a line for each dead letter
  show <n>    everything about one: values, and each attempt with its error
  purge       remove them all

squall dead <topology> list --help tells the options. They work while the topology runs and after it has ended.`;

export function addDead(program: Command, context: CommandContext): void {
  const outer = program
    .command('dead')
    .description('the tuples of a topology that used up their attempts')
    .usage('<topology> list|show|purge [options]')
    .argument('<topology>', 'its name')
    .argument('[action...]', 'list, show or purge, with its options')
    .passThroughOptions()
    .addHelpText('after', HELP)
    .action(async (topology: string, action: string[]) => {
      await actions(topology, outer, context).parseAsync(action, { from: 'user' });
    });
}

/** The topology stands before the action, which commander does not know: what follows it is a command line of its own. */
function actions(topology: string, outer: Command, context: CommandContext): Command {
  checkTopology(topology);
  const inner = new Command(`squall dead ${topology}`).copyInheritedSettings(outer).usage('list|show|purge [options]');
  const deadContext: DeadContext = {
    ...context,
    topology,
    get exitCode() {
      return context.exitCode;
    },
    set exitCode(code) {
      context.exitCode = code;
    },
    withStore: (flags, work) => withStore(topology, flags, work, context),
  };
  for (const add of ACTIONS) {
    const command = add(inner, deadContext);
    addNatsOptions(addStateOption(command));
    addDebugOption(command).addHelpText('after', NATS_HELP);
  }
  return inner;
}

function checkTopology(topology: string): void {
  const mistakes: string[] = [];
  if (checkName(topology, (mistake) => mistakes.push(mistake))) return;
  const hint = /[./\\]/.test(topology) ? '; give the name that its file gives to topology(…), not the file' : '';
  throw new SquallError('ERR_SQUALL_USAGE', `topology: ${mistakes.join('; ')}${hint}`);
}

async function withStore(
  topology: string,
  flags: StoreFlags,
  work: (store: LetterStore) => Promise<number>,
  { io, engine }: CommandContext,
): Promise<number> {
  const openDeadLetters = await engine.openDeadLetters();
  const nats = natsOf(flags, io.env);
  let ended: (code: number) => void = () => {};
  const signalled = new Promise<number>((resolve) => {
    ended = resolve;
  });
  // A server that was started for this must not stay: so the signal closes first.
  const release = io.onSignal((signal: StopSignal) => ended(exitCodeOfSignal(signal)));
  try {
    const opening = openDeadLetters({ topology, state: flags.state, nats });
    const open = await opening;
    try {
      return await Promise.race([work(open.store), signalled]);
    } finally {
      await open.close();
    }
  } finally {
    release();
  }
}
