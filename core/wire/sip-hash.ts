/**
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) with 64 bits of result: who does not know
 * the key cannot make a frame that passes for ours, however many he has heard. Words of 64 bits are pairs of 32.
 */

/** Four words: k0 low, k0 high, k1 low, k1 high. */
export type SipKey = Uint32Array;

/** Where nobody else can speak: in one process. */
export const OPEN_KEY: SipKey = new Uint32Array(4);

/** Low and high half of the result of the last call: an object for each would cost more than the sum. */
export const sip = { lo: 0, hi: 0 };

/**
 * Puts the sum of `bytes` up to `end` into `sip`; the 8 bytes at `skip`, a multiple of 8, are not part of it (at `end` or
 * beyond: all are).
 */
export function sipHash(key: SipKey, bytes: Buffer, end: number, skip: number): void {
  let v0l = key[0] ^ 0x70736575;
  let v0h = key[1] ^ 0x736f6d65;
  let v1l = key[2] ^ 0x6e646f6d;
  let v1h = key[3] ^ 0x646f7261;
  let v2l = key[0] ^ 0x6e657261;
  let v2h = key[1] ^ 0x6c796765;
  let v3l = key[2] ^ 0x79746573;
  let v3h = key[3] ^ 0x74656462;
  const length = skip < end ? end - 8 : end;
  const last = end - (length & 7);
  let rounds = 0;
  let at = 0;
  let stage = 0;
  let ml = 0;
  let mh = 0;
  let t = 0;
  for (;;) {
    if (rounds === 0) {
      // after the message of the last rounds, and before the next
      v0l ^= ml;
      v0h ^= mh;
      if (at === skip && at < last) at += 8;
      if (at < last) {
        ml = word(bytes, at);
        mh = word(bytes, at + 4);
        at += 8;
        rounds = 2;
      } else if (stage === 0) {
        stage = 1;
        ml = 0;
        mh = (length & 0xff) << 24;
        for (let index = 0; last + index < end; index++) {
          if (index < 4) ml |= bytes[last + index] << (8 * index);
          else mh |= bytes[last + index] << (8 * (index - 4));
        }
        rounds = 2;
      } else if (stage === 1) {
        stage = 2;
        ml = 0;
        mh = 0;
        v2l ^= 0xff;
        rounds = 4;
      } else {
        break;
      }
      v3l ^= ml;
      v3h ^= mh;
    }
    rounds -= 1;
    // v0 += v1; v1 = v1 <<< 13 ^ v0; v0 <<<= 32
    t = (v0l >>> 0) + (v1l >>> 0);
    v0h = (v0h + v1h + (t > 0xffffffff ? 1 : 0)) | 0;
    v0l = t | 0;
    t = (v1l << 13) | (v1h >>> 19);
    v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
    v1l = t ^ v0l;
    t = v0l;
    v0l = v0h;
    v0h = t;
    // v2 += v3; v3 = v3 <<< 16 ^ v2
    t = (v2l >>> 0) + (v3l >>> 0);
    v2h = (v2h + v3h + (t > 0xffffffff ? 1 : 0)) | 0;
    v2l = t | 0;
    t = (v3l << 16) | (v3h >>> 16);
    v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
    v3l = t ^ v2l;
    // v0 += v3; v3 = v3 <<< 21 ^ v0
    t = (v0l >>> 0) + (v3l >>> 0);
    v0h = (v0h + v3h + (t > 0xffffffff ? 1 : 0)) | 0;
    v0l = t | 0;
    t = (v3l << 21) | (v3h >>> 11);
    v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
    v3l = t ^ v0l;
    // v2 += v1; v1 = v1 <<< 17 ^ v2; v2 <<<= 32
    t = (v2l >>> 0) + (v1l >>> 0);
    v2h = (v2h + v1h + (t > 0xffffffff ? 1 : 0)) | 0;
    v2l = t | 0;
    t = (v1l << 17) | (v1h >>> 15);
    v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
    v1l = t ^ v2l;
    t = v2l;
    v2l = v2h;
    v2h = t;
  }
  sip.lo = (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
  sip.hi = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
}

/** Buffer's own reader checks its arguments each time. */
function word(bytes: Buffer, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
