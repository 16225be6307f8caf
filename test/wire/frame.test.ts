import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import {
  emptyHeader,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  KIND_ACK,
  KIND_CREDIT,
  KIND_DATA,
  KIND_DONE,
  KIND_EVERYONE,
  KIND_RENEW,
  MAX_RECORDS,
  openFrame,
  sealFrame,
} from '../../core/wire/frame.js';
import { holds } from '../support/property.js';
import { HASH, headerOf } from './trip.js';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const header: fc.Arbitrary<FrameHeader> = fc.record(
  {
    kind: fc.integer({ min: 0, max: 255 }),
    sender: u16,
    receiver: u16,
    senderEpoch: u32,
    receiverEpoch: u32,
    frame: u32,
    xorHi: u32,
    xorLo: u32,
    total: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    edge: u16,
    flags: u16,
    count: fc.nat({ max: MAX_RECORDS }),
  },
  { noNullPrototype: true },
);

function sealed(of: FrameHeader, body: Uint8Array = new Uint8Array(), hash = HASH): Buffer {
  const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES, 0xcc), body]);
  sealFrame(frame, hash, of);
  return frame;
}

test('a header comes out as it went in, whatever body follows', (t) => {
  holds(
    t,
    fc.property(header, fc.uint8Array(), u32, (given, body, hash) => {
      const frame = sealed(given, body, hash);
      const back = emptyHeader();
      assert.equal(openFrame(frame, hash, back), undefined);
      assert.deepEqual(back, given);
      assert.deepEqual([...frame.subarray(FRAME_HEADER_BYTES)], [...body]);
    }),
    { numRuns: 500 },
  );
});

test('the halves of the XOR may be signed when they are sealed', (t) => {
  const back = emptyHeader();
  openFrame(sealed(headerOf({ xorHi: -1, xorLo: -2 })), HASH, back);
  t.deepEqual([back.xorHi, back.xorLo], [0xffffffff, 0xfffffffe]);
});

test('the layout of the header is pinned: another release reads it, or says that it cannot', (t) => {
  const given: FrameHeader = {
    kind: 1,
    sender: 2,
    receiver: 3,
    senderEpoch: 4,
    receiverEpoch: 5,
    frame: 6,
    xorHi: 0x0a0b0c0d,
    xorLo: 0x01020304,
    total: 7,
    edge: 8,
    flags: 1,
    count: 9,
  };
  t.is(sealed(given, new Uint8Array([0xff])).toString('hex'), GOLDEN);
});
const GOLDEN =
  '53710201051c26cfefbeadde41000000020003000400000005000000060000000d0c0b0a040302010000000000001c4008000100090000009d17a4726234e1cbff';

test('each kind of damage has its cause', (t) => {
  const damage: Record<string, (frame: Buffer) => Buffer> = {
    truncated: (frame) => frame.subarray(0, FRAME_HEADER_BYTES - 1),
    magic: (frame) => frame.fill(0, 0, 2),
    version: (frame) => frame.fill(1, 2, 3),
    length: (frame) => frame.subarray(0, frame.length - 1),
    foreign: (frame) => frame.fill(0, 8, 12),
    checksum: (frame) => frame.fill(0, frame.length - 1),
    forged: (frame) => frame.fill(0, FRAME_HEADER_BYTES - 1, FRAME_HEADER_BYTES),
  };
  for (const [cause, spoil] of Object.entries(damage)) {
    const frame = sealed(headerOf(), new Uint8Array([1, 2, 3]));
    t.is(openFrame(frame, HASH, emptyHeader()), undefined);
    t.is(openFrame(spoil(frame), HASH, emptyHeader()), cause as never);
  }
  t.is(openFrame(Buffer.alloc(0), HASH, emptyHeader()), 'truncated');
  t.is(openFrame(Buffer.concat([sealed(headerOf()), Buffer.alloc(1)]), HASH, emptyHeader()), 'length');
});

test('a count of records that no frame holds is a lie', (t) => {
  t.is(openFrame(sealed(headerOf({ count: MAX_RECORDS })), HASH, emptyHeader()), undefined);
  t.is(openFrame(sealed(headerOf({ count: MAX_RECORDS + 1 })), HASH, emptyHeader()), 'malformed');
  t.is(openFrame(sealed(headerOf({ count: 0xffffffff })), HASH, emptyHeader()), 'malformed');
});

test('a frame of another topology is foreign, also when it is whole', (t) => {
  t.is(openFrame(sealed(headerOf(), new Uint8Array(5), HASH + 1), HASH, emptyHeader()), 'foreign');
});

test('any single bit that changes on the way is noticed', (t) => {
  const frame = sealed(headerOf({ frame: 77, total: 5, count: 2 }), new Uint8Array([1, 2, 3, 4, 5]));
  for (let bit = 0; bit < frame.length * 8; bit++) {
    frame[bit >>> 3] ^= 1 << (bit & 7);
    const refused = openFrame(frame, HASH, emptyHeader());
    t.truthy(refused, `bit ${bit}`);
    frame[bit >>> 3] ^= 1 << (bit & 7);
  }
});

test('the checksum is the CRC-32 of everything behind it but the keyed sum, begun with the kind in front of it', (t) => {
  const frame = sealed(headerOf({ kind: 5 }), new Uint8Array([9]));
  t.is(frame.readUInt32LE(4), crc32(Buffer.concat([frame.subarray(8, 56), frame.subarray(64)]), 5));
});

test('without the key nobody makes a frame, or a letter of another body, that passes', (t) => {
  const key = Uint32Array.of(1, 2, 3, 4);
  for (const kind of [KIND_DATA, KIND_ACK, KIND_DONE, KIND_RENEW, KIND_CREDIT, KIND_EVERYONE]) {
    const frame = sealed(headerOf({ kind }), new Uint8Array([1, 2, 3]));
    t.is(openFrame(frame, HASH, emptyHeader(), key), 'forged');
    sealFrame(frame, HASH, headerOf({ kind }), key);
    t.is(openFrame(frame, HASH, emptyHeader(), key), undefined);
    t.is(openFrame(frame, HASH, emptyHeader(), Uint32Array.of(1, 2, 3, 5)), 'forged');
    t.is(openFrame(frame, HASH, emptyHeader()), 'forged');
    const sum = Buffer.from(frame.subarray(56, 64));
    // another body with a CRC that fits, under the sum that was heard
    const altered = sealed(headerOf({ kind }), new Uint8Array([3, 2, 1]));
    sum.copy(altered, 56);
    t.is(openFrame(altered, HASH, emptyHeader(), key), 'forged');
  }
});
