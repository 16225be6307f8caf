/**
 * Edge ids: 64 random bits as two unsigned 32-bit halves, from a pool that a strong generator fills. Never from
 * `Math.random` or an xorshift: those are linear over GF(2), and fixed sets of their outputs always XOR to zero, which
 * the acker would take for a completed tree. (0, 0) is never an edge id: it would be an edge that cannot be missed.
 */
export class EdgeIds {
  /** halves of the id that `next()` chose */
  hi = 0;
  lo = 0;

  readonly #pool: Uint32Array;
  readonly #fill: (pool: Uint32Array) => void;
  #at: number;

  /** `fill` overwrites the pool with random bits; in a worker `crypto.randomFillSync`, in the simulator a seeded one. */
  constructor(fill: (pool: Uint32Array) => void, poolIds = POOL_IDS) {
    this.#fill = fill;
    this.#pool = new Uint32Array(poolIds * 2);
    this.#at = this.#pool.length;
  }

  next(): void {
    do {
      if (this.#at === this.#pool.length) {
        this.#fill(this.#pool);
        this.#at = 0;
      }
      this.hi = this.#pool[this.#at];
      this.lo = this.#pool[this.#at + 1];
      this.#at += 2;
    } while (this.hi === 0 && this.lo === 0);
  }
}

/** 32 KiB: one system call for 4096 ids, about 5 ns each. */
const POOL_IDS = 4096;
