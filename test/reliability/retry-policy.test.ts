import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { backoffMs } from '../../core/reliability/retry-policy.js';
import { holds } from '../support/property.js';

const delays = (firstMs: number, maxMs: number, jitter: number, failures: number): number[] =>
  Array.from({ length: failures }, (_, at) => backoffMs({ attempts: 10, backoff: { firstMs, maxMs } }, at + 1, jitter));

test('without a first delay the second attempt goes at once, then 20 ms, doubling up to the longest', (t) => {
  t.deepEqual(delays(0, 10_000, 0, 13), [0, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_000, 10_000, 10_000]);
});

test('ten attempts by default take about five seconds at most', (t) => {
  const total = delays(0, 10_000, 0, 9).reduce((sum, ms) => sum + ms);
  t.is(total, 5100);
});

test('with a first delay it doubles from there up to the longest', (t) => {
  t.deepEqual(delays(100, 1000, 0, 6), [100, 200, 400, 800, 1000, 1000]);
  t.deepEqual(delays(500, 500, 0, 3), [500, 500, 500]);
});

test('jitter takes up to half of the delay away, never more, and never adds', (t) => {
  t.deepEqual(delays(100, 1000, 0.5, 5), [75, 150, 300, 600, 750]);
  const policy = fc
    .tuple(fc.nat({ max: 86_400_000 }), fc.nat({ max: 86_400_000 }))
    .map(([a, b]) => ({ firstMs: Math.min(a, b), maxMs: Math.max(a, b) }));
  holds(
    t,
    fc.property(
      policy,
      fc.integer({ min: 1, max: 5000 }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (backoff, failures, jitter) => {
        const retry = { attempts: 1000, backoff };
        const whole = backoffMs(retry, failures, 0);
        const less = backoffMs(retry, failures, jitter);
        assert.ok(whole <= backoff.maxMs && whole >= backoff.firstMs);
        assert.ok(less <= whole && less >= whole / 2);
        assert.ok(backoffMs(retry, failures + 1, 0) >= whole);
      },
    ),
    { numRuns: 1000 },
  );
});
