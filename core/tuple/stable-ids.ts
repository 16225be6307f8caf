/**
 * Stable tuple ids: 128 bits that are the same on every attempt of a deterministic topology, so that a duplicate can be
 * recognised anywhere. The first id of a tree hashes (run, component, task, message id); a child mixes its parent's id
 * with the path (component, stream, number of the emit within the execute). Mixing is cheap integer arithmetic, no
 * string exists until somebody reads one.
 *
 * The mixer is MurmurHash3's 32-bit finalizer over four lanes with two rounds of cross-mixing (Appleby, public domain):
 * enough to spread ids evenly; it is no cryptographic hash and need not be one.
 */
export class StableId {
  a = 0;
  b = 0;
  c = 0;
  d = 0;

  set(a: number, b: number, c: number, d: number): this {
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
    return this;
  }

  /** this = child of (a, b, c, d) on the path (`site`, `number`); `site` numbers component and stream together. */
  child(a: number, b: number, c: number, d: number, site: number, number: number): void {
    // each enters a lane of its own: folded into one word, the streams of a spout would share ids after some 10⁵ tuples
    let g = Math.imul(site + 0x9e3779b9, 0x85ebca6b);
    let h = Math.imul(number + 0x7f4a7c15, 0xc2b2ae35);
    g ^= g >>> 15;
    h ^= h >>> 15;
    let x = Math.imul(a ^ g, 0x2c1b3c6d);
    let y = Math.imul(b + h, 0x297a2d39);
    x ^= (y >>> 15) ^ c;
    y ^= (x >>> 13) ^ d;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    y = Math.imul(y ^ (y >>> 16), 0xc2b2ae35);
    const z = Math.imul(c + x, 0x297a2d39) ^ (y >>> 14);
    const w = Math.imul(d ^ y, 0x2c1b3c6d) + (x >>> 12);
    this.a = (x ^ (w >>> 11)) >>> 0;
    this.b = (y + (z ^ (z >>> 16))) >>> 0;
    this.c = Math.imul(z ^ (z >>> 15), 0x85ebca6b) >>> 0;
    this.d = (w ^ (w >>> 16) ^ h) >>> 0;
  }

  /** 32 hex digits */
  toString(): string {
    return stableIdText(this.a, this.b, this.c, this.d);
  }
}

export function stableIdText(a: number, b: number, c: number, d: number): string {
  return hex(a) + hex(b) + hex(c) + hex(d);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
