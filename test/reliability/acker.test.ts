import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { Acker } from '../../core/reliability/acker.js';
import { MAX_GENERATION, rootHi, rootLo, rootText } from '../../core/tuple/root-ids.js';
import { holds } from '../support/property.js';

interface Root {
  readonly hi: number;
  readonly lo: number;
}

const rootOf = (slot: number, generation = 1, epoch = 1, task = 1): Root => ({
  hi: rootHi(task, epoch, generation),
  lo: rootLo(slot, generation),
});

function ackerOf(ackers = 1) {
  const done: string[] = [];
  const acker = new Acker(ackers, { done: (hi, lo) => done.push(rootText(hi, lo)) });
  return {
    acker,
    done,
    init: ({ hi, lo }: Root, xorHi: number, xorLo: number) => acker.init(hi, lo, xorHi, xorLo),
    ack: ({ hi, lo }: Root, xorHi: number, xorLo: number) => acker.ack(hi, lo, xorHi, xorLo),
    fail: ({ hi, lo }: Root) => acker.fail(hi, lo),
    forget: ({ hi, lo }: Root) => acker.forget(hi, lo),
  };
}

const none = { done: 0, failed: 0, late: 0, stale: 0, abandoned: 0 };

test('a tree of one edge is complete when that edge is acked, and then takes no room', (t) => {
  const { acker, done, init, ack } = ackerOf();
  init(rootOf(7), 1, 2);
  t.is(acker.open, 1);
  t.deepEqual(done, []);
  ack(rootOf(7), 1, 2);
  t.deepEqual(done, ['1.1:7#1']);
  t.is(acker.open, 0);
});

test('zero without INIT is no completion: an ack that cancels another only waits', (t) => {
  const { acker, done, init, ack } = ackerOf();
  ack(rootOf(0), 5, 5);
  ack(rootOf(0), 5, 5);
  t.deepEqual(done, []);
  t.is(acker.open, 1);
  init(rootOf(0), 0, 0);
  t.deepEqual(done, ['1.1:0#1']);
});

test('both halves must be zero', (t) => {
  for (const [hi, lo] of [
    [1, 0],
    [0, 1],
    [0x80000000, 0],
    [0, 0xffffffff],
  ]) {
    const { done, init, ack } = ackerOf();
    init(rootOf(0), 0xdeadbeef, 0xcafebabe);
    ack(rootOf(0), (0xdeadbeef ^ hi) >>> 0, (0xcafebabe ^ lo) >>> 0);
    t.deepEqual(done, []);
    ack(rootOf(0), hi, lo);
    t.is(done.length, 1);
  }
});

test('DONE is said once, whatever still comes for the root, and that is counted as late', (t) => {
  const { acker, done, init, ack, fail, forget } = ackerOf();
  init(rootOf(0), 1, 1);
  ack(rootOf(0), 1, 1);
  ack(rootOf(0), 9, 9);
  ack(rootOf(0), 9, 9);
  init(rootOf(0), 0, 0);
  t.false(fail(rootOf(0)));
  forget(rootOf(0));
  t.is(done.length, 1);
  t.deepEqual(acker.counts, { ...none, done: 1, late: 5 });
  t.is(acker.open, 0);
});

test('FAIL is to be told at once and once, also when it comes before INIT', (t) => {
  const { acker, done, init, ack, fail } = ackerOf();
  init(rootOf(0), 1, 1);
  t.true(fail(rootOf(0)));
  t.false(fail(rootOf(0)));
  t.true(fail(rootOf(1)));
  init(rootOf(1), 2, 2);
  ack(rootOf(1), 2, 2);
  ack(rootOf(0), 1, 1);
  t.deepEqual(done, []);
  t.deepEqual(acker.counts, { ...none, failed: 2, late: 4 });
  t.is(acker.open, 0);
});

test('FORGET frees a root, also one of which nothing had come yet', (t) => {
  const { acker, done, init, ack, forget } = ackerOf();
  init(rootOf(0), 1, 1);
  forget(rootOf(0));
  forget(rootOf(1));
  t.is(acker.open, 0);
  ack(rootOf(0), 1, 1);
  init(rootOf(1), 1, 1);
  ack(rootOf(1), 1, 1);
  t.deepEqual(done, []);
  t.is(acker.counts.late, 3);
});

test('the next generation of a slot replaces what was open there; the old one is late from then on', (t) => {
  const { acker, done, init, ack } = ackerOf();
  init(rootOf(3, 8), 1, 1);
  init(rootOf(3, 9), 2, 2);
  t.is(acker.open, 1);
  ack(rootOf(3, 8), 1, 1);
  t.deepEqual(done, []);
  ack(rootOf(3, 9), 2, 2);
  t.deepEqual(done, ['1.1:3#9']);
  t.deepEqual(acker.counts, { ...none, done: 1, late: 1, abandoned: 1 });
});

