import test from 'ava';
import { t as type } from '../../core/topology/fields.js';
import { SEVERAL_ROOTS } from '../../core/wire/batch.js';
import { decodeBatch } from '../../core/wire/data-frame.js';
import { FRAME_HEADER_BYTES, MAX_RECORDS } from '../../core/wire/frame.js';
import type { RowLayout } from '../../core/wire/layout.js';
import { Malformed } from '../../core/wire/malformed.js';
import {
  batchOf,
  edgeOf,
  frameOf,
  layoutOf,
  lineageOf,
  overTheWire,
  type Row,
  received,
  rowsOf,
  SITE,
} from './trip.js';

const layout = layoutOf({ word: type.string, count: type.number });
const rows = [
  { word: 'the', count: 1 },
  { word: 'cow', count: -7 },
];

const decode = (frame: Buffer, count: number, of: RowLayout = layout) =>
  decodeBatch(frame, count, edgeOf(of), of, SITE);

test('a batch of every field type comes out as it went in', (t) => {
  const all = layoutOf({
    s: type.string,
    n: type.number,
    b: type.boolean,
    i: type.bigint,
    d: type.date,
    y: type.bytes,
    j: type.json(),
    a: type.any,
    o: type.nullable(type.string),
  });
  const rows: Row[] = [
    { s: '', n: 0, b: false, i: 0n, d: new Date(0), y: new Uint8Array(), j: null, a: undefined, o: null },
    {
      s: 'über 🌙',
      n: -0.5,
      b: true,
      i: -(2n ** 70n),
      d: new Date(1e12),
      y: new Uint8Array([0, 255]),
      j: { k: [1] },
      a: new Map([[1, 2]]),
      o: 'x',
    },
  ];
  t.deepEqual(overTheWire(all, rows), rows);
  t.deepEqual(overTheWire(all, []), []);
  const many = Array.from({ length: 3000 }, (_, n) => ({ ...rows[n % 2], n }));
  t.deepEqual(overTheWire(all, many), many);
});

test('ids come out as they went in, with their XOR', (t) => {
  const batch = batchOf(
    layout,
    rows,
    lineageOf({ rootHi: 7, rootLo: 8, a: 1, b: 2, c: 3, d: 4, meta: 0x102, number: 5 }),
  );
  const back = received(frameOf(batch), layout);
  t.is(back.count, 2);
  t.deepEqual([back.edgeHi(1), back.edgeLo(1)], [2, 0xfffffffe]);
  t.is(back.meta(1), 0x102);
  t.deepEqual([back.xorHi, back.xorLo], [batch.xorHi, batch.xorLo]);
  const roots: number[][] = [];
  back.forEachRoot((hi, lo) => roots.push([hi, lo]));
  t.deepEqual(roots, [[7, 8]]);
});

test('a word of a sentence takes 17 bytes beside its text and its group', (t) => {
  const words = layoutOf({ word: type.string });
  const size = (count: number): number => frameOf(batchOf(words, Array(count).fill({ word: 'moon' }))).length;
  t.is(size(101) - size(100), 17);
});

test('the bytes of a decoded batch are those of its frame', (t) => {
  const frame = frameOf(batchOf(layout, rows));
  t.is(received(frame, layout).bytes, frame.length);
});

// ---- what no encoder wrote ---------------------------------------------------------------------------------------

test('a body cut short anywhere, or with bytes to spare, is refused', (t) => {
  const frame = frameOf(batchOf(layout, rows));
  for (let length = FRAME_HEADER_BYTES; length < frame.length; length++) {
    t.throws(() => decode(frame.subarray(0, length), rows.length), { instanceOf: Malformed });
  }
  t.throws(() => decode(Buffer.concat([frame, Buffer.alloc(1)]), rows.length), { instanceOf: Malformed });
  t.deepEqual(rowsOf(decode(frame, rows.length)), rows);
});

test('a count that is not that of the rows is refused', (t) => {
  const frame = frameOf(batchOf(layout, rows));
  for (const count of [0, 1, 3, 4, 65_536, MAX_RECORDS]) {
    t.throws(() => decode(frame, count), { instanceOf: Malformed }, String(count));
  }
});

