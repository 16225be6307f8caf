/** `squall top` */
import type { Command } from 'commander';
import type { RemoteRun } from '../core/cluster/control-messages.js';
import { attentionOf } from './attention.js';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { parseDuration } from './options.js';
import { addControlOptions, type Control, noRun, type RemoteRunFlags, severalRuns, withControl } from './remote-run.js';
import { screenOf } from './screen.js';
import { styleOf } from './style.js';
import { RunHistory } from './top-history.js';
import { topScreen } from './top-screen.js';
import { checkTopology } from './topology-name.js';

interface TopFlags extends RemoteRunFlags {
  readonly json?: boolean;
  readonly once?: boolean;
  readonly tasks?: boolean;
  readonly every?: number;
}

const DEFAULT_EVERY_MS = 1_000;
/** One snapshot alone has no rates: so long the run is watched before it is shown once. */
const LOOK_MS = 1_300;

const HELP = `
Above the table it says in words what needs attention: a process that crash-loops, a run that is paused or stalled.
Keys: t shows or hides the tasks, q or Ctrl-C ends. Where stdout is no terminal: one picture, or with --every one each.

Exit codes:
  0  done, or the run has ended
  1  failure, or the run is gone without a word
  2  wrong usage, or no such run`;

export function addTop(program: Command, context: CommandContext): void {
  const command = program
    .command('top')
    .description('watch a run: rates, pending, restarts, and what is wrong')
    .argument('[topology]', 'its name; needed where several run')
    .option('--run <id>', 'which run, where several have the name: the beginning of its id is enough')
    .option('--tasks', 'a line for each task, too')
    .option('--every <time>', 'between two pictures, such as 1s', parseDuration)
    .option('--once', 'one picture, then end')
    .option('--json', 'one picture as a JSON object, then end');
  addControlOptions(command, HELP).action(async (topology: string | undefined, flags: TopFlags) => {
    if (topology !== undefined) checkTopology(topology);
    context.exitCode = await withControl(flags, context, async (control, where) => {
      const all = (await control?.runs(topology)) ?? [];
      const found = all.filter(({ run }) => run.startsWith(flags.run ?? ''));
      const [run] = found;
      if (control === undefined || run === undefined) throw noRun(topology, flags.run, all, where);
      if (found.length > 1) throw severalRuns(topology, found);
      return watch(control, run, flags, context);
    });
  });
}

async function watch(control: Control, run: RemoteRun, flags: TopFlags, { io }: CommandContext): Promise<number> {
  const { stdout } = io;
  const live = stdout.isTerminal && !flags.json && !flags.once;
  const repeats = live || (flags.every !== undefined && !flags.json && !flags.once);
  const history = new RunHistory();
  const screen = screenOf(stdout);
  let tasks = flags.tasks === true;
  const lines = (): string[] =>
    topScreen(history, performance.now(), {
      // A line as wide as the terminal makes some of them begin another.
      width: stdout.columns - (live ? 1 : 0),
      style: styleOf(stdout),
      tasks,
      ...(live ? { hint: `t ${tasks ? 'hides' : 'shows'} the tasks, q ends` } : {}),
    });
  const show = (): void => {
    if (live) screen.paint(lines());
    else stdout.write(`${lines().join('\n')}\n${repeats ? '\n' : ''}`);
  };
  history.add(performance.now(), run.snapshot);
  if (live) show();

  let stop = (): void => {};
  const stopped = new Promise<'stopped'>((resolve) => {
    stop = () => resolve('stopped');
  });
  const timer = repeats ? setInterval(show, flags.every ?? DEFAULT_EVERY_MS) : setTimeout(stop, LOOK_MS);
  const releaseKeys = live
    ? io.onKey((key) => {
        if (key === 'q' || key === '\x03') stop();
        if (key !== 't') return;
        tasks = !tasks;
        show();
      })
    : () => {};
  try {
    const ended = control.ended(run, ({ snapshot }) => history.add(performance.now(), snapshot));
    const end = await Promise.race([ended, stopped]);
    if (repeats && end !== 'stopped') {
      show();
      const text =
        end === undefined ? 'says nothing any more: its process or NATS is gone' : `has ended: ${end.status}`;
      io.stderr.write(`the run of ${run.topology} ${text}\n`);
      return end === undefined ? EXIT.failure : EXIT.ok;
    }
    if (flags.json) stdout.write(`${JSON.stringify(picture(run, history))}\n`);
    else if (!repeats) show();
    return EXIT.ok;
  } finally {
    clearInterval(timer);
    releaseKeys();
  }
}

/** What `--json` prints. A rate is missing where it is not known. */
function picture({ topology, run, pid, host, startedAt }: RemoteRun, history: RunHistory): object {
  const snapshot = history.latest;
  const names = [...Object.keys(snapshot?.spouts ?? {}), ...Object.keys(snapshot?.bolts ?? {})];
  return {
    topology,
    run,
    pid,
    host,
    startedAt,
    attention: attentionOf(history, performance.now()),
    perSecond: Object.fromEntries(names.map((name) => [name, history.rates.of(name)])),
    snapshot,
  };
}
