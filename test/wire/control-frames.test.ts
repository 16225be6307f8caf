import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { pack } from 'msgpackr';
import type { Credit } from '../../core/reliability/channel.js';
import {
  decodeAcks,
  decodeCredit,
  decodeDone,
  decodeRoots,
  encodeAcks,
  encodeCredit,
  encodeDone,
  encodeRoots,
  type FailRecord,
} from '../../core/wire/control-frames.js';
import { emptyHeader, FRAME_HEADER_BYTES, KIND_ACK, openFrame, sealFrame } from '../../core/wire/frame.js';
import { Malformed } from '../../core/wire/malformed.js';
import { holds } from '../support/property.js';
import { HASH, headerOf } from './trip.js';

const word = fc.integer({ min: 0, max: 0xffffffff });
const rows = (width: number): fc.Arbitrary<Uint32Array> =>
  fc
    .array(fc.array(word, { minLength: width, maxLength: width }), { maxLength: 50 })
    .map((rows) => Uint32Array.from(rows.flat()));
const fails: fc.Arbitrary<FailRecord[]> = fc.array(
  fc.record(
    {
      hi: word,
      lo: word,
      failure: fc.record(
        {
          reason: fc.constantFrom('failed' as const, 'worker-lost' as const, 'link-lost' as const),
          attempts: fc.nat(),
          component: fc.string(),
          task: fc.nat(),
          error: fc.record(
            { name: fc.string(), message: fc.string({ unit: 'binary' }), stack: fc.string() },
            { requiredKeys: ['name', 'message'], noNullPrototype: true },
          ),
        },
        { requiredKeys: ['reason', 'attempts'], noNullPrototype: true },
      ),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 5 },
);

test('what a task tells an acker comes out as it went in', (t) => {
  holds(
    t,
    fc.property(rows(4), rows(4), rows(2), fails, (inits, acks, forgets, fails) => {
      const records = { inits, acks, forgets, fails };
      const frame = encodeAcks(records);
      sealFrame(frame, HASH, headerOf({ kind: KIND_ACK }));
      assert.equal(openFrame(frame, HASH, emptyHeader()), undefined);
      assert.deepEqual(decodeAcks(frame), records);
    }),
    { numRuns: 200 },
  );
});

test('what an acker tells a ledger, and what a task claims, come out as they went in', (t) => {
  holds(
    t,
    fc.property(rows(2), fails, (done, fails) => {
      assert.deepEqual(decodeDone(encodeDone({ done, fails })), { done, fails });
      assert.deepEqual(decodeRoots(encodeRoots(done)), done);
    }),
    { numRuns: 200 },
  );
});

test('a part of a larger array is sent as that part', (t) => {
  const all = Uint32Array.from({ length: 20 }, (_, at) => at);
  t.deepEqual([...decodeRoots(encodeRoots(all.subarray(4, 8)))], [4, 5, 6, 7]);
});

test('the sections of one frame keep apart, however long each is', (t) => {
  const section = (words: number, seed: number): Uint32Array =>
    Uint32Array.from({ length: words }, (_, at) => at * seed);
  for (const [inits, acks, forgets] of [
    [4, 20_000, 60_000],
    [16_384, 4, 2],
    [0, 40, 200_000],
    [400_000, 4, 2],
  ]) {
    const records = { inits: section(inits, 3), acks: section(acks, 5), forgets: section(forgets, 7), fails: [] };
    t.deepEqual(decodeAcks(encodeAcks(records)), records);
  }
});

test('what was decoded does not change with the frame', (t) => {
  const frame = encodeRoots(Uint32Array.from([1, 2, 3, 4]));
  const roots = decodeRoots(frame);
  frame.fill(0xaa);
  t.deepEqual([...roots], [1, 2, 3, 4]);
});

const credit: fc.Arbitrary<Credit> = fc.record(
  {
    frame: word,
    consumed: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    failed: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    lost: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    windowRecords: word,
    windowBytes: word,
    missing: fc.array(fc.tuple(word, word), { maxLength: 16 }).map((pairs) => pairs.flat()),
  },
  { noNullPrototype: true },
);

test('a credit comes out as it went in', (t) => {
  holds(
    t,
    fc.property(credit, (credit) => {
      assert.deepEqual(decodeCredit(encodeCredit(credit)), credit);
    }),
    { numRuns: 500 },
  );
});

// ---- what no encoder wrote ---------------------------------------------------------------------------------------

test('a control frame cut short anywhere, or with bytes to spare, is refused', (t) => {
  const fails: FailRecord[] = [{ hi: 1, lo: 2, failure: { reason: 'failed', attempts: 1 } }];
  const words = Uint32Array.from({ length: 8 }, (_, at) => at);
  const frames: [Buffer, (frame: Buffer) => unknown, number][] = [
    // without its failures an ack frame is a whole one of another kind: the frame's own length tells them apart
    [encodeAcks({ inits: words, acks: words, forgets: words, fails }), decodeAcks, FRAME_HEADER_BYTES + 12 + 96],
    [encodeDone({ done: words, fails }), decodeDone, FRAME_HEADER_BYTES + 4 + 32],
    [encodeRoots(words), decodeRoots, -1],
    [
      encodeCredit({ frame: 1, consumed: 1, failed: 0, lost: 0, windowRecords: 1, windowBytes: 1, missing: [2, 3] }),
      decodeCredit,
      -1,
    ],
  ];
  for (const [frame, decode, whole] of frames) {
    t.notThrows(() => decode(frame));
    for (let length = FRAME_HEADER_BYTES; length < frame.length; length++) {
      if (length !== whole) t.throws(() => decode(frame.subarray(0, length)), { instanceOf: Malformed }, `${length}`);
    }
    t.throws(() => decode(Buffer.concat([frame, Buffer.from([0xc1])])), { instanceOf: Malformed });
  }
});

test('a number of words that is no whole number of rows is refused', (t) => {
  t.throws(() => decodeRoots(encodeRoots(Uint32Array.from([1, 2, 3]))), { instanceOf: Malformed });
  const records = { inits: Uint32Array.from([1, 2]), acks: new Uint32Array(), forgets: new Uint32Array(), fails: [] };
  t.throws(() => decodeAcks(encodeAcks(records)), { instanceOf: Malformed });
});

test('half a gap in a credit is refused', (t) => {
  const missing = [2, 3, 4];
  const frame = encodeCredit({ frame: 1, consumed: 1, failed: 0, lost: 0, windowRecords: 1, windowBytes: 1, missing });
  t.throws(() => decodeCredit(frame), { instanceOf: Malformed });
});

test('failures of another shape are refused', (t) => {
  const shapes: unknown[] = [
    null,
    7,
    'x',
    {},
    [7],
    [null],
    [[]],
    [[1]],
    [[1, 2]],
    [[1, 2, null]],
    [[1, 2, {}]],
    [[1, 2, { reason: 7 }]],
    [['1', 2, { reason: 'failed' }]],
    [[1, -1, { reason: 'failed' }]],
    [[1.5, 2, { reason: 'failed' }]],
    [[2 ** 32, 2, { reason: 'failed' }]],
    [[1, Number.NaN, { reason: 'failed' }]],
    [[1n, 2, { reason: 'failed' }]],
  ];
  for (const shape of shapes) {
    const frame = Buffer.concat([encodeRoots(new Uint32Array()), pack(shape)]);
    t.throws(
      () => decodeDone(frame),
      { instanceOf: Malformed },
      JSON.stringify(shape, (_, value: unknown) => String(value)),
    );
  }
});

test('a lie about a number of words allocates nothing', (t) => {
  const before = process.memoryUsage().arrayBuffers;
  for (const lie of [2, 4, 0x10000, 0x7ffffffe, 0xfffffffe]) {
    const roots = encodeRoots(new Uint32Array());
    roots.writeUInt32LE(lie, FRAME_HEADER_BYTES);
    t.throws(() => decodeRoots(roots), { instanceOf: Malformed });
    const credit = encodeCredit({
      frame: 1,
      consumed: 1,
      failed: 0,
      lost: 0,
      windowRecords: 1,
      windowBytes: 1,
      missing: [],
    });
    credit.writeUInt32LE(lie, FRAME_HEADER_BYTES + 36);
    t.throws(() => decodeCredit(credit), { instanceOf: Malformed });
  }
  t.true(process.memoryUsage().arrayBuffers - before < 1 << 20);
});
