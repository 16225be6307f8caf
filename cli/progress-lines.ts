/** A run at one moment, as a table and as one line. */
import type { RunSnapshot } from '../core/cluster/run-types.js';
import { componentTable, replaysOf, settled, shownRate } from './component-table.js';
import { count, cut, duration, plural } from './format.js';
import type { Rates } from './rates.js';
import type { Style } from './style.js';

/** Of all spouts together; a name that no component can have. */
export const ALL_SPOUTS = '_spouts';

/** What `Rates` is to be fed with. */
export function rateCounts(snapshot: RunSnapshot): Record<string, number> {
  const counts = settled(snapshot);
  const all = Object.keys(snapshot.spouts).reduce((sum, name) => sum + counts[name], 0);
  return { ...counts, [ALL_SPOUTS]: all };
}

export function progressTable(snapshot: RunSnapshot, rates: Rates, style: Style, width: number): string[] {
  const { topology, workers } = snapshot;
  const head = cut([...titleOf(snapshot), ...about(snapshot)].join('  '), width);
  if (workers.all === 0) return [emphasized(head, topology, style)];
  const lines = componentTable(snapshot, tasksOf(snapshot), (name) => rates.of(name), width);
  return [emphasized(head, topology, style), style.dim(lines[0]), ...lines.slice(1)];
}

export function progressLine(snapshot: RunSnapshot, rates: Rates): string {
  const spouts = Object.values(snapshot.spouts);
  const sum = (of: (spout: (typeof spouts)[number]) => number) => spouts.reduce((total, spout) => total + of(spout), 0);
  const dead = sum(({ deadLettered }) => deadLettered);
  const untracked = sum((spout) => spout.untracked);
  const counts = [
    `${count(sum(({ acked }) => acked))} acked`,
    ...(untracked > 0 ? [`${count(untracked)} untracked`] : []),
    `${shownRate(rates.of(ALL_SPOUTS))} per s`,
    `${count(sum(({ pending }) => pending))} pending`,
    plural(sum(replaysOf), 'replay'),
    ...(dead > 0 ? [plural(dead, 'dead letter')] : []),
  ];
  return [...titleOf(snapshot), ...(snapshot.phase === 'starting' ? [] : counts), ...about(snapshot)].join('  ');
}

/** How many tasks each component has. */
export function tasksOf({ tasks }: RunSnapshot): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { component } of tasks) {
    // `split[0]`, too: a component's name has no bracket.
    const name = component.replace(/\[.*$/, '');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** When the last tuple is settled the workers still clean up. */
function titleOf({ topology, phase }: RunSnapshot): string[] {
  return [topology || 'squall', phase === 'ended' ? 'ending' : phase];
}

function about({ elapsedMs, workers, completeLatencyMs: { p50, p99, max } }: RunSnapshot): string[] {
  return [
    ...(elapsedMs > 0 ? [duration(elapsedMs)] : []),
    ...(workers.all > 0 ? [`${workers.up}/${workers.all} processes`] : []),
    ...(workers.restarts > 0 ? [plural(workers.restarts, 'restart')] : []),
    ...(max > 0 ? [`p50 ${duration(p50)}`, `p99 ${duration(p99)}`] : []),
  ];
}

function emphasized(head: string, topology: string, style: Style): string {
  return head.startsWith(topology) ? style.bold(topology) + head.slice(topology.length) : head;
}