test('generations go round: the first after the last is the later one', (t) => {
  const { acker, done, init, ack } = ackerOf();
  init(rootOf(3, MAX_GENERATION), 1, 1);
  ack(rootOf(3, MAX_GENERATION), 1, 1);
  init(rootOf(3, 0), 1, 1);
  ack(rootOf(3, MAX_GENERATION), 1, 1);
  ack(rootOf(3, 0), 1, 1);
  t.deepEqual(done, [`1.1:3#${MAX_GENERATION}`, '1.1:3#0']);
  t.is(acker.counts.late, 1);
});

test('messages for an incarnation of a spout that has ended are counted and dropped', (t) => {
  const { acker, done, init, ack, fail } = ackerOf();
  init(rootOf(0, 1, 2), 1, 1);
  init(rootOf(5, 1, 1), 1, 1);
  ack(rootOf(5, 1, 1), 1, 1);
  t.false(fail(rootOf(6, 1, 1)));
  t.deepEqual(done, []);
  t.deepEqual(acker.counts, { ...none, stale: 3 });
  ack(rootOf(0, 1, 2), 1, 1);
  t.deepEqual(done, ['1.2:0#1']);
});

test('a later incarnation of a spout frees all that the earlier one had open, by its first message or by the word that it is there', (t) => {
  for (const announced of [true, false]) {
    const { acker, done, init, ack } = ackerOf();
    for (let slot = 0; slot < 10; slot++) init(rootOf(slot, 1, 1023), 1, 1);
    init(rootOf(0, 1, 7, 2), 1, 1);
    t.is(acker.open, 11);
    // 1024 is epoch 0 of the circle
    if (announced) acker.epochOf(1, 1024);
    else init(rootOf(0, 1, 1024), 1, 1);
    t.is(acker.open, announced ? 1 : 2);
    t.is(acker.counts.abandoned, 10);
    ack(rootOf(0, 1, 1023), 1, 1);
    t.deepEqual(done, []);
    t.is(acker.counts.stale, 1);
    // an announcement of the past changes nothing
    acker.epochOf(1, 1023);
    acker.epochOf(2, 7);
    ack(rootOf(0, 1, 7, 2), 1, 1);
    t.deepEqual(done, ['2.7:0#1']);
  }
});

test('roots of different spouts with the same slot and generation have nothing to do with each other', (t) => {
  const { done, init, ack } = ackerOf();
  init(rootOf(0, 1, 1, 1), 1, 1);
  init(rootOf(0, 1, 1, 4095), 2, 2);
  ack(rootOf(0, 1, 1, 4095), 1, 1);
  t.deepEqual(done, []);
  ack(rootOf(0, 1, 1, 4095), 3, 3);
  t.deepEqual(done, ['4095.1:0#1']);
});

test('the table grows to any slot and keeps what was open', (t) => {
  const { acker, done, init, ack } = ackerOf();
  const slots = [0, 1023, 1024, 1025, 70_000, (1 << 20) - 1];
  for (const slot of slots) init(rootOf(slot, 4), slot + 1, 1);
  t.is(acker.open, slots.length);
  for (const slot of slots) ack(rootOf(slot, 4), slot + 1, 1);
  t.deepEqual(
    done,
    slots.map((slot) => `1.1:${slot}#4`),
  );
});

test('each of several ackers keeps its own share of the slots apart', (t) => {
  for (const ackers of [2, 3, 5]) {
    for (let index = 0; index < ackers; index++) {
      const { done, init, ack } = ackerOf(ackers);
      const slots = Array.from({ length: 3000 }, (_, row) => row * ackers + index);
      for (const slot of slots) init(rootOf(slot), slot + 1, slot + 1);
      for (const slot of slots.toReversed()) ack(rootOf(slot), slot + 1, slot + 1);
      t.deepEqual(
        done,
        slots.toReversed().map((slot) => `1.1:${slot}#1`),
      );
    }
  }
});

test('acks of a root merged into one record, in any grouping, complete the tree as the single ones do', (t) => {
  const word = fc.integer({ min: 1, max: 0xffffffff });
  const acks = fc.array(fc.tuple(word, word, fc.nat({ max: 4 })), { minLength: 1, maxLength: 30, size: 'max' });
  holds(
    t,
    fc.property(acks, (acks) => {
      const { done, init, ack } = ackerOf();
      const merged = new Map<number, [number, number]>();
      const all: [number, number] = [0, 0];
      for (const [hi, lo, flush] of acks) {
        const record = merged.get(flush) ?? [0, 0];
        merged.set(flush, [record[0] ^ hi, record[1] ^ lo]);
        all[0] ^= hi;
        all[1] ^= lo;
      }
      init(rootOf(0), all[0] >>> 0, all[1] >>> 0);
      // already complete where the acks cancel each other
      const expected = [...merged.values()].filter(([hi, lo]) => hi !== 0 || lo !== 0);
      fc.pre(expected.length > 0 && (all[0] !== 0 || all[1] !== 0));
      for (const [number, [hi, lo]] of [...merged.values()].entries()) {
        ack(rootOf(0), hi >>> 0, lo >>> 0);
        if (number < merged.size - 1 && done.length > 0) fc.pre(false);
      }
      assert.deepEqual(done, ['1.1:0#1']);
    }),
  );
});
