import test from 'ava';
import { Recent, WINDOW_MS } from '../../core/cluster/recent.js';
import { LatencyHistogram } from '../../core/runtime/latency.js';
import type { TaskStats } from '../../core/runtime/protocol.js';

/** A bolt task that executed `executed` tuples so far, each for `ms`. */
function stats(executed: number, ms: number, { epoch = 1, task = 2 } = {}): TaskStats {
  const execute = new LatencyHistogram();
  execute.recordMany(ms, executed);
  return {
    task,
    epoch,
    kind: 'bolt',
    bolt: { executed, emitted: executed * 2, acked: executed, failed: 0 },
    drops: {},
    drained: false,
    load: {
      busyMs: executed * ms,
      queued: 7,
      executeMs: execute.sparse(),
      executeMaxMs: execute.maxMs,
      queueMs: [],
      queueMaxMs: 0,
    },
  };
}

test('rates and the busy share are those of the last ten seconds, whatever was before', (t) => {
  const recent = new Recent();
  // a minute at 100 per second, 1 ms each, then one at 500 per second
  let executed = 0;
  for (let at = 0; at <= 120_000; at += 250) {
    executed += at <= 60_000 ? 25 : 125;
    recent.report([stats(executed, 1)], at);
  }
  const load = recent.load([2]);
  t.is(load?.perS.executed, 500);
  t.is(load?.perS.emitted, 1000);
  t.is(load?.capacity, 0.5);
  t.is(load?.queued, 7);
});

test('a latency is that of what was executed within the window', (t) => {
  const recent = new Recent();
  const histogram = new LatencyHistogram();
  const report = (at: number) => {
    const one = stats(0, 0);
    recent.report(
      [
        {
          ...one,
          load: {
            ...(one.load as NonNullable<TaskStats['load']>),
            executeMs: histogram.sparse(),
            executeMaxMs: histogram.maxMs,
          },
        },
      ],
      at,
    );
  };
  for (let at = 0; at < 20_000; at += 250) {
    histogram.record(1);
    report(at);
  }
  for (let at = 20_000; at <= 20_000 + WINDOW_MS + 1000; at += 250) {
    histogram.record(100);
    report(at);
  }
  const { p50 = 0 } = recent.load([2])?.executeMs ?? {};
  t.true(p50 > 90, `${p50} ms`);
});

test('of a task that died and came back only the new incarnation counts, and never below zero', (t) => {
  const recent = new Recent();
  recent.report([stats(1_000_000, 1)], 0);
  recent.report([stats(1_001_000, 1)], 1000);
  recent.gone(2);
  t.is(recent.load([2]), undefined);
  recent.report([stats(10, 1, { epoch: 2 })], 2000);
  t.is(recent.load([2])?.perS.executed, 0, 'nothing to count from yet');
  recent.report([stats(110, 1, { epoch: 2 })], 3000);
  t.is(recent.load([2])?.perS.executed, 100);
});

test('of several tasks the rates add up, and the capacity is that of the busiest', (t) => {
  const recent = new Recent();
  for (const [at, share] of [
    [0, 0],
    [1000, 1],
  ] as const) {
    recent.report([stats(100 * share, 1, { task: 2 }), stats(300 * share, 3, { task: 3 })], at);
  }
  const load = recent.load([2, 3]);
  t.is(load?.perS.executed, 400);
  t.is(load?.capacity, 0.9);
  t.is(load?.queued, 14);
});
