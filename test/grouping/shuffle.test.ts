import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { ShuffleGrouping } from '../../core/grouping/shuffle.js';
import { holds } from '../support/property.js';

test('a batch is filled before another task is chosen', (t) => {
  const shuffle = new ShuffleGrouping(3, 1);
  t.deepEqual(
    Array.from({ length: 5 }, () => shuffle.choose()),
    [1, 1, 1, 1, 1],
  );
});

test("with equal room it goes round: each task gets every n-th batch, from the sender's own offset on", (t) => {
  holds(
    t,
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.nat({ max: 100 }),
      fc.integer({ min: -5, max: 5 }),
      (targets, offset, room) => {
        const shuffle = new ShuffleGrouping(targets, offset);
        for (let batch = 0; batch < targets * 3; batch++) {
          assert.equal(shuffle.choose(), (offset + batch) % targets);
          shuffle.moveOn(() => room);
        }
      },
    ),
  );
});

test('it goes to a task with the most room, and among those to the next in turn', (t) => {
  holds(
    t,
    fc.property(
      fc.array(fc.integer({ min: -3, max: 10 }), { minLength: 2, maxLength: 12 }),
      fc.nat({ max: 11 }),
      (rooms, start) => {
        const shuffle = new ShuffleGrouping(rooms.length, start);
        shuffle.moveOn((index) => rooms[index]);
        const most = Math.max(...rooms);
        let expected = start % rooms.length;
        do expected = (expected + 1) % rooms.length;
        while (rooms[expected] !== most);
        assert.equal(shuffle.choose(), expected);
      },
    ),
    { numRuns: 300 },
  );
});

test('a task that is full is left out while another has room, and served again when it has', (t) => {
  const shuffle = new ShuffleGrouping(3, 0);
  const rooms = [10, 0, 10];
  const chosen = Array.from({ length: 6 }, () => {
    shuffle.moveOn((index) => rooms[index]);
    return shuffle.choose();
  });
  t.deepEqual(chosen, [2, 0, 2, 0, 2, 0]);
  rooms[1] = 11;
  shuffle.moveOn((index) => rooms[index]);
  t.is(shuffle.choose(), 1);
});

test('the load follows the room: a task that confirms twice as fast gets about twice as many batches', (t) => {
  const shuffle = new ShuffleGrouping(2, 0);
  const window = 100;
  const inFlight = [0, 0];
  const sent = [0, 0];
  for (let step = 0; step < 30_000; step++) {
    if (step % 3 === 0) inFlight[0] = Math.max(0, inFlight[0] - 1);
    if (step % 3 !== 0) inFlight[1] = Math.max(0, inFlight[1] - 1);
    if (window - inFlight[shuffle.choose()] > 0) {
      inFlight[shuffle.choose()] += 1;
      sent[shuffle.choose()] += 1;
    }
    shuffle.moveOn((index) => window - inFlight[index]);
  }
  const ratio = sent[1] / sent[0];
  t.true(ratio > 1.9 && ratio < 2.1, `${sent[1]} to ${sent[0]}`);
});

test('a tuple may leave as soon as one task has room', (t) => {
  t.false(new ShuffleGrouping(2, 0).needsEvery);
});
