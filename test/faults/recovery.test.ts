import test from 'ava';
import { recoveryOf, type Sample } from './recovery.js';

/** A sample each 10 ms; `rate` per second at each moment. */
function samples(from: number, to: number, rate: (at: number) => number): Sample[] {
  const made: Sample[] = [{ at: from, completed: 0 }];
  for (let at = from + 10; at <= to; at += 10) {
    made.push({ at, completed: (made.at(-1) as Sample).completed + rate(at) / 100 });
  }
  return made;
}

test('full rate is back at the end of the first bucket that has 90 % of the 5 s before', (t) => {
  const rate = (at: number) => (at <= 6000 ? 1000 : at <= 6700 ? 0 : at <= 7500 ? 850 : 950);
  const { before, buckets, lowest, backAfterMs } = recoveryOf([samples(0, 12_000, rate)], 6000, 12_000);
  t.is(Math.round(before), 1000);
  t.deepEqual(buckets.slice(0, 8).map(Math.round), [0, 0, 170, 850, 850, 850, 950, 950]);
  t.is(lowest, 0);
  t.is(backAfterMs, 1750);
});

test('a fault without effect, and one that nothing comes back from', (t) => {
  t.is(recoveryOf([samples(0, 9000, () => 500)], 6000, 9000).backAfterMs, 0);
  t.is(recoveryOf([samples(0, 9000, (at) => (at <= 6000 ? 500 : 400))], 6000, 9000).backAfterMs, undefined);
});

test('an effect that begins within the first second counts from the fault', (t) => {
  const rate = (at: number) => (at > 6250 && at <= 7000 ? 10 : 1000);
  t.is(recoveryOf([samples(0, 9000, rate)], 6000, 9000).backAfterMs, 1250);
});

test('what a killed spout had completed stays completed, and its successor counts from zero', (t) => {
  const incarnations = [samples(0, 6000, () => 1000), samples(6600, 9000, () => 1000)];
  const { before, buckets, backAfterMs } = recoveryOf(incarnations, 6000, 9000);
  t.is(Math.round(before), 1000);
  t.deepEqual(buckets.slice(0, 4).map(Math.round), [0, 0, 600, 1000]);
  t.is(backAfterMs, 1000);
});
