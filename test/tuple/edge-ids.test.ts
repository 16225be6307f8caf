import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { EdgeIds } from '../../core/tuple/edge-ids.js';
import { holds } from '../support/property.js';

/** The next `count` ids as [hi, lo]. */
function take(ids: EdgeIds, count: number): [number, number][] {
  return Array.from({ length: count }, () => {
    ids.next();
    return [ids.hi, ids.lo];
  });
}

test('(0, 0) is never an edge id, wherever the generator gives it', (t) => {
  const words = [0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0];
  const ids = new EdgeIds((pool) => pool.set(words), words.length / 2);
  t.deepEqual(take(ids, 3), [
    [1, 2],
    [3, 4],
    [1, 2],
  ]);
});

test('an id with one half of zeros is an id', (t) => {
  const words = [0, 7, 9, 0];
  t.deepEqual(take(new EdgeIds((pool) => pool.set(words), 2), 2), [
    [0, 7],
    [9, 0],
  ]);
});

test('ids are the pairs of the generator in their order, without (0, 0), refill after refill', (t) => {
  const half = fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 0xffffffff }) },
  );
  const pools = fc
    .integer({ min: 1, max: 5 })
    .chain((size) =>
      fc.array(fc.array(fc.tuple(half, half), { minLength: size, maxLength: size }), { minLength: 1, maxLength: 6 }),
    );
  holds(
    t,
    fc.property(pools, (pools) => {
      const expected = pools.flat().filter(([hi, lo]) => hi !== 0 || lo !== 0);
      let filled = 0;
      const ids = new EdgeIds((pool) => pool.set(pools[filled++].flat()), pools[0].length);
      assert.deepEqual(take(ids, expected.length), expected);
    }),
    { numRuns: 200 },
  );
});

test('the pool is filled before the first id and when it is used up, and at no other time', (t) => {
  let fills = 0;
  const ids = new EdgeIds((pool) => {
    fills += 1;
    pool.fill(fills);
  }, 3);
  t.is(fills, 0);
  t.deepEqual(take(ids, 3), Array(3).fill([1, 1]));
  t.is(fills, 1);
  t.deepEqual(take(ids, 1), [[2, 2]]);
  t.is(fills, 2);
});

test('a million ids are all different, unsigned halves, and use every one of the 64 bits', (t) => {
  const count = 1_000_000;
  const ids = new EdgeIds((pool) => randomFillSync(pool));
  const all = new BigUint64Array(count);
  const words = new Uint32Array(all.buffer);
  const ones = new Float64Array(64);
  let unsigned = true;
  for (let i = 0; i < count; i++) {
    ids.next();
    unsigned &&= ids.hi >= 0 && ids.lo >= 0;
    words[i * 2] = ids.lo;
    words[i * 2 + 1] = ids.hi;
    for (let bit = 0; bit < 32; bit++) {
      ones[bit] += (ids.lo >>> bit) & 1;
      ones[bit + 32] += (ids.hi >>> bit) & 1;
    }
  }
  t.true(unsigned);
  all.sort();
  t.true(all.every((id, at) => at === 0 || id !== all[at - 1]));
  // 10 standard deviations: 1 in 10²² by chance
  t.true(ones.every((count1) => Math.abs(count1 - count / 2) < 10 * Math.sqrt(count / 4)));
});
