/** The components of a run, a line each: while it runs, and at its end. */
import type { BoltResult, SpoutResult } from '../core/cluster/run-types.js';
import { count } from './format.js';
import { type Column, table } from './table.js';

export interface ComponentCounts {
  readonly spouts: Readonly<Record<string, SpoutResult>>;
  readonly bolts: Readonly<Record<string, BoltResult>>;
}

const NOT_APPLICABLE = '-';

const COLUMNS: readonly (Column & { readonly key: string })[] = [
  { key: 'component', title: 'component', align: 'left', keep: 9 },
  { key: 'tasks', title: 'tasks', align: 'right', keep: 0 },
  { key: 'emitted', title: 'emitted', align: 'right', keep: 1 },
  { key: 'executed', title: 'executed', align: 'right', keep: 6 },
  { key: 'acked', title: 'acked', align: 'right', keep: 7 },
  { key: 'failed', title: 'failed', align: 'right', keep: 3 },
  { key: 'pending', title: 'pending', align: 'right', keep: 4 },
  { key: 'replays', title: 'replays', align: 'right', keep: 5 },
  { key: 'dead', title: 'dead', align: 'right', keep: 2 },
  { key: 'rate', title: 'per s', align: 'right', keep: 8 },
];

/** `tasks` by component, where they are known; `rate` per second of what `settled` counts. */
export function componentTable(
  { spouts, bolts }: ComponentCounts,
  tasks: Readonly<Record<string, number>> | undefined,
  rate: (component: string) => number | undefined,
  width: number,
): string[] {
  const of = (name: string) => ({
    component: name,
    tasks: tasks?.[name] === undefined ? NOT_APPLICABLE : count(tasks[name]),
    rate: shownRate(rate(name)),
  });
  const rows = [
    ...Object.entries(spouts).map(([name, spout]) => ({
      ...of(name),
      emitted: count(spout.emitted),
      executed: NOT_APPLICABLE,
      acked: count(spout.acked),
      failed: NOT_APPLICABLE,
      pending: count(spout.pending),
      replays: count(replaysOf(spout)),
      dead: count(spout.deadLettered),
    })),
    ...Object.entries(bolts).map(([name, bolt]) => ({
      ...of(name),
      emitted: count(bolt.emitted),
      executed: count(bolt.executed),
      acked: count(bolt.acked),
      failed: count(bolt.failed),
      pending: NOT_APPLICABLE,
      replays: NOT_APPLICABLE,
      dead: NOT_APPLICABLE,
    })),
  ] satisfies Record<string, string>[];
  const anyDead = Object.values(spouts).some(({ deadLettered }) => deadLettered > 0);
  const columns = COLUMNS.filter(({ key }) => (key !== 'dead' || anyDead) && (key !== 'tasks' || tasks !== undefined));
  return table(
    columns,
    rows.map((row: Record<string, string>) => columns.map(({ key }) => row[key])),
    width,
  );
}

export function replaysOf({ replays }: SpoutResult): number {
  return Object.values(replays).reduce((sum, value) => sum + value, 0);
}

/** How many tuples each component has done with: what its rate is the rate of. */
export function settled({ spouts, bolts }: ComponentCounts): Record<string, number> {
  const counts: Record<string, number> = {};
  // With no ackers a tuple counts as untracked and as acked.
  for (const [name, { acked, deadLettered, untracked }] of Object.entries(spouts)) {
    counts[name] = Math.max(acked + deadLettered, untracked);
  }
  for (const [name, { executed }] of Object.entries(bolts)) counts[name] = executed;
  return counts;
}

export function shownRate(perSecond: number | undefined): string {
  if (perSecond === undefined) return NOT_APPLICABLE;
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : count(perSecond);
}
