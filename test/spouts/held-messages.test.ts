import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { PulledMessage } from '../../core/transport/consumer.js';
import { HeldMessages } from '../../spouts/held-messages.js';
import { holds } from '../support/property.js';

/** A delivery that notes what becomes of it. */
function pulled(seq: number, said: string[] = [], deliveries = 1, bytes = 1): PulledMessage {
  return {
    seq,
    subject: 's',
    data: new Uint8Array(bytes),
    timeMs: 0,
    deliveries,
    delivery: {
      ack: () => void said.push(`ack ${seq}/${deliveries}`),
      nak: (delayMs) => void said.push(`nak ${seq}/${deliveries} ${delayMs}`),
      working: () => void said.push(`working ${seq}/${deliveries}`),
      term: () => void said.push(`term ${seq}/${deliveries}`),
    },
  };
}

test('a message that comes again while it is held is not emitted twice, and its last delivery is acked', (t) => {
  const said: string[] = [];
  const held = new HeldMessages();
  t.is(held.arrived(pulled(1, said), 0), 'new');
  t.is(held.arrived(pulled(1, said, 2), 0), 'held');
  t.is(held.take()?.seq, 1);
  t.is(held.arrived(pulled(1, said, 3), 0), 'held');
  t.is(held.take(), undefined);
  held.ack(1);
  t.deepEqual(said, ['ack 1/3']);
  t.is(held.size, 0);
});

test('one that comes again after it was settled is settled again, in the same way', (t) => {
  const said: string[] = [];
  const held = new HeldMessages();
  for (const seq of [1, 2, 3]) held.arrived(pulled(seq, said), 0);
  held.ack(1);
  held.term(2);
  held.nak(3, 40);
  t.deepEqual(said.splice(0), ['ack 1/1', 'term 2/1', 'nak 3/1 40']);
  t.is(held.arrived(pulled(1, said, 2), 0), 'settled');
  t.is(held.arrived(pulled(2, said, 2), 0), 'settled');
  t.is(held.arrived(pulled(3, said, 2), 0), 'new', 'what was given back is new');
  t.deepEqual(said, ['ack 1/2', 'term 2/2']);
});

test('when the link is back, what was settled is said again and what is held is renewed', (t) => {
  const said: string[] = [];
  const held = new HeldMessages();
  for (const seq of [1, 2, 3]) held.arrived(pulled(seq, said), 0);
  held.ack(1);
  held.term(2);
  said.length = 0;
  held.repeat(10);
  t.deepEqual(said, ['ack 1/1', 'term 2/1', 'working 3/1']);
});

test('only what nobody has renewed for the time is renewed', (t) => {
  const said: string[] = [];
  const held = new HeldMessages();
  held.arrived(pulled(1, said), 0);
  held.arrived(pulled(2, said), 300);
  held.renew(500, 500);
  t.deepEqual(said.splice(0), ['working 1/1']);
  held.renew(800, 500);
  t.deepEqual(said, ['working 2/1']);
});

test('memory of what was settled is bounded, and reaches back 32 768 messages at least', (t) => {
  const held = new HeldMessages();
  const count = 200_000;
  for (let seq = 1; seq <= count; seq++) {
    held.arrived(pulled(seq), 0);
    held.take();
    held.ack(seq);
  }
  t.is(held.arrived(pulled(count - 32_768, [], 2), 0), 'settled');
  t.is(held.arrived(pulled(count - 70_000, [], 2), 0), 'new');
});

test('any order of arrivals and ends: each message is emitted once until it is given back, none is forgotten, sizes are true', (t) => {
  const action = fc.record({
    what: fc.constantFrom('arrive', 'arrive', 'take', 'ack', 'term', 'nak', 'giveBack'),
    seq: fc.integer({ min: 1, max: 8 }),
  });
  holds(
    t,
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const held = new HeldMessages();
      const waiting: number[] = [];
      const open = new Set<number>();
      const over = new Set<number>();
      for (const { what, seq } of actions) {
        if (what === 'arrive') {
          const expected = over.has(seq) ? 'settled' : open.has(seq) || waiting.includes(seq) ? 'held' : 'new';
          assert.equal(held.arrived(pulled(seq, [], 1, seq), 0), expected);
          if (expected === 'new') waiting.push(seq);
        } else if (what === 'take') {
          const next = waiting.shift();
          assert.equal(held.take()?.seq, next);
          if (next !== undefined) open.add(next);
        } else if (what === 'giveBack') {
          held.giveBack();
          waiting.length = 0;
          open.clear();
        } else if (open.delete(seq)) {
          // a spout settles what it has emitted, and nothing else
          if (what === 'nak') held.nak(seq, 0);
          else over.add(seq);
          if (what === 'ack') held.ack(seq);
          if (what === 'term') held.term(seq);
        }
        assert.equal(held.waiting, waiting.length);
        assert.equal(held.size, waiting.length + open.size);
        assert.equal(
          held.waitingBytes,
          waiting.reduce((sum, bytes) => sum + bytes, 0),
        );
      }
    }),
  );
});
