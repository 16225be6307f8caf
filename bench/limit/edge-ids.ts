import { randomFillSync } from 'node:crypto';

/** 64 KiB of randomness at a time: large enough that the system call disappears, small enough to stay in cache. */
const POOL_WORDS = 16_384;
const pool = new Uint32Array(POOL_WORDS);
let next = POOL_WORDS;

/** One random half of an edge id. An id is two of them; the pair 0, 0 has a chance of 2⁻⁶⁴ and is not looked for here. */
export function randomHalf(): number {
  if (next === POOL_WORDS) {
    randomFillSync(pool);
    next = 0;
  }
  return pool[next++];
}
