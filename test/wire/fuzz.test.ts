import test from 'ava';
import { t as type } from '../../core/topology/fields.js';
import {
  decodeAcks,
  decodeCredit,
  decodeDone,
  decodeRoots,
  encodeAcks,
  encodeCredit,
  encodeDone,
  encodeRoots,
} from '../../core/wire/control-frames.js';
import { decodeBatch } from '../../core/wire/data-frame.js';
import { emptyHeader, FRAME_HEADER_BYTES, openFrame, sealFrame } from '../../core/wire/frame.js';
import { Malformed } from '../../core/wire/malformed.js';
import { batchOf, edgeOf, frameOf, HASH, headerOf, layoutOf, rowsOf, SITE } from './trip.js';

/** A new seed each time; SQUALL_FUZZ_SEED repeats a run. */
const SEED = Number(process.env.SQUALL_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
const CASES = 50_000;

function seeded(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const layout = layoutOf({
  s: type.string,
  n: type.number,
  b: type.boolean,
  i: type.bigint,
  d: type.date,
  y: type.bytes,
  j: type.json(),
  o: type.nullable(type.string),
});
const row = {
  s: 'über',
  n: 0.5,
  b: true,
  i: -5n,
  d: new Date(5),
  y: new Uint8Array([1, 2]),
  j: { k: [1, 'x', new Map([[1, 2]])] },
  o: null,
};
const words = Uint32Array.from({ length: 8 }, (_, at) => at * 0x01010101);
const fails = [
  { hi: 1, lo: 2, failure: { reason: 'failed' as const, attempts: 1, error: { name: 'Error', message: 'no' } } },
];

interface Kind {
  readonly frame: Buffer;
  readonly decode: (frame: Buffer, count: number) => unknown;
}

function decodeRows(frame: Buffer, count: number): unknown {
  const batch = decodeBatch(frame, count, edgeOf(layout), layout, SITE);
  // nested values are unpacked when they are read: that may fail, in its own execute, but not crash or hang
  try {
    return rowsOf(batch);
  } catch (error) {
    if (!(error instanceof Error)) throw new Error(`threw ${String(error)}`);
    return undefined;
  }
}

const KINDS: readonly Kind[] = [
  { frame: frameOf(batchOf(layout, [row, { ...row, s: 'plain', o: 'x', n: 1 }, row])), decode: decodeRows },
  {
    frame: frameOf(batchOf(layoutOf({}), [{}])),
    decode: (frame, count) => decodeBatch(frame, count, edgeOf(layoutOf({})), layoutOf({}), SITE),
  },
  { frame: sealedOf(encodeAcks({ inits: words, acks: words, forgets: words, fails })), decode: decodeAcks },
  { frame: sealedOf(encodeDone({ done: words, fails })), decode: decodeDone },
  { frame: sealedOf(encodeRoots(words)), decode: decodeRoots },
  {
    frame: sealedOf(
      encodeCredit({ frame: 1, consumed: 2, failed: 3, lost: 4, windowRecords: 5, windowBytes: 6, missing: [7, 8] }),
    ),
    decode: decodeCredit,
  },
];

function sealedOf(frame: Buffer): Buffer {
  sealFrame(frame, HASH, headerOf({ count: 3 }));
  return frame;
}

/** One to eight changes: bits, bytes, words, a cut, a tail, a piece of itself elsewhere; nothing before `from`. */
function spoiled(frame: Buffer, random: (below: number) => number, from: number): Buffer {
  let copy: Buffer = Buffer.from(frame);
  for (let changes = 1 + random(8); changes > 0; changes--) {
    if (copy.length <= from) return copy;
    const at = from + random(copy.length - from);
    switch (random(7)) {
      case 0:
        copy[at] ^= 1 << random(8);
        break;
      case 1:
        copy[at] = random(256);
        break;
      case 2:
        copy[at] = [0, 1, 0x7f, 0x80, 0xff, 0xc1, 0xd4, 0xdd][random(8)];
        break;
      case 3:
        if (at + 4 <= copy.length) copy.writeUInt32LE([0, 1, 0xffff, 0x10000, 0x7fffffff, 0xffffffff][random(6)], at);
        break;
      case 4:
        copy = copy.subarray(0, at);
        break;
      case 5:
        copy = Buffer.concat([copy, Buffer.alloc(1 + random(40), random(256))]);
        break;
      case 6:
        copy.copy(copy, at, from + random(copy.length - from));
        break;
    }
  }
  return copy;
}

test(`${CASES} spoiled frames and as many random bytes are refused with a cause, or are whole`, (t) => {
  const random = seeded(SEED);
  const header = emptyHeader();
  const causes = new Map<string, number>();
  for (let number = 0; number < CASES; number++) {
    const { frame, decode } = KINDS[number % KINDS.length];
    const bytes =
      number % 8 === 7
        ? Buffer.from(Array.from({ length: random(200) }, () => random(256)))
        : spoiled(frame, random, 0);
    const cause = openFrame(bytes, HASH, header);
    causes.set(cause ?? 'whole', (causes.get(cause ?? 'whole') ?? 0) + 1);
    // changes that undo each other leave it whole; nothing else passes the checksum
    if (cause === undefined && !bytes.equals(frame))
      t.fail(`case ${number} of seed ${SEED} passed: ${bytes.toString('hex')}`);
    if (cause === undefined) decode(bytes, header.count);
  }
  for (const cause of ['truncated', 'magic', 'version', 'length', 'checksum', 'foreign'])
    t.true((causes.get(cause) ?? 0) > 0, cause);
  t.true((causes.get('whole') ?? 0) < CASES / 20);
});

test(`${CASES} spoiled bodies under a right checksum are refused as malformed, or read as what they say`, (t) => {
  const random = seeded(SEED ^ 0x5bd1e995);
  const header = emptyHeader();
  const before = process.memoryUsage().arrayBuffers;
  let malformed = 0;
  for (let number = 0; number < CASES; number++) {
    const { frame, decode } = KINDS[number % KINDS.length];
    const bytes = spoiled(frame, random, FRAME_HEADER_BYTES);
    openFrame(frame, HASH, header);
    if (random(4) === 0) header.count = [0, 1, 2, 100, 65_536, 1 << 20][random(6)];
    sealFrame(bytes, HASH, header);
    if (openFrame(bytes, HASH, header) !== undefined) t.fail(`case ${number} of seed ${SEED} was not opened`);
    try {
      decode(bytes, header.count);
    } catch (error) {
      if (!(error instanceof Malformed))
        t.fail(`case ${number} of seed ${SEED} threw ${String(error)}: ${bytes.toString('hex')}`);
      malformed += 1;
    }
  }
  t.true(malformed > CASES / 4);
  t.is(({} as Record<string, unknown>).k, undefined);
  t.deepEqual(Object.keys(Object.prototype), []);
  // a length that was believed would be megabytes
  t.true(process.memoryUsage().arrayBuffers - before < 32 << 20);
});
