import test from 'ava';
import type { Benchmark, Measurement, Side } from '../../bench/benchmark.js';
import { spreadOf, summarize } from '../../bench/summary.js';

test('the median is the middle value, or the mean of the two in the middle', (t) => {
  t.deepEqual(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 });
  t.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, least: 1, most: 4 });
  t.deepEqual(spreadOf([7]), { median: 7, least: 7, most: 7 });
});

test('the ratio is the median over the pairs, not the ratio of the medians', (t) => {
  const side: Side = { name: 'side', guarantee: '', start: () => Promise.reject(new Error('not run')) };
  const benchmark: Benchmark = { name: 'b', title: '', unit: '', sides: [side, side] };
  const at = (rate: number): Measurement => ({
    rate,
    cpuSecondsPerMillion: undefined,
    cpuSecondsPerMillionByProcess: {},
    facts: {},
  });
  const { ratio, rates, cpuSecondsPerMillion } = summarize(benchmark, [
    [at(10), at(20)],
    [at(30), at(30)],
    [at(20), at(100)],
  ]);
  t.is(rates[0].median / rates[1].median, 20 / 30);
  t.deepEqual(ratio, { median: 0.5, least: 0.2, most: 1 });
  t.deepEqual(cpuSecondsPerMillion, [undefined, undefined]);
});
