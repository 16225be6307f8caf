import test from 'ava';
import { metricLines } from '../../cli/metric-lines.js';
import { boltResult, spoutResult } from './fake-run.js';

const NONE = { counters: {}, gauges: {}, histograms: {} };

test('each metric of a component is a line, gauges with the task that each value is of', (t) => {
  const spouts = { lines: spoutResult({ metrics: { ...NONE, counters: { skipped: 12_345 } } }) };
  const histograms = { batch: { count: 1_000, p50: 3, p90: 5.25, p99: 9, max: 12 } };
  const bolts = {
    split: boltResult(),
    sink: boltResult({ metrics: { ...NONE, gauges: { open: { '4': 2, '5': 0.5 } }, histograms } }),
  };
  t.deepEqual(metricLines({ spouts, bolts }), [
    'lines skipped: 12,345',
    'sink open: 2 (task 4), 0.5 (task 5)',
    'sink batch: p50 3, p90 5.25, p99 9, max 12; 1,000 in all',
  ]);
});

test('a name cannot steer the terminal, and many metrics do not fill it', (t) => {
  const counters = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`\x1b[2J${at}`, at]));
  const lines = metricLines({ spouts: {}, bolts: { sink: boltResult({ metrics: { ...NONE, counters } }) } });
  t.is(lines.length, 51);
  t.is(lines[0], 'sink \\x1b[2J0: 0');
  t.is(lines[50], 'and 10 more: --json has them all');
});
