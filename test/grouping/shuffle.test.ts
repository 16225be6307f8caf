import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { TargetLoads } from '../../core/grouping/grouping.js';
import { ShuffleGrouping } from '../../core/grouping/shuffle.js';
import { holds } from '../support/property.js';
import { type FlowOptions, flow, sum } from './flow.js';

/** Loads and speeds that a test sets; every choice of `deal` adds to the load. */
class Loads implements TargetLoads {
  readonly loads: number[];
  readonly speeds: number[];

  constructor(loads: number[], speeds: number[] = loads.map(() => 1)) {
    this.loads = loads;
    this.speeds = speeds;
  }
  load(index: number): number {
    return this.loads[index];
  }
  speed(index: number): number {
    return this.speeds[index];
  }
  shuffle(offset = 0): ShuffleGrouping {
    return new ShuffleGrouping([...this.loads.keys()], offset, this);
  }
}

function deal(shuffle: ShuffleGrouping, tuples: number): number[] {
  return Array.from({ length: tuples }, () => shuffle.choose());
}

test("where nothing is on the way tuples are dealt in turn, one by one, from the sender's own offset on", (t) => {
  holds(
    t,
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.nat({ max: 100 }),
      fc.nat({ max: 1000 }),
      (count, offset, speed) => {
        const alike = new Loads(new Array<number>(count).fill(0), new Array<number>(count).fill(speed));
        const expected = Array.from({ length: count * 3 }, (_, n) => (offset + n) % count);
        assert.deepEqual(deal(alike.shuffle(offset), count * 3), expected);
      },
    ),
  );
});

test('the target with the shortest wait is chosen, load ÷ speed; among those alike the next in turn', (t) => {
  const target = fc.record({ load: fc.nat({ max: 5 }), speed: fc.integer({ min: 1, max: 4 }) });
  holds(
    t,
    fc.property(fc.array(target, { minLength: 2, maxLength: 12 }), fc.nat({ max: 11 }), (targets, offset) => {
      const loads = new Loads(
        targets.map(({ load }) => load),
        targets.map(({ speed }) => speed),
      );
      const waits = targets.map(({ load, speed }) => load / speed);
      let expected = offset % targets.length;
      while (waits[expected] > Math.min(...waits)) expected = (expected + 1) % targets.length;
      assert.equal(loads.shuffle(offset).choose(), expected);
    }),
    { numRuns: 300 },
  );
});

test('a target whose speed is not known yet counts as fast as the mean of the others', (t) => {
  const loads = new Loads([30, 10, 19], [30, 10, 0]);
  t.is(loads.shuffle().choose(), 2);
  loads.loads[2] = 21;
  t.is(loads.shuffle().choose(), 0);
});

test('a target without room gets nothing while another has room; where none has, they take turns', (t) => {
  const target = fc.record({
    load: fc.option(fc.nat({ max: 3000 }), { nil: Number.POSITIVE_INFINITY }),
    speed: fc.nat({ max: 2000 }),
  });
  holds(
    t,
    fc.property(fc.array(target, { minLength: 2, maxLength: 12 }), (targets) => {
      const loads = new Loads(
        targets.map(({ load }) => load),
        targets.map(({ speed }) => speed),
      );
      const shuffle = loads.shuffle();
      const first = deal(shuffle, targets.length);
      if (loads.loads.some(Number.isFinite)) assert.ok(first.every((index) => Number.isFinite(loads.loads[index])));
      else assert.deepEqual(first, [...targets.keys()]);
    }),
    { numRuns: 300 },
  );
});

test('the more is on the way, the longer the run of one target, so that batches are full', (t) => {
  const runs = [0, 10, 100, 1000, 10_000].map((load) => {
    const dealt = deal(new Loads([load, load, load]).shuffle(), 10_000);
    return dealt.findIndex((index) => index !== 0);
  });
  t.deepEqual(runs, [1, 2, 25, 250, 2500]);
});

test('a batch that leaves ends the run: the loads are looked at again', (t) => {
  const loads = new Loads([100, 100]);
  const shuffle = loads.shuffle();
  t.deepEqual(deal(shuffle, 5), [0, 0, 0, 0, 0]);
  loads.loads[0] += 5;
  t.deepEqual(deal(shuffle, 5), [0, 0, 0, 0, 0]);
  shuffle.moveOn();
  t.deepEqual(deal(shuffle, 5), [1, 1, 1, 1, 1]);
});

test('idle targets are dealt to in proportion to their speed, so that a slow one is measured again and again', (t) => {
  const dealt = deal(new Loads([0, 0, 0], [10, 100, 100]).shuffle(), 2100);
  t.deepEqual(
    [0, 1, 2].map((index) => dealt.filter((one) => one === index).length),
    [100, 1000, 1000],
  );
});

