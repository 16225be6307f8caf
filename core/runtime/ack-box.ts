/**
 * What a task tells the ackers: within a flush all partial acks for the same root are XORed into one record.
 */
import type { Failure } from '../topology/definition.js';
import { ackerOf } from '../tuple/root-ids.js';
import { SEVERAL_ROOTS } from '../wire/batch.js';
import { type AckRecords, encodeAcks, type FailRecord, ROOT_WORDS, XOR_WORDS } from '../wire/control-frames.js';
import { KIND_ACK } from '../wire/frame.js';
import type { TaskEnv } from './env.js';
import { type Freight, Link } from './link.js';

/** What a tuple belongs to: nothing that is tracked (0), one root, or SEVERAL_ROOTS, which are pairs in `roots`. */
export interface Roots {
  readonly rootHi: number;
  readonly rootLo: number;
  readonly roots: Uint32Array;
}

/** Records of one flush to one acker; also what the link carries. */
export interface AckParcel extends AckRecords {
  readonly count: number;
  readonly bytes: number;
  readonly xorHi: 0;
  readonly xorLo: 0;
}

/** Sent at once when so many are waiting: 160 KiB at most, whatever the flush does. */
const MAX_ROWS = 4096;
const HASH_SIZE = MAX_ROWS * 4;
/** Failures in one frame: each carries up to 6 KiB of message and stack. */
export const MAX_FRAME_FAILS = 32;

/** What waits for one acker. */
class Waiting {
  readonly link: Link<AckParcel>;
  readonly inits = new Uint32Array(MAX_ROWS * XOR_WORDS);
  readonly acks = new Uint32Array(MAX_ROWS * XOR_WORDS);
  initWords = 0;
  ackWords = 0;
  /** where in `acks` the last record went; −1: none */
  last = -1;
  forgets: number[] = [];
  fails: FailRecord[] = [];
  /** row of `acks` + 1, by hash of the root */
  readonly index = new Uint16Array(HASH_SIZE);

  constructor(link: Link<AckParcel>) {
    this.link = link;
  }
}

export class AckBox {
  readonly links: ReadonlyMap<number, Link<AckParcel>>;
  readonly #waiting: readonly Waiting[];
  readonly #ackers: number;
  #stale = true;
  #room = false;
  /** something is to be flushed */
  #dirty = false;

