/** `squall list` */
import type { Command } from 'commander';
import type { RemoteRun } from '../core/cluster/control-messages.js';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { clean, count, dateTime, duration } from './format.js';
import { addControlOptions, type ControlFlags, pendingOf, withControl } from './remote-run.js';
import { styleOf } from './style.js';
import { type Column, table } from './table.js';

const HELP = `
Asks the runs that use the same NATS server, and shows those that answer within a second or two.`;

const COLUMNS: readonly Column[] = [
  { title: 'topology', align: 'left', keep: 9 },
  { title: 'run', align: 'left', keep: 4 },
  { title: 'phase', align: 'left', keep: 8 },
  { title: 'processes', align: 'right', keep: 3 },
  { title: 'acked', align: 'right', keep: 5 },
  { title: 'pending', align: 'right', keep: 6 },
  { title: 'for', align: 'right', keep: 2 },
  { title: 'since', align: 'left', keep: 0 },
  { title: 'pid', align: 'right', keep: 7 },
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

function row(run: RemoteRun): string[] {
  const { topology, run: id, snapshot, startedAt, pid, host } = run;
  const { phase, elapsedMs, spouts, workers } = snapshot;
  return [
    topology,
    id,
    clean(phase),
    `${workers.up}/${workers.all}`,
    count(Object.values(spouts).reduce((sum, { acked }) => sum + acked, 0)),
    count(pendingOf(run)),
    duration(elapsedMs),
    dateTime(startedAt),
    String(pid),
    clean(host),
  ];
}
