import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { LatencyHistogram } from '../../core/runtime/latency.js';
import { holds } from '../support/property.js';

function histogramOf(durationsMs: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const ms of durationsMs) histogram.record(ms);
  return histogram;
}

/** The value that `share` of all do not exceed, from the sorted list. */
function exact(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** 1 µs … 70 minutes, evenly by order of magnitude */
const duration = fc.double({ min: Math.log(0.001), max: Math.log(4_200_000), noNaN: true }).map((x) => Math.exp(x));
const durations = fc.array(duration, { minLength: 1, maxLength: 400, size: 'max' });

test('every percentile of durations from 1 µs to over an hour is right to 5 %', (t) => {
  holds(
    t,
    fc.property(durations, (durations) => {
      const histogram = histogramOf(durations);
      const sorted = durations.toSorted((a, b) => a - b);
      for (const share of [0.01, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 1]) {
        const value = histogram.quantile(share);
        const expected = exact(sorted, share);
        assert.ok(Math.abs(value - expected) <= expected * 0.05, `${share}: ${value} for ${expected}`);
      }
      assert.equal(histogram.maxMs, sorted.at(-1));
      assert.equal(histogram.count, durations.length);
    }),
    { numRuns: 300 },
  );
});

test('percentiles grow with their share and never exceed the longest', (t) => {
  holds(
    t,
    fc.property(durations, (durations) => {
      const { p50, p90, p99, max } = histogramOf(durations).quantiles();
      assert.ok(p50 <= p90 && p90 <= p99 && p99 <= max);
      assert.equal(max, Math.max(...durations));
    }),
  );
});

test('what takes nothing, less than a microsecond or days is counted all the same', (t) => {
  const histogram = histogramOf([0, 0.0001, 0.001, 7_200_000, 1e12]);
  t.is(histogram.count, 5);
  t.is(
    histogram.buckets.reduce((sum, count) => sum + count),
    5,
  );
  t.is(histogram.maxMs, 1e12);
  t.true(histogram.quantile(0.4) < 0.002);
  // the last bucket is the longest that can be told apart
  t.true(histogram.quantile(0.8) > 4_000_000);
  t.is(histogramOf([0]).quantile(0.5), 0);
});

test('a histogram of nothing has zeros', (t) => {
  t.deepEqual(new LatencyHistogram().quantiles(), { p50: 0, p90: 0, p99: 0, max: 0 });
  t.deepEqual(new LatencyHistogram().sparse(), []);
});

test('merging histograms is recording everything in one', (t) => {
  holds(
    t,
    fc.property(durations, durations, (some, others) => {
      const merged = histogramOf(some);
      merged.merge(histogramOf(others));
      assert.deepEqual(merged, histogramOf([...some, ...others]));
    }),
  );
});

test('the sparse form survives JSON', (t) => {
  holds(
    t,
    fc.property(durations, (durations) => {
      const histogram = histogramOf(durations);
      const sparse = JSON.parse(JSON.stringify(histogram.sparse())) as number[];
      assert.ok(sparse.length <= durations.length * 2);
      assert.deepEqual(LatencyHistogram.fromSparse(sparse, histogram.maxMs), histogram);
    }),
  );
});