  constructor(env: TaskEnv, changed: () => void) {
    const freight: Freight<AckParcel> = {
      kind: KIND_ACK,
      tuples: false,
      transport: env.control,
      subject: (receiver, epoch) => env.subjects.acks(receiver, epoch),
      edge: () => 0,
      encode: encodeAcks,
    };
    const stale = (): void => {
      this.#stale = true;
      changed();
    };
    this.#waiting = env.ackers.map((task) => new Waiting(new Link(env, task, freight, stale)));
    this.#ackers = env.ackers.length;
    this.links = new Map(this.#waiting.map(({ link }) => [link.receiver, link]));
  }

  get hasRoom(): boolean {
    if (this.#stale) {
      this.#stale = false;
      this.#room = this.#waiting.every(({ link }) => link.room > 0);
    }
    return this.#room;
  }

  init(hi: number, lo: number, xorHi: number, xorLo: number): void {
    const waiting = this.#waiting[ackerOf(lo, this.#ackers)];
    const { inits, initWords } = waiting;
    inits[initWords] = hi;
    inits[initWords + 1] = lo;
    inits[initWords + 2] = xorHi;
    inits[initWords + 3] = xorLo;
    waiting.initWords = initWords + XOR_WORDS;
    this.#dirty = true;
    if (waiting.initWords === inits.length) this.#send(waiting);
  }

  ack(hi: number, lo: number, xorHi: number, xorLo: number): void {
    const waiting = this.#waiting[ackerOf(lo, this.#ackers)];
    const { acks, index } = waiting;
    this.#dirty = true;
    // the tuples of one execute come together, so mostly it is the root of the last one again
    const last = waiting.last;
    if (last >= 0 && acks[last + 1] === lo && acks[last] === hi) {
      acks[last + 2] ^= xorHi;
      acks[last + 3] ^= xorLo;
      return;
    }
    let at = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1), 0x85ebca6b) >>> 18;
    for (; ; at = (at + 1) & (HASH_SIZE - 1)) {
      const row = index[at];
      if (row === 0) break;
      const word = (row - 1) * XOR_WORDS;
      if (acks[word + 1] === lo && acks[word] === hi) {
        acks[word + 2] ^= xorHi;
        acks[word + 3] ^= xorLo;
        waiting.last = word;
        return;
      }
    }
    const word = waiting.ackWords;
    acks[word] = hi;
    acks[word + 1] = lo;
    acks[word + 2] = xorHi;
    acks[word + 3] = xorLo;
    waiting.ackWords = word + XOR_WORDS;
    index[at] = waiting.ackWords / XOR_WORDS;
    waiting.last = word;
    if (waiting.ackWords === acks.length) this.#send(waiting);
  }

  /** As `ack`, for each root of a tuple. */
  ackAll({ rootHi, rootLo, roots }: Roots, xorHi: number, xorLo: number): void {
    if (rootHi === 0) return;
    if (rootHi !== SEVERAL_ROOTS) this.ack(rootHi, rootLo, xorHi, xorLo);
    else for (let at = 0; at < roots.length; at += ROOT_WORDS) this.ack(roots[at], roots[at + 1], xorHi, xorLo);
  }

  /** As `fail`, for each root of a tuple. */
  failAll({ rootHi, rootLo, roots }: Roots, failure: Failure): void {
    if (rootHi === 0) return;
    if (rootHi !== SEVERAL_ROOTS) this.fail(rootHi, rootLo, failure);
    else for (let at = 0; at < roots.length; at += ROOT_WORDS) this.fail(roots[at], roots[at + 1], failure);
  }

  fail(hi: number, lo: number, failure: Failure): void {
    const waiting = this.#waiting[ackerOf(lo, this.#ackers)];
    waiting.fails.push({ hi, lo, failure });
    this.#dirty = true;
    // each may carry a stack of some KiB
    if (waiting.fails.length === MAX_FRAME_FAILS) this.#send(waiting);
  }

  forget(hi: number, lo: number): void {
    const waiting = this.#waiting[ackerOf(lo, this.#ackers)];
    waiting.forgets.push(hi, lo);
    this.#dirty = true;
    if (waiting.forgets.length === MAX_ROWS * ROOT_WORDS) this.#send(waiting);
  }

  flush(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    for (const waiting of this.#waiting) {
      if (waiting.initWords + waiting.ackWords + waiting.forgets.length + waiting.fails.length > 0) this.#send(waiting);
    }
  }

  #send(waiting: Waiting): void {
    const copy = !waiting.link.direct;
    const parcel: AckParcel = {
      inits: copy ? waiting.inits.slice(0, waiting.initWords) : waiting.inits.subarray(0, waiting.initWords),
      acks: copy ? waiting.acks.slice(0, waiting.ackWords) : waiting.acks.subarray(0, waiting.ackWords),
      forgets: Uint32Array.from(waiting.forgets),
      fails: waiting.fails,
      count:
        (waiting.initWords + waiting.ackWords) / XOR_WORDS + waiting.forgets.length / ROOT_WORDS + waiting.fails.length,
      bytes: (waiting.initWords + waiting.ackWords) * 4,
      xorHi: 0,
      xorLo: 0,
    };
    if (waiting.ackWords > 0) waiting.index.fill(0);
    waiting.initWords = 0;
    waiting.ackWords = 0;
    waiting.last = -1;
    waiting.forgets = [];
    waiting.fails = [];
    waiting.link.send(parcel);
  }
}
