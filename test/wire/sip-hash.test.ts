import test from 'ava';
import { sip, sipHash } from '../../core/wire/sip-hash.js';

const KEY = new Uint32Array(Uint8Array.from({ length: 16 }, (_, index) => index).buffer);

/** `vectors_sip64` of the reference implementation: the sum of 0, 1, … n − 1 under the key 0, 1, … 15. */
const VECTORS: readonly (readonly [length: number, sum: string])[] = [
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [7, '37d1018bf50002ab'],
  [8, '6224939a79f5f593'],
  [15, 'e545be4961ca29a1'],
  [63, '724506eb4c328a95'],
];

function sumOf(bytes: Buffer, end = bytes.length, skip = end): string {
  sipHash(KEY, bytes, end, skip);
  const sum = Buffer.alloc(8);
  sum.writeUInt32LE(sip.lo, 0);
  sum.writeUInt32LE(sip.hi, 4);
  return sum.toString('hex');
}

const counting = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => index));

test('the sums are those of the reference implementation', (t) => {
  for (const [length, sum] of VECTORS) t.is(sumOf(counting(length)), sum, `${length} bytes`);
  t.is(sumOf(counting(80), 63), VECTORS[5][1], 'what is beyond the end is no part of it');
});

test('eight bytes can be left out, whatever they hold', (t) => {
  for (const length of [8, 16, 23, 24, 25, 63]) {
    for (let skip = 0; skip < length; skip += 8) {
      const rest = counting(length);
      const whole = Buffer.concat([rest.subarray(0, skip), Buffer.alloc(8, 0xee), rest.subarray(skip)]);
      t.is(sumOf(whole, whole.length, skip), sumOf(rest), `${skip} of ${length}`);
    }
  }
});
