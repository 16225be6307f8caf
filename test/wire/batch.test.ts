import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { t as type } from '../../core/topology/fields.js';
import { StableId } from '../../core/tuple/stable-ids.js';
import {
  Batch,
  type Lineage,
  metaAttempt,
  metaOf,
  metaReason,
  newStamp,
  SEVERAL_ROOTS,
} from '../../core/wire/batch.js';
import { holds } from '../support/property.js';
import { batchOf, edgeOf, frameOf, layoutOf, lineageOf, received, rowsOf, SITE } from './trip.js';

const layout = layoutOf({ n: type.number });

interface Sent {
  /** all of them, one behind the other; none: untracked */
  readonly roots: readonly number[];
  readonly parent: readonly [number, number, number, number];
  readonly meta: number;
  readonly number: number;
  readonly edge: readonly [number, number];
}

/** What a batch says of its rows, the slow way round. */
function idsOf(batch: Batch): Sent[] {
  return Array.from({ length: batch.count }, (_, row) => {
    const at = batch.groupAt(row);
    const [, , a, b, c, d] = batch.groups.subarray(at, at + 6);
    const roots: number[] = [];
    batch.forEachRootAt(at, (hi, lo) => roots.push(hi, lo));
    const number = batch.groups[at + 7] + (batch.rows[row * 3 + 2] & 0xffff);
    return {
      roots,
      parent: [a, b, c, d],
      meta: batch.meta(row),
      number,
      edge: [batch.edgeHi(row), batch.edgeLo(row)],
    };
  });
}

const word = fc.integer({ min: 0, max: 0xffffffff });
/** SEVERAL_ROOTS is no half of a root, and a root that is not there is (0, 0). */
const rootHi = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xfffffffe }), fc.constant(SEVERAL_ROOTS));
const lineage = fc.record({
  rootHi,
  several: fc.array(fc.tuple(fc.integer({ min: 1, max: 0xfffffffe }), word), { minLength: 2, maxLength: 9 }),
  rootLo: word,
  a: word,
  b: word,
  c: word,
  d: word,
  meta: fc.integer({ min: 0, max: 0x7ff }),
  number: fc.integer({ min: 0, max: 0xffffffff }),
});
/** Executes: each with a lineage and what its emits skip (rows that went to other tasks), some far apart. */
const executes = fc.array(
  fc.record({
    lineage,
    emits: fc.array(
      fc.record({
        skip: fc.oneof(fc.nat({ max: 3 }), fc.integer({ min: 60_000, max: 140_000 })),
        edge: fc.tuple(word, word),
      }),
      { maxLength: 12 },
    ),
  }),
  { maxLength: 60, size: 'max' },
);

test('each row keeps its edge, its root, its parent, its emit number and its attempt, however rows share them', (t) => {
  holds(
    t,
    fc.property(executes, (executes) => {
      const batch = new Batch(edgeOf(layout), layout, SITE);
      const expected: Sent[] = [];
      const ids: string[] = [];
      const id = new StableId();
      let xorHi = 0;
      let xorLo = 0;
      for (const { lineage, emits } of executes) {
        const { rootHi, rootLo, several, a, b, c, d, meta } = lineage;
        const pairs = several.flat();
        const roots = rootHi === SEVERAL_ROOTS ? pairs : rootHi === 0 ? [] : [rootHi, rootLo];
        const current: Lineage = lineageOf({
          ...lineage,
          roots: Uint32Array.from(pairs),
          number: lineage.number % 1_000_000,
        });
        for (const { skip, edge } of emits) {
          current.number += skip;
          layout.push(batch.columns, { n: expected.length });
          batch.add(current, edge[0], edge[1]);
          expected.push({ roots, parent: [a, b, c, d], meta, number: current.number, edge });
          id.child(a, b, c, d, SITE, current.number);
          ids.push(id.toString());
          xorHi ^= edge[0];
          xorLo ^= edge[1];
          current.number += 1;
        }
      }
      const arrived = received(frameOf(keeping(batch)), layout);
      for (const one of [batch, arrived]) {
        assert.deepEqual(idsOf(one), expected);
        assert.deepEqual(
          expected.map((_, row) => one.stableId(row, id).toString()),
          ids,
        );
        assert.deepEqual([one.xorHi, one.xorLo], [xorHi, xorLo]);
        const visited = new Set<string>();
        one.forEachRoot((hi, lo) => visited.add(`${hi} ${lo}`));
        assert.deepEqual(visited, new Set(expected.flatMap(({ roots }) => pairsOf(roots))));
        // a row on its own says the same of itself
        for (let row = 0; row < expected.length; row += 7) {
          const alone = one.only(row);
          assert.deepEqual(idsOf(alone), [{ ...expected[row], number: expected[row].number }]);
          assert.equal(alone.stableId(0, id).toString(), ids[row]);
        }
      }
      assert.deepEqual(
        rowsOf(arrived).map(({ n }) => n),
        expected.map((_, at) => at),
      );
    }),
    { numRuns: 200 },
  );
});

const pairsOf = (roots: readonly number[]): string[] =>
  roots.flatMap((word, at) => (at % 2 === 0 ? [`${word} ${roots[at + 1]}`] : []));

/** Encoding lets go of values that nobody keeps. */
function keeping(batch: Batch): Batch {
  batch.kept = true;
  return batch;
}

test('the emits of one execute share one group, as long as their numbers are near', (t) => {
  const batch = new Batch(edgeOf(layout), layout, SITE);
  const one = lineageOf({ rootHi: 1, number: 10 });
  for (const number of [10, 11, 300, 10 + 0xffff]) batch.add(Object.assign(one, { number }), 1, 1);
  t.is(batch.groupCount, 1);
  batch.add(Object.assign(one, { number: 11 + 0xffff }), 1, 1);
  t.is(batch.groupCount, 2);
  batch.add(Object.assign(one, { stamp: newStamp() }), 1, 1);
  t.is(batch.groupCount, 3);
});

test('as many groups as rows fit into a batch of the greatest size', (t) => {
  const batch = new Batch(edgeOf(layoutOf({})), layoutOf({}), SITE);
  for (let row = 0; row < 65_536; row++) batch.add(lineageOf({ rootHi: row + 1, rootLo: row, number: row }), row, 1);
  t.is(batch.groupCount, 65_536);
  const arrived = received(frameOf(batch), layoutOf({}));
  for (const row of [0, 1, 32_768, 65_535]) {
    const [{ roots, number, edge }] = [idsOf(arrived)[row]];
    t.deepEqual([roots, number, edge], [[row + 1, row], row, [row, 1]]);
  }
});

test('an untracked tuple has no root to visit', (t) => {
  const batch = batchOf(layout, [{ n: 1 }], lineageOf());
  batch.forEachRoot(() => t.fail());
  t.is(batch.count, 1);
});

test('values that a ledger keeps stay after they were sent, others are let go', (t) => {
  const kept = batchOf(layout, [{ n: 1 }]);
  kept.kept = true;
  frameOf(kept);
  t.deepEqual(rowsOf(kept), [{ n: 1 }]);
  const sent = batchOf(layout, [{ n: 1 }]);
  frameOf(sent);
  t.deepEqual(sent.columns, []);
  t.is(sent.edgeHi(0), 1);
});

test('attempt and reason share a word: attempts up to 255, any more count as 255', (t) => {
  for (let reason = 0; reason < 8; reason++) {
    for (const attempt of [1, 2, 254, 255, 256, 100_000]) {
      const meta = metaOf(attempt, reason);
      t.is(metaAttempt(meta), Math.min(attempt, 255));
      t.is(metaReason(meta), reason);
    }
  }
});