test('a burst from nothing is spread by speed before anything is confirmed', (t) => {
  const loads = new Loads([0, 0, 0, 0], [100, 1000, 1000, 1000]);
  const shuffle = loads.shuffle();
  for (let tuple = 0; tuple < 3100; tuple++) loads.loads[shuffle.choose()] += 1;
  const [slow, ...others] = loads.loads;
  // runs lift a target a quarter above the mean
  t.true(slow >= 75 && slow <= 125, `${slow}`);
  for (const other of others) t.true(other >= 750 && other <= 1250, `${other}`);
});

test('one target gets everything without anything being asked about it', (t) => {
  const unasked: TargetLoads = {
    load: () => t.fail('load asked'),
    speed: () => t.fail('speed asked'),
  } as never;
  const shuffle = new ShuffleGrouping([3], 7, unasked);
  t.is(shuffle.choose(), 3);
  shuffle.moveOn();
  t.is(shuffle.choose(), 3);
});

test('a tuple may come as soon as one of its targets has room', (t) => {
  const shuffle = new ShuffleGrouping([1, 3], 0, new Loads([0, 0, 0, 0]));
  t.true(shuffle.hasRoom((index) => index === 3));
  t.false(shuffle.hasRoom((index) => index === 0 || index === 2));
});

/** The rest runs in the model: what a sender's caps, batches and late confirmations make of the choice. */
const NETWORK = { delayMs: 0.2, emitMs: 0.001, frameMs: 0.01 } as const;
const SLOWER = 10;
/** Of its own speed that each of the others keeps, and of the speed of all together: what issue and guide promise. */
const KEPT = 0.9;
/** The slow one's share is a tenth of another's, give or take a tenth of that. */
const SHARE_TOLERANCE = 0.1;
/** Work for so long must fit under the cap, or the way there and back is what limits the speed. */
const HELD_MS = 3;

test('a task made 10 times slower gets a tenth of what each other gets, and slows none of them by more than 10 %', (t) => {
  const failures: string[] = [];
  const seen = new Set<number>();
  for (const workMs of [0.02, 0.05, 0.2, 0.5, 2, 20]) {
    for (const pending of [64, 1000, 8192]) {
      for (const senders of [1, 2, 4]) {
        for (const targets of [2, 3, 5]) {
          const work = [workMs * SLOWER, ...new Array<number>(targets - 1).fill(workMs)];
          const perMs = sum(work.map((ms) => 1 / ms));
          const heldMs = (pending * senders) / perMs;
          if (heldMs < HELD_MS) continue;
          seen.add(pending);
          // from when what was dealt before any speed was known is done
          const fromMs = heldMs + 100 * workMs;
          const spanMs = Math.max(500, 20_000 * workMs);
          const { done } = flow({ ...NETWORK, workMs: work, senders, pending, fromMs, toMs: fromMs + spanMs });
          const [slow, ...others] = done;
          const kept = Math.min(...others.map((tuples) => (tuples * workMs) / spanMs), sum(done) / perMs / spanMs);
          const share = (SLOWER * slow) / (sum(others) / others.length);
          if (kept >= KEPT && Math.abs(share - 1) <= SHARE_TOLERANCE) continue;
          failures.push(`${workMs} ms, ${pending} pending, ${senders} senders, ${targets} targets: ${kept}, ${share}`);
        }
      }
    }
  }
  t.deepEqual(failures, []);
  t.deepEqual([...seen], [64, 1000, 8192]);
});

const steady: FlowOptions = {
  ...NETWORK,
  workMs: [0.2, 0.2, 0.2],
  senders: 2,
  pending: 1000,
  fromMs: 2000,
  toMs: 4000,
};

test('tasks that are alike get alike, and all work all the time', (t) => {
  const { done } = flow(steady);
  for (const tuples of done) t.true(tuples > 9500 && tuples <= 10_100, `${tuples} of 10 000`);
});

test('a task that has become slow, and one that is quick again, get their due share within a second', (t) => {
  const slowed = flow({ ...steady, at: { ms: 1000, workMs: [2, 0.2, 0.2] } }).done;
  t.true(slowed[0] >= 900 && slowed[0] <= 1100, `${slowed[0]} of 1000`);
  for (const tuples of slowed.slice(1)) t.true(tuples >= 9000, `${tuples} of 10 000`);
  const quickened = flow({ ...steady, workMs: [2, 0.2, 0.2], at: { ms: 1000, workMs: [0.2, 0.2, 0.2] } }).done;
  for (const tuples of quickened) t.true(tuples >= 9000, `${tuples} of 10 000`);
});

test('batches stay large where there is much to send', (t) => {
  const { rows } = flow({ ...steady, workMs: [0.02, 0.02, 0.02, 0.02], senders: 1, pending: 8192 });
  t.true(rows > 100, `${rows} rows`);
});
