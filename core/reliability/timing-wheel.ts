/**
 * A timing wheel over numbered slots (Varghese & Lauck 1987, scheme 4): buckets of T/8 as intrusive lists in typed
 * arrays; adding, moving and removing take constant time. A slot expires between T and 1.125 T after it was added.
 * Time is an argument, monotonic, in milliseconds.
 */
const PARTS = 8;
/** PARTS whole buckets must pass, and the one being filled and the one being emptied are different ones. */
const BUCKETS = PARTS + 2;
const NONE = -1;

export class TimingWheel {
  readonly bucketMs: number;
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  /** bucket a slot is in; 0xff for none */
  #bucket = new Uint8Array(0);
  readonly #heads = new Int32Array(BUCKETS).fill(NONE);
  /** number of the bucket that is being filled, counted from the start of time */
  #current: number;

  constructor(timeoutMs: number, now: number) {
    this.bucketMs = timeoutMs / PARTS;
    this.#current = Math.floor(now / this.bucketMs);
  }

  /** Makes room for slots 0 … slots − 1. */
  grow(slots: number): void {
    const grown = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const into = new Int32Array(slots);
      into.set(from);
      return into;
    };
    const bucket = new Uint8Array(slots).fill(0xff);
    bucket.set(this.#bucket);
    this.#next = grown(this.#next);
    this.#previous = grown(this.#previous);
    this.#bucket = bucket;
  }

  /** Starts the slot's time at the newest bucket; `now` is the time of the last `advance`, or that bucket is older. */
  add(slot: number): void {
    const bucket = this.#current % BUCKETS;
    const head = this.#heads[bucket];
    this.#bucket[slot] = bucket;
    this.#next[slot] = head;
    this.#previous[slot] = NONE;
    if (head !== NONE) this.#previous[head] = slot;
    this.#heads[bucket] = slot;
  }

  remove(slot: number): void {
    const bucket = this.#bucket[slot];
    if (bucket === 0xff) return;
    const next = this.#next[slot];
    const previous = this.#previous[slot];
    if (previous === NONE) this.#heads[bucket] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.#bucket[slot] = 0xff;
  }

  /** The slot's time starts again. */
  renew(slot: number): void {
    this.remove(slot);
    this.add(slot);
  }

  /** Turns the wheel to `now`; calls `expire` for each slot whose time is over, which is out of the wheel by then. */
  advance(now: number, expire: (slot: number) => void): void {
    const until = Math.floor(now / this.bucketMs);
    // after a long standstill every bucket is over; turning further would only find them empty
    if (until - this.#current > BUCKETS) this.#current = until - BUCKETS;
    while (this.#current < until) {
      this.#current += 1;
      // current − PARTS − 1 was filled in [t, t + T/8) and T has passed since its end
      const bucket = (this.#current - PARTS - 1 + BUCKETS) % BUCKETS;
      // one by one from the head: `expire` may remove other slots of this bucket
      for (let slot = this.#heads[bucket]; slot !== NONE; slot = this.#heads[bucket]) {
        this.remove(slot);
        expire(slot);
      }
    }
  }
}
