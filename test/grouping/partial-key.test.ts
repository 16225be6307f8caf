import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { FieldsGrouping } from '../../core/grouping/fields.js';
import { PartialKeyGrouping } from '../../core/grouping/partial-key.js';
import { holds } from '../support/property.js';

/** Tasks that a key is ever sent to, from whatever senders, whatever they sent before. */
function tasksOf(targets: number, values: Record<string, unknown>, keys: readonly string[] = ['key']): number[] {
  const sender = new PartialKeyGrouping(targets, keys);
  const tasks = new Set<number>();
  for (let n = 0; n < 50; n++) tasks.add(sender.choose(values));
  return [...tasks].sort((a, b) => a - b);
}

test('equal values of the keys meet in two tasks at most, the same ones for every sender, whatever it sent before', (t) => {
  const key = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.bigInt(), fc.constant(null), fc.jsonValue());
  holds(
    t,
    fc.property(
      fc.integer({ min: 1, max: 64 }),
      fc.array(key, { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer(), { maxLength: 200 }),
      (targets, values, before) => {
        const names = values.map((_, at) => `k${at}`);
        const tuple = Object.fromEntries(names.map((name, at): [string, unknown] => [name, values[at]]));
        const tasks = tasksOf(targets, tuple, names);
        assert.equal(tasks.length, Math.min(2, targets));
        const sender = new PartialKeyGrouping(targets, names);
        for (const other of before) sender.choose({ [names[0]]: other });
        for (let n = 0; n < 10; n++) assert.ok(tasks.includes(sender.choose(structuredClone(tuple))));
      },
    ),
    { numRuns: 200 },
  );
});

test('the two tasks of a key are pinned: another release, another process and another run choose them too', (t) => {
  const words = ['the', 'cow', 'jumped', 'over', 'moon'];
  t.deepEqual(
    words.map((word) => tasksOf(16, { key: word })),
    GOLDEN_WORDS,
  );
  t.deepEqual(
    [0, 1, 2].map((n) => tasksOf(16, { key: n })),
    GOLDEN_NUMBERS,
  );
});
const GOLDEN_WORDS = [
  [9, 15],
  [0, 1],
  [12, 13],
  [7, 12],
  [2, 15],
];
const GOLDEN_NUMBERS = [
  [2, 11],
  [5, 10],
  [1, 11],
];

test('of its two tasks a key goes to the one that this sender has used less', (t) => {
  holds(
    t,
    fc.property(fc.integer({ min: 2, max: 16 }), fc.array(fc.nat({ max: 20 }), { maxLength: 300 }), (targets, keys) => {
      const sender = new PartialKeyGrouping(targets, ['key']);
      const used = new Array<number>(targets).fill(0);
      for (const key of keys) {
        const pair = tasksOf(targets, { key });
        const chosen = sender.choose({ key });
        assert.equal(used[chosen], Math.min(...pair.map((task) => used[task])));
        used[chosen] += 1;
      }
    }),
  );
});

test('a key that makes up a third of the tuples burdens no task with more than its share of all, where fields does', (t) => {
  const targets = 5;
  const count = (choose: (values: Record<string, unknown>) => number): number => {
    const used = new Array<number>(targets).fill(0);
    for (let n = 0; n < 30_000; n++) used[choose({ key: n % 3 === 0 ? 'the' : `word-${n}` })] += 1;
    return Math.max(...used);
  };
  const partial = new PartialKeyGrouping(targets, ['key']);
  const fields = new FieldsGrouping(targets, ['key']);
  const mean = 30_000 / targets;
  t.true(count((values) => partial.choose(values)) < mean * 1.05);
  t.true(count((values) => fields.choose(values)) > mean * 2);
});

test('one task gets everything without its values being looked at', (t) => {
  const values = {
    get key(): never {
      throw new Error('read');
    },
  };
  t.is(new PartialKeyGrouping(1, ['key']).choose(values), 0);
});
