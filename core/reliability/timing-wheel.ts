/**
 * A timing wheel over numbered slots (Varghese & Lauck 1987, scheme 4): buckets of T/8 as intrusive lists in typed
 * arrays; adding, moving and removing take constant time. A slot expires between T and 1.125 T after it was added:
 * later where `advance` is called late, never earlier. Time is an argument, monotonic, in milliseconds.
 */
const PARTS = 8;
/** PARTS whole buckets must pass after the one that is being filled. */
const BUCKETS = PARTS + 1;
/** one list more: what `advance` has found */
const OVER = BUCKETS;
const NONE = -1;

export class TimingWheel {
  readonly bucketMs: number;
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  /** list a slot is in; 0xff for none */
  #list = new Uint8Array(0);
  /** number of the bucket in which the slot's time started */
  #started = new Float64Array(0);
  readonly #heads = new Int32Array(BUCKETS + 1).fill(NONE);
  /** number of the bucket at the last `advance`, counted from the start of time */
  #current: number;

  constructor(timeoutMs: number, now: number) {
    this.bucketMs = timeoutMs / PARTS;
    this.#current = Math.floor(now / this.bucketMs);
  }

  /** Makes room for slots 0 … slots − 1. */
  grow(slots: number): void {
    this.#next = copied(this.#next, new Int32Array(slots));
    this.#previous = copied(this.#previous, new Int32Array(slots));
    this.#started = copied(this.#started, new Float64Array(slots));
    this.#list = copied(this.#list, new Uint8Array(slots).fill(0xff));
  }

  /** Starts the time of a slot that is in no bucket. */
  add(slot: number, now: number): void {
    this.#started[slot] = Math.floor(now / this.bucketMs);
    // where the last advance was long ago that is too early a bucket: `advance` looks again
    this.#link(slot, this.#current % BUCKETS);
  }

  remove(slot: number): void {
    const list = this.#list[slot];
    if (list === 0xff) return;
    const next = this.#next[slot];
    const previous = this.#previous[slot];
    if (previous === NONE) this.#heads[list] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.#list[slot] = 0xff;
  }

  /** The slot's time starts again. */
  renew(slot: number, now: number): void {
    this.remove(slot);
    this.add(slot, now);
  }

  /** Turns the wheel to `now`; calls `expire` for each slot whose time is over, which is out of the wheel by then. */
  advance(now: number, expire: (slot: number) => void): void {
    const current = Math.floor(now / this.bucketMs);
    if (current <= this.#current) return;
    // what started PARTS + 1 buckets ago did so before the end of its bucket, and T has passed since then; after a long
    // standstill that is every bucket, once
    const steps = Math.min(current - this.#current, BUCKETS);
    for (let step = 0; step < steps; step++) this.#collect((current - PARTS - 1 - step + 2 * BUCKETS) % BUCKETS);
    this.#current = current;
    // one by one from the head: `expire` may take others out, and add to the newest bucket
    for (let slot = this.#heads[OVER]; slot !== NONE; slot = this.#heads[OVER]) {
      this.remove(slot);
      const started = this.#started[slot];
      if (started >= current - PARTS) this.#link(slot, started % BUCKETS);
      else expire(slot);
    }
  }

  #collect(bucket: number): void {
    for (let slot = this.#heads[bucket]; slot !== NONE; slot = this.#heads[bucket]) {
      this.remove(slot);
      this.#link(slot, OVER);
    }
  }

  #link(slot: number, list: number): void {
    const head = this.#heads[list];
    this.#list[slot] = list;
    this.#next[slot] = head;
    this.#previous[slot] = NONE;
    if (head !== NONE) this.#previous[head] = slot;
    this.#heads[list] = slot;
  }
}

function copied<A extends { set(from: A): void }>(from: A, into: A): A {
  into.set(from);
  return into;
}
