import test from 'ava';
import { progressLine, progressTable, rateCounts } from '../../cli/progress-lines.js';
import { Rates } from '../../cli/rates.js';
import { styleOf } from '../../cli/style.js';
import { NO_REPLAYS, runSnapshot, spoutResult } from './fake-run.js';

const PLAIN = styleOf({ hasColours: false });

test('the table has a line per component, with its tasks and its rate', (t) => {
  const rates = new Rates();
  rates.add(0, { lines: 0, split: 0, count: 0 });
  rates.add(2_000, rateCounts(runSnapshot()));
  t.deepEqual(progressTable(runSnapshot(), rates, PLAIN, 100), [
    'word-count  running  5.0 s  5/5 processes  p50 2.1 ms  p99 9.3 ms',
    'component  tasks  emitted  executed  acked  failed  pending  replays  per s',
    'lines          1    1,000         -  1,000       -        0        0    500',
    'split          2    6,400     1,000  1,000       0        -        -    500',
    'count          1        0     6,400  6,400       0        -        -  3,200',
  ]);
});

test('a narrow terminal shows what matters most', (t) => {
  const lines = progressTable(runSnapshot(), new Rates(), PLAIN, 40);
  t.true(lines.every((line) => line.length <= 40));
  t.is(lines[1], 'component  executed  acked  per s');
});

test('before anything is known there is one line', (t) => {
  const snapshot = runSnapshot({ topology: '', phase: 'starting', elapsedMs: 0, spouts: {}, bolts: {}, tasks: [] });
  const nothing = {
    ...snapshot,
    workers: { up: 0, all: 0, restarts: 0 },
    completeLatencyMs: { p50: 0, p90: 0, p99: 0, max: 0 },
  };
  t.deepEqual(progressTable(nothing, new Rates(), PLAIN, 80), ['squall  starting']);
  t.is(progressLine(nothing, new Rates()), 'squall  starting');
});

test('the line for logs sums up all spouts', (t) => {
  const replays = { ...NO_REPLAYS, timeout: 1 };
  const snapshot = runSnapshot({
    phase: 'draining',
    elapsedMs: 65_000,
    spouts: {
      a: spoutResult({ emitted: 5_000, acked: 4_000, pending: 998, deadLettered: 2, replays }),
      b: spoutResult({ emitted: 100, acked: 100 }),
    },
    workers: { up: 4, all: 5, restarts: 1 },
  });
  const rates = new Rates();
  rates.add(0, rateCounts(runSnapshot({ spouts: { a: spoutResult(), b: spoutResult() } })));
  rates.add(2_000, rateCounts(snapshot));
  t.is(
    progressLine(snapshot, rates),
    'word-count  draining  4,100 acked  2,051 per s  998 pending  1 replay  2 dead letters  1 min 5 s  4/5 processes  1 restart  p50 2.1 ms  p99 9.3 ms',
  );
});
