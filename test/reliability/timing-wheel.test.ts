import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { TimingWheel } from '../../core/reliability/timing-wheel.js';
import { holds } from '../support/property.js';

const T = 800;
const SLOTS = 12;

function wheelOf(now = 0, timeoutMs = T): TimingWheel {
  const wheel = new TimingWheel(timeoutMs, now);
  wheel.grow(SLOTS);
  return wheel;
}

function expired(wheel: TimingWheel, now: number): number[] {
  const slots: number[] = [];
  wheel.advance(now, (slot) => slots.push(slot));
  return slots.sort((a, b) => a - b);
}

/** What happens when a slot expires: nothing, it starts again, or another one is taken out or starts again. */
const reaction = fc.constantFrom('nothing', 'renew', 'remove other', 'renew other', 'add other');
const slot = fc.nat({ max: SLOTS - 1 });
/** up to a bucket, up to a turn of the wheel, or a standstill of several turns */
const step = fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 1200 }), fc.nat({ max: 6000 }));
const op = fc.oneof(
  fc.record({ kind: fc.constantFrom('start' as const, 'remove' as const), slot }),
  fc.record({ kind: fc.constant('pass' as const), step }),
  fc.record({
    kind: fc.constant('advance' as const),
    step,
    reactions: fc.array(fc.tuple(reaction, slot), { maxLength: 6 }),
  }),
);

test('a slot expires once, after more than T and by the first advance from 1.125 T on, whatever is added, renewed or removed meanwhile', (t) => {
  holds(
    t,
    fc.property(
      fc.array(op, { maxLength: 80, size: 'max' }),
      fc.nat({ max: 5000 }),
      fc.constantFrom(T, 8, 1000, 333),
      (ops, start, timeoutMs) => {
        const wheel = wheelOf(start, timeoutMs);
        const scale = timeoutMs / T;
        const startedAt = new Map<number, number>();
        let now = start;
        const begin = (slot: number): void => {
          if (startedAt.has(slot)) wheel.renew(slot, now);
          else wheel.add(slot, now);
          startedAt.set(slot, now);
        };
        const remove = (slot: number): void => {
          wheel.remove(slot);
          startedAt.delete(slot);
        };
        for (const op of ops) {
          if (op.kind === 'start') begin(op.slot);
          else if (op.kind === 'remove') remove(op.slot);
          if (!('step' in op)) continue;
          now += op.step * scale;
          if (op.kind !== 'advance') continue;
          const reactions = [...op.reactions];
          wheel.advance(now, (slot) => {
            const at = startedAt.get(slot);
            if (at === undefined) throw new Error(`slot ${slot} expired but was not in the wheel`);
            assert.ok(now - at > timeoutMs - 1e-6, `slot ${slot} expired after ${now - at}`);
            startedAt.delete(slot);
            const [what, other] = reactions.pop() ?? ['nothing', 0];
            if (what === 'renew') begin(slot);
            else if (what === 'remove other') remove(other);
            else if (what === 'renew other' && startedAt.has(other)) begin(other);
            else if (what === 'add other') begin(other);
          });
          for (const [slot, at] of startedAt) {
            assert.ok(now - at < timeoutMs * 1.125 + 1e-6, `slot ${slot} is in the wheel after ${now - at}`);
          }
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('a slot is over between T and 1.125 T, to the bucket', (t) => {
  for (let at = 0; at < 100; at += 7) {
    const wheel = wheelOf();
    wheel.add(3, at);
    t.deepEqual(expired(wheel, T), []);
    t.deepEqual(expired(wheel, T + 99), []);
    t.deepEqual(expired(wheel, T + 100), [3]);
    t.deepEqual(expired(wheel, 10 * T), []);
  }
});

test('renewing starts the time again', (t) => {
  const wheel = wheelOf();
  wheel.add(0, 0);
  wheel.add(1, 0);
  for (let now = 100; now <= 5 * T; now += 100) {
    t.deepEqual(expired(wheel, now), now === 900 ? [1] : []);
    wheel.renew(0, now);
  }
  t.deepEqual(expired(wheel, 5 * T + 900), [0]);
});

test('after a standstill of any length every slot that is over expires, once', (t) => {
  for (let standstill = 900; standstill < 5000; standstill += 50) {
    const wheel = wheelOf();
    for (let slot = 0; slot < 8; slot++) {
      t.deepEqual(expired(wheel, slot * 100), []);
      wheel.add(slot, slot * 100);
    }
    const now = 700 + standstill;
    const over = [0, 1, 2, 3, 4, 5, 6, 7].filter((slot) => Math.floor(now / 100) >= slot + 9);
    t.deepEqual(expired(wheel, now), over);
    t.deepEqual(expired(wheel, now + 5000).length, 8 - over.length);
  }
});

test('a slot that starts again while it expires has all of its time, also when the wheel had stood still', (t) => {
  for (let standstill = 900; standstill < 5000; standstill += 50) {
    const wheel = wheelOf();
    wheel.add(0, 0);
    let expirations = 0;
    wheel.advance(standstill, (slot) => {
      expirations += 1;
      wheel.add(slot, standstill);
    });
    t.is(expirations, 1);
    t.deepEqual(expired(wheel, standstill + T), []);
    t.deepEqual(expired(wheel, standstill + T + 100), [0]);
  }
});

test('a slot that starts while the wheel stands still is not over when it turns again', (t) => {
  for (let lag = 0; lag < 5000; lag += 50) {
    const wheel = wheelOf();
    wheel.add(0, lag);
    t.deepEqual(expired(wheel, lag + T), []);
    t.deepEqual(expired(wheel, lag + T + 100), [0]);
  }
});

test('a slot that was taken out while another expires does not expire', (t) => {
  const wheel = wheelOf();
  for (const slot of [0, 1, 2, 3]) wheel.add(slot, 0);
  const order: number[] = [];
  wheel.advance(900, (slot) => {
    order.push(slot);
    for (const other of [0, 1, 2, 3]) if (other !== slot) wheel.remove(other);
  });
  t.is(order.length, 1);
});

test('taking out a slot that is in no bucket does nothing', (t) => {
  const wheel = wheelOf();
  wheel.add(1, 0);
  wheel.remove(0);
  wheel.remove(0);
  t.deepEqual(expired(wheel, 900), [1]);
  wheel.remove(1);
  t.deepEqual(expired(wheel, 2000), []);
});

test('growing keeps what is in the wheel', (t) => {
  const wheel = wheelOf();
  for (const slot of [0, 5, 11]) wheel.add(slot, 0);
  wheel.grow(100);
  wheel.add(99, 0);
  wheel.remove(5);
  t.deepEqual(expired(wheel, 900), [0, 11, 99]);
});
