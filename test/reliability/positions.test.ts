import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { MAX_UNSTORED, Positions } from '../../core/reliability/positions.js';
import type { Position } from '../../core/topology/definition.js';
import { holds } from '../support/property.js';

test('the position is that of the last tuple before the first incomplete one, in whatever order they complete', (t) => {
  const op = fc.oneof(
    // bursts, so that the ring of 1024 goes round and grows
    { weight: 2, arbitrary: fc.record({ emit: fc.integer({ min: 1, max: 500 }), withPosition: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ complete: fc.integer({ min: 1, max: 500 }), pick: fc.nat() }) },
  );
  holds(
    t,
    fc.property(fc.array(op, { maxLength: 25, size: 'max' }), (ops) => {
      const positions = new Positions('start');
      const emitted: { position: Position | undefined; done: boolean }[] = [];
      let head = 0;
      let expected: Position = 'start';
      const open: number[] = [];
      for (const op of ops) {
        if ('emit' in op) {
          for (let n = 0; n < op.emit; n++) {
            const position: Position | undefined = op.withPosition && n % 3 !== 1 ? { at: emitted.length } : undefined;
            assert.equal(positions.emitted(position), emitted.length);
            open.push(emitted.length);
            emitted.push({ position, done: false });
          }
          continue;
        }
        for (let n = 0; n < op.complete && open.length > 0; n++) {
          // old ones, new ones and some between
          const at = n % 3 === 0 ? 0 : (op.pick + n * 31) % open.length;
          const [number] = open.splice(at, 1);
          positions.completed(number);
          emitted[number].done = true;
          while (head < emitted.length && emitted[head].done) expected = emitted[head++].position ?? expected;
          assert.deepEqual(positions.position, expected);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('it says whether the position has changed since the owner took it', (t) => {
  const positions = new Positions(undefined);
  const [a, b, c] = [positions.emitted(1), positions.emitted(undefined), positions.emitted(3)];
  t.is(positions.position, undefined);
  positions.completed(b);
  t.false(positions.changed);
  positions.completed(a);
  t.true(positions.changed);
  t.is(positions.position, 1);
  positions.changed = false;
  positions.completed(c);
  t.true(positions.changed);
  t.is(positions.position, 3);
});

test('tuples without a position of their own do not move it', (t) => {
  const positions = new Positions('before');
  for (let n = 0; n < 3000; n++) positions.completed(positions.emitted(undefined));
  t.is(positions.position, 'before');
  t.false(positions.changed);
});

test('one slow tuple holds the position back, and the source when a million wait behind it', (t) => {
  const positions = new Positions(0);
  const slow = positions.emitted(1);
  for (let n = 2; n <= MAX_UNSTORED; n++) {
    if (n === MAX_UNSTORED) t.false(positions.full);
    positions.completed(positions.emitted(n));
  }
  t.true(positions.full);
  t.is(positions.position, 0);
  positions.completed(slow);
  t.false(positions.full);
  t.is(positions.position, MAX_UNSTORED);
});