/** Bytes of typed arrays and buffers that exist now. */
const memory = (): number => process.memoryUsage().arrayBuffers;

test('a lie about a length allocates nothing: more rows, groups, text or bytes than the frame has', (t) => {
  const wide = layoutOf({ s: type.string, y: type.bytes, o: type.nullable(type.bytes), j: type.json() });
  const frame = frameOf(batchOf(wide, [{ s: 'x', y: new Uint8Array(1), o: null, j: 1 }]));
  const groupsAt = FRAME_HEADER_BYTES;
  const before = memory();
  let refused = 0;
  for (const count of [2, 1000, 65_536, 65_537, MAX_RECORDS]) {
    t.throws(() => decode(frame, count, wide), { instanceOf: Malformed });
    refused += 1;
  }
  // every word of the body in turn says four billion, and what is near the edges of signed numbers
  for (let at = groupsAt; at + 4 <= frame.length; at++) {
    for (const lie of [0xffffffff, 0x80000000, 0x7fffffff, 0x10000, 0xffff]) {
      const copy = Buffer.from(frame);
      copy.writeUInt32LE(lie, at);
      try {
        decode(copy, 1, wide);
      } catch (error) {
        t.true(error instanceof Malformed, `word at ${at}: ${String(error)}`);
        refused += 1;
      }
    }
  }
  t.true(refused > 100);
  t.true(memory() - before < 8 << 20, `${memory() - before} bytes were allocated`);
});

test('a row of a group that is not there is refused', (t) => {
  const frame = frameOf(batchOf(layout, rows));
  const rowAt = FRAME_HEADER_BYTES + 8 + 32;
  frame.writeUInt32LE(1 << 16, rowAt + 8);
  t.throws(() => decode(frame, rows.length), { instanceOf: Malformed, message: /group/ });
});

test('several roots that are not there, or none of several, are refused', (t) => {
  const several = Uint32Array.of(1, 2, 3, 4);
  const lineage = lineageOf({ rootHi: SEVERAL_ROOTS, roots: several });
  const good = frameOf(batchOf(layout, rows, lineage));
  t.deepEqual([...decode(Buffer.from(good), rows.length).severalRootsAt(0)], [1, 2, 3, 4]);
  const groupAt = FRAME_HEADER_BYTES + 8;
  const countAt = groupAt + 32 + rows.length * 12;
  for (const [at, lie] of [
    [groupAt + 4, 5],
    [groupAt + 4, 0xffffffff],
    [countAt, 3],
    [countAt, 0xffffffff],
  ]) {
    const frame = Buffer.from(good);
    frame.writeUInt32LE(lie, at);
    t.throws(() => decode(frame, rows.length), { instanceOf: Malformed }, `${lie} at ${at}`);
  }
});

test('text whose lengths do not add up, and digits that are none, are refused', (t) => {
  const texts = layoutOf({ s: type.string });
  const frame = frameOf(batchOf(texts, [{ s: 'abc' }, { s: 'de' }]));
  const lengthsAt = frame.length - 7;
  for (const [first, second] of [
    [2, 2],
    [3, 3],
    [0, 0],
    [5, 1],
    [255, 2],
  ]) {
    frame[lengthsAt] = first;
    frame[lengthsAt + 1] = second;
    t.throws(() => decode(frame, 2, texts), { instanceOf: Malformed });
  }
  const numbers = layoutOf({ i: type.bigint });
  for (const digits of ['g', 'F', ' ', '-', '.', '\0']) {
    const frame = frameOf(batchOf(numbers, [{ i: 5n }]));
    frame.write(digits, frame.length - 1, 'latin1');
    t.throws(() => decode(frame, 1, numbers), { instanceOf: Malformed }, digits);
  }
});

test('a form that the column does not have is refused', (t) => {
  const frame = frameOf(batchOf(layout, rows));
  const formAt = FRAME_HEADER_BYTES + 8 + 32 + 2 * 12;
  for (const form of [0, 3, 5, 6, 7]) {
    frame[formAt] = form;
    t.throws(() => decode(frame, rows.length), { instanceOf: Malformed });
  }
});
