/**
 * A root names one attempt to process one spout tuple to the end. It is structured, so that a message about it can be
 * judged in O(1) without a table of all roots ever used:
 *
 *     hi = task:12 | epoch:10 | generation, upper 10 bits
 *     lo = slot:20 | generation, lower 12 bits
 *
 * Widths: 4095 tasks that start trees; 1023 live incarnations of one (compared modulo 1024; a restart takes > 100 ms,
 * so a message would have to be over 100 s old and its task restarted 1024 times meanwhile to be mistaken); 1 048 576
 * attempts alive at once; 22 bits of generation. Slots are reused oldest first from a pool of at least 16 384 (small
 * enough for a processor's cache), so the same root comes back after 16 384 × 2²² = 6.9 × 10¹⁰ attempts: 19 hours at a
 * million tuples a second, and only one slot's worth of messages from then would be mistaken.
 *
 * (0, 0) is no root: an untracked tuple carries it. Tasks are numbered from 1, so no real root is (0, 0).
 */
export const MAX_TASKS = 0xfff;
export const MAX_SLOTS = 1 << 20;
export const MIN_SLOTS = 1 << 14;
export const MAX_GENERATION = (1 << 22) - 1;
const EPOCH_MASK = 0x3ff;

export function rootHi(task: number, epoch: number, generation: number): number {
  return ((task << 20) | ((epoch & EPOCH_MASK) << 10) | (generation >>> 12)) >>> 0;
}

export function rootLo(slot: number, generation: number): number {
  return ((slot << 12) | (generation & 0xfff)) >>> 0;
}

export function rootTask(hi: number): number {
  return hi >>> 20;
}

/** the epoch modulo 1024 */
export function rootEpoch(hi: number): number {
  return (hi >>> 10) & EPOCH_MASK;
}

export function rootSlot(lo: number): number {
  return lo >>> 12;
}

export function rootGeneration(hi: number, lo: number): number {
  return ((hi & 0x3ff) << 12) | (lo & 0xfff);
}

export function sameEpoch(carried: number, epoch: number): boolean {
  return carried === (epoch & EPOCH_MASK);
}

/** Is `carried` (10 bits) a later incarnation than `epoch`, on the shorter way round the circle? */
export function laterEpoch(carried: number, epoch: number): boolean {
  const ahead = (carried - epoch) & EPOCH_MASK;
  return ahead !== 0 && ahead < 512;
}

/** Is generation `a` later than `b`, on the shorter way round the circle? */
export function laterGeneration(a: number, b: number): boolean {
  const ahead = (a - b) & MAX_GENERATION;
  return ahead !== 0 && ahead < MAX_GENERATION >>> 1;
}

/** The acker of a root: consecutive slots go round the ackers, so each has an even share and a dense table. */
export function ackerOf(lo: number, ackers: number): number {
  return ackers === 1 ? 0 : (lo >>> 12) % ackers;
}

/** `1.2:77#3` = task 1, epoch 2, slot 77, generation 3: for people. */
export function rootText(hi: number, lo: number): string {
  return `${rootTask(hi)}.${rootEpoch(hi)}:${rootSlot(lo)}#${rootGeneration(hi, lo)}`;
}
