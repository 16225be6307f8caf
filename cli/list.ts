/** `squall list` */
import type { Command } from 'commander';
import type { RemoteRun } from '../core/cluster/control-messages.js';
import { replaysOf, shownRate } from './component-table.js';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { clean, count, dateTime, duration } from './format.js';
import { shownMs, shownOldest } from './load-table.js';
import { addControlOptions, type ControlFlags, pendingOf, withControl } from './remote-run.js';
import { styleOf } from './style.js';
import { type Column, table } from './table.js';

const HELP = `
Asks the runs that use the same NATS server, and shows those that answer within a second or two.
per s: tuples that completed; p99: of their complete latency; both of the last ten seconds. oldest: age of the oldest
tuple that is pending. up: processes, and how many should be. A narrow terminal leaves columns out.`;

/** What tells how a run does stays longest: 80 columns are enough for it. */
const COLUMNS: readonly Column[] = [
  { title: 'topology', align: 'left', keep: 16 },
  { title: 'run', align: 'left', keep: 4 },
  { title: 'phase', align: 'left', keep: 15 },
  { title: 'up', align: 'right', keep: 10 },
  { title: 'per s', align: 'right', keep: 14 },
  { title: 'acked', align: 'right', keep: 6 },
  { title: 'pending', align: 'right', keep: 13 },
  { title: 'oldest', align: 'right', keep: 9 },
  { title: 'p99', align: 'right', keep: 12 },
  { title: 'replays', align: 'right', keep: 8 },
  { title: 'restarts', align: 'right', keep: 7 },
  { title: 'dead', align: 'right', keep: 11 },
  { title: 'for', align: 'right', keep: 3 },
  { title: 'since', align: 'left', keep: 0 },
  { title: 'pid', align: 'right', keep: 5 },
  { title: 'host', align: 'left', keep: 1 },
];

export function addList(program: Command, context: CommandContext): void {
  const command = program
    .command('list')
    .description('the runs that are under way')
    .option('--json', 'a JSON object in each line, with everything');
  addControlOptions(command, HELP).action(async (flags: ControlFlags & { readonly json?: boolean }) => {
    context.exitCode = await withControl(flags, context, async (control, where) => {
      const runs = (await control?.runs()) ?? [];
      show(runs, where, flags.json === true, context);
      return EXIT.ok;
    });
  });
}

function show(
  runs: readonly RemoteRun[],
  where: string,
  json: boolean,
  { io: { stdout, stderr } }: CommandContext,
): void {
  if (runs.length === 0) {
    stderr.write(
      `no run is heard of at ${where}; those that use another NATS server are found with --nats or --state\n`,
    );
    return;
  }
  if (json) {
    for (const run of runs) stdout.write(`${JSON.stringify(run)}\n`);
    return;
  }
  const [titles, ...lines] = table(COLUMNS, runs.map(row), stdout.columns);
  stdout.write(`${[styleOf(stdout).dim(titles), ...lines].join('\n')}\n`);
}

/** Rate and p99 are of the last ten seconds, and unknown of a run that has not begun or is of an older Squall. */
function row(run: RemoteRun): string[] {
  const { topology, run: id, snapshot, startedAt, pid, host } = run;
  const { phase, elapsedMs, spouts, bolts, workers, tasks, load = {}, recent } = snapshot;
  const sources = Object.keys(spouts);
  const rates = sources.flatMap((name) => load[name]?.perS.acked ?? []);
  // bolts start trees, too, in `tick` and `end`
  const trees = [...Object.values(spouts), ...Object.values(bolts).flatMap(({ trees }) => trees ?? [])];
  return [
    topology,
    id,
    clean(phase),
    `${workers.up}/${workers.all}`,
    shownRate(rates.length === 0 ? undefined : sum(rates)),
    count(sum(sources.map((name) => spouts[name].acked))),
    count(pendingOf(run)),
    shownOldest(tasks),
    shownMs(recent?.completeMs?.p99),
    count(sum(trees.map(replaysOf))),
    count(workers.restarts),
    count(sum(trees.map(({ deadLettered }) => deadLettered))),
    duration(elapsedMs),
    dateTime(startedAt),
    String(pid),
    clean(host),
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
