import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { holds } from '../support/property.js';
import { OPERATIONS, type Operation, type Tree, World } from './world.js';

/** Up to 4 children and 4 levels; chains, stars and what is between. */
const { tree } = fc.letrec<{ tree: Tree; leaf: Tree }>((tie) => ({
  leaf: fc.constant({ children: [] }),
  tree: fc.record({
    children: fc.array(fc.oneof({ maxDepth: 3, withCrossShrink: true }, tie('leaf'), tie('tree')), { maxLength: 4 }),
  }),
}));

const operations = (kinds: readonly Operation['kind'][]): fc.Arbitrary<Operation[]> =>
  fc.array(fc.record({ kind: fc.constantFrom(...kinds), pick: fc.nat({ max: 10_000 }) }), {
    maxLength: 300,
    size: 'max',
  });

/** mulberry32: multiplies and adds, so it is not linear over GF(2). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

const world = fc.record({
  ackers: fc.integer({ min: 1, max: 3 }),
  trees: fc.array(tree, { minLength: 1, maxLength: 4, size: 'max' }),
  seed: fc.integer(),
  operations: operations(OPERATIONS),
});

test('messages in any order, lost, late and doubled, deaths of all kinds: a true completion, a replay or a dead letter, never a false completion', (t) => {
  const seen = new Set<string>();
  holds(
    t,
    fc.property(world, ({ ackers, trees, seed, operations }) => {
      const world = new World(ackers, trees, seeded(seed));
      for (const operation of operations) world.do(operation);
      // and nothing is pending for ever once the network is fair
      world.settle();
      for (const what of world.seen) seen.add(what);
    }),
    { numRuns: 1000 },
  );
  // the property must have met everything that it is about
  const expected = [
    'complete',
    'complete after a replay',
    'out of attempts',
    'quarantined',
    'merged acks',
    'replay: failed',
    'replay: timeout',
    'replay: worker-lost',
    'replay: link-lost',
    'replay: acker-lost',
    ...['bolt', 'acker', 'ledger'].flatMap((to) => [`lost to ${to}`, `duplicate to ${to}`]),
  ];
  t.deepEqual(
    expected.filter((what) => !seen.has(what)),
    [],
  );
});

test('on a fair network every tuple is complete with its first attempt', (t) => {
  const calm: readonly Operation['kind'][] = ['emit', 'deliver', 'deliver the oldest', 'flush', 'double'];
  holds(
    t,
    fc.property(
      fc.array(tree, { minLength: 1, maxLength: 4 }),
      operations(calm),
      fc.integer(),
      (trees, operations, seed) => {
        const world = new World(2, trees, seeded(seed));
        for (const operation of operations) world.do(operation);
        world.settle();
        for (const { state, attempts } of world.emits) assert.deepEqual([state, attempts.length], ['acked', 1]);
      },
    ),
    { numRuns: 200 },
  );
});

test('a network that loses everything for a while loses no tuple', (t) => {
  const wild: readonly Operation['kind'][] = [
    'emit',
    'emit',
    'lose',
    'lose',
    'lose',
    'lose',
    'deliver',
    'acker restarts',
    'bolt dies',
  ];
  holds(
    t,
    fc.property(
      fc.array(tree, { minLength: 1, maxLength: 4 }),
      operations(wild),
      fc.integer(),
      (trees, operations, seed) => {
        const world = new World(2, trees, seeded(seed));
        for (const operation of operations) world.do(operation);
        world.settle();
        for (const { state } of world.emits) assert.equal(state, 'acked');
      },
    ),
    { numRuns: 200 },
  );
});
