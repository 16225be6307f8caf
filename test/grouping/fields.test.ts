import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { FieldsGrouping } from '../../core/grouping/fields.js';
import { hashValues } from '../../core/grouping/hash.js';
import { holds } from '../support/property.js';

test('equal values meet in one task, whatever else the tuple carries', (t) => {
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.bigInt(),
    fc.date(),
    fc.uint8Array(),
    fc.constant(null),
    fc.jsonValue(),
  );
  holds(
    t,
    fc.property(fc.integer({ min: 1, max: 64 }), fc.array(key, { minLength: 1, maxLength: 3 }), (targets, keys) => {
      const names = keys.map((_, at) => `k${at}`);
      const tuple = (other: unknown): Record<string, unknown> =>
        Object.fromEntries([
          ['other', other],
          ...names.map((name, at): [string, unknown] => [name, structuredClone(keys[at])]),
        ]);
      const chosen = new FieldsGrouping(targets, names).choose(tuple(1));
      assert.equal(new FieldsGrouping(targets, names).choose(tuple('two')), chosen);
      assert.ok(Number.isInteger(chosen) && chosen >= 0 && chosen < targets);
    }),
    { numRuns: 300 },
  );
});

test('−0 meets 0, NaN meets NaN, and a null key has a task too', (t) => {
  for (let targets = 2; targets <= 64; targets++) {
    const grouping = new FieldsGrouping(targets, ['key']);
    t.is(grouping.choose({ key: -0 }), grouping.choose({ key: 0 }));
    t.is(grouping.choose({ key: Number.NaN }), grouping.choose({ key: 0 / 0 }));
    t.is(grouping.choose({ key: null }), hashValues([null]) % targets);
  }
});

test('several keys group together in their declared order', (t) => {
  const grouping = new FieldsGrouping(64, ['a', 'b']);
  t.is(grouping.choose({ b: 2, a: 1 }), hashValues([1, 2]) % 64);
  t.is(new FieldsGrouping(64, ['b', 'a']).choose({ b: 2, a: 1 }), hashValues([2, 1]) % 64);
  const tasks = new Set(Array.from({ length: 64 }, (_, b) => grouping.choose({ a: 1, b })));
  t.true(tasks.size > 30, 'the second key counts as well');
});

test('the task of a word is pinned: another release, another process and another run choose it too', (t) => {
  const words = ['the', 'cow', 'jumped', 'over', 'the', 'moon'];
  const choose = (targets: number): number[] => {
    const grouping = new FieldsGrouping(targets, ['word']);
    return words.map((word) => grouping.choose({ word }));
  };
  t.deepEqual(choose(2), GOLDEN_2);
  t.deepEqual(choose(64), GOLDEN_64);
});
const GOLDEN_2 = [1, 1, 0, 0, 1, 0];
const GOLDEN_64 = [5, 61, 36, 16, 5, 22];

test('sequential numbers, strings, bigints and dates spread evenly over 2 to 64 tasks', (t) => {
  const keys = 10_000;
  const families: Record<string, (n: number) => unknown> = {
    'numbers from 0': (n) => n,
    'multiples of 64': (n) => n * 64,
    'large numbers': (n) => 1e15 + n,
    fractions: (n) => n / 8,
    'bigints from 0': (n) => BigInt(n),
    'user-1, user-2 …': (n) => `user-${n}`,
    'padded numbers': (n) => String(n).padStart(12, '0'),
    'hexadecimal ids': (n) => (n * 0x9e3779b1).toString(16),
    'dates a second apart': (n) => new Date(1.7e12 + n * 1000),
    'four bytes': (n) => new Uint8Array([n, n >> 8, n >> 16, 0]),
  };
  for (const [family, key] of Object.entries(families)) {
    for (const targets of [2, 3, 7, 16, 31, 64]) {
      const grouping = new FieldsGrouping(targets, ['key']);
      const counts = new Array<number>(targets).fill(0);
      for (let n = 0; n < keys; n++) counts[grouping.choose({ key: key(n) })] += 1;
      const mean = keys / targets;
      // five standard deviations of a fair choice; the keys are fixed, so this cannot fail by chance
      const most = Math.max(...counts.map((count) => Math.abs(count - mean)));
      t.true(most < 5 * Math.sqrt(mean), `${family} over ${targets} tasks: one is ${most} off ${mean}`);
    }
  }
});

test('one task gets everything without its values being looked at', (t) => {
  const values = {
    get key(): never {
      throw new Error('read');
    },
  };
  t.is(new FieldsGrouping(1, ['key']).choose(values), 0);
});

test('a task must have room before any tuple may leave: its group cannot go elsewhere', (t) => {
  const grouping = new FieldsGrouping(4, ['key']);
  t.true(grouping.hasRoom(() => true));
  t.false(grouping.hasRoom((index) => index !== 2));
  const before = grouping.choose({ key: 'a' });
  grouping.moveOn();
  t.is(grouping.choose({ key: 'a' }), before);
});
