import test from 'ava';
import { Accounts } from '../../core/cluster/accounts.js';
import { LatencyHistogram } from '../../core/runtime/latency.js';
import type { MetricsReport, TaskStats } from '../../core/runtime/protocol.js';
import type { TopologyPlan } from '../../core/topology/definition.js';

const PLAN = {
  components: [
    { name: 'lines', definition: { kind: 'spout' }, firstTask: 1, tasks: 1 },
    { name: 'split', definition: { kind: 'bolt' }, firstTask: 2, tasks: 2 },
  ],
} as unknown as TopologyPlan;

function histogram(...values: number[]): { readonly sparse: readonly number[]; readonly max: number } {
  const made = new LatencyHistogram();
  for (const value of values) made.record(value);
  return { sparse: made.sparse(), max: made.maxMs };
}

function report(task: number, epoch: number, metrics?: Partial<MetricsReport>): TaskStats {
  const own = metrics === undefined ? {} : { metrics: { counters: {}, gauges: {}, histograms: {}, ...metrics } };
  return {
    task,
    epoch,
    kind: 'bolt',
    bolt: { executed: 0, emitted: 0, acked: 0, failed: 0 },
    drops: {},
    drained: true,
    ...own,
  };
}

test('counters and histograms are summed over tasks and the dead among them, gauges are those of the living', (t) => {
  const accounts = new Accounts(PLAN);
  accounts.report([
    report(2, 1, { counters: { words: 5 }, gauges: { open: 7 }, histograms: { size: histogram(10, 20) } }),
    report(3, 1, { counters: { words: 2, odd: 1 }, gauges: { open: 1 } }),
  ]);
  accounts.gone(2);
  accounts.report([report(2, 2, { counters: { words: 1 }, histograms: { size: histogram(30) } })]);
  const { split } = accounts.counts().bolts;
  t.deepEqual(split.metrics?.counters, { words: 8, odd: 1 });
  t.deepEqual(split.metrics?.gauges, { open: { '3': 1 } });
  t.like(split.metrics?.histograms.size, { count: 3, max: 30 });
});

test('a component without metrics of its own shows none', (t) => {
  const accounts = new Accounts(PLAN);
  accounts.report([report(2, 1, { counters: { words: 5 } }), report(3, 1)]);
  const { bolts, spouts } = accounts.counts();
  t.deepEqual(Object.keys(bolts.split).sort(), ['acked', 'emitted', 'executed', 'failed', 'metrics']);
  t.false('metrics' in spouts.lines);
  t.false('returned' in spouts.lines);
});

test('tuples that were handed back to their source are counted where there are any, and are settled', (t) => {
  const accounts = new Accounts(PLAN);
  const replays = { failed: 0, timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 };
  const counts = { emitted: 9, untracked: 0, acked: 3, deadLettered: 1, returned: 2, replays, pending: 3, waiting: 0 };
  const { bolt: _bolt, ...base } = report(1, 1);
  accounts.report([{ ...base, kind: 'spout', spout: counts as TaskStats['spout'] }]);
  t.is(accounts.counts().spouts.lines.returned, 2);
  t.is(accounts.settled, 6);
  accounts.gone(1);
  t.is(accounts.counts().spouts.lines.returned, 2);
});
