import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { DueQueue } from '../../core/reliability/due-queue.js';
import { holds } from '../support/property.js';

test('things come out when they are due, by their time, and those of one time in the order they went in', (t) => {
  // few different times, so that many are equal
  const op = fc.oneof(
    { weight: 3, arbitrary: fc.record({ push: fc.nat({ max: 12 }) }) },
    { weight: 2, arbitrary: fc.record({ popAt: fc.nat({ max: 12 }) }) },
  );
  holds(
    t,
    fc.property(fc.array(op, { maxLength: 300, size: 'max' }), (ops) => {
      const queue = new DueQueue<string>();
      const waiting: { item: string; at: number }[] = [];
      for (const [number, op] of ops.entries()) {
        if ('push' in op) {
          const item = `${number} at ${op.push}`;
          queue.push(item, op.push);
          waiting.push({ item, at: op.push });
        } else {
          const first = waiting.reduce<(typeof waiting)[0] | undefined>(
            (best, one) => (one.at <= op.popAt && (best === undefined || one.at < best.at) ? one : best),
            undefined,
          );
          if (first !== undefined) waiting.splice(waiting.indexOf(first), 1);
          assert.equal(queue.pop(op.popAt), first?.item);
        }
        assert.equal(queue.size, waiting.length);
        assert.equal(queue.firstAt, Math.min(Number.POSITIVE_INFINITY, ...waiting.map(({ at }) => at)));
      }
    }),
    { numRuns: 500 },
  );
});

test('whatever goes in comes out once, sorted', (t) => {
  holds(
    t,
    fc.property(fc.array(fc.double({ noNaN: true }), { maxLength: 500, size: 'max' }), (times) => {
      const queue = new DueQueue<number>();
      for (const [number, at] of times.entries()) queue.push(number, at);
      const out: number[] = [];
      for (
        let next = queue.pop(Number.POSITIVE_INFINITY);
        next !== undefined;
        next = queue.pop(Number.POSITIVE_INFINITY)
      )
        out.push(next);
      // Array.prototype.sort is stable
      const expected = times
        .map((_, number) => number)
        .sort((a, b) => (times[a] < times[b] ? -1 : times[a] > times[b] ? 1 : 0));
      assert.deepEqual(out, expected);
    }),
    { numRuns: 200 },
  );
});

test('an empty queue has nothing due, ever', (t) => {
  const queue = new DueQueue<number>();
  t.is(queue.pop(Number.POSITIVE_INFINITY), undefined);
  t.is(queue.firstAt, Number.POSITIVE_INFINITY);
  queue.push(1, 10);
  t.is(queue.pop(9.999), undefined);
  t.is(queue.pop(10), 1);
  t.is(queue.firstAt, Number.POSITIVE_INFINITY);
});
