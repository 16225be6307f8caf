/**
 * The acker: keeps, per root, the XOR of all edge ids it was told of. Each edge is told twice, when it is created and
 * when it is acked, so the XOR is zero exactly when nothing is outstanding (but for a chance of 2⁻⁶⁴ per observation).
 * After Storm's `Acker.java`; differences:
 * - it never times out: the spouts do. An entry is freed by DONE, FAIL, FORGET, the slot's next generation or the end
 *   of the spout's epoch, so the table is bounded by what the spouts have pending;
 * - entries lie in typed arrays at the slot that the root id names (17 ns a root life against 83 ns in a Map);
 * - messages of ended attempts are recognised by generation, counted and dropped.
 *
 * XOR is not idempotent: a message must not be applied twice. The channel's frame numbers see to that.
 */
import { laterEpoch, laterGeneration, rootEpoch, rootGeneration, rootSlot, rootTask } from '../tuple/root-ids.js';

export interface AckerEvents {
  /** the tree of this root is complete */
  done(hi: number, lo: number): void;
}

export interface AckerCounts {
  /** roots seen complete */
  done: number;
  failed: number;
  /** for a generation that has ended */
  late: number;
  /** for an incarnation of a spout that has ended */
  stale: number;
  /** still open when the spout used their slot again, or ended: given up without a word */
  abandoned: number;
}

const INIT_SEEN = 1;
const OPEN = 2;

/** What one spout task (or a bolt task with ticks) has open here. Index = slot ÷ number of ackers. */
class Table {
  epoch: number;
  generation = new Uint32Array(FIRST_ROOTS);
  xorHi = new Int32Array(FIRST_ROOTS);
  xorLo = new Int32Array(FIRST_ROOTS);
  /** 0 = never used; USED alone = the generation has ended */
  flags = new Uint8Array(FIRST_ROOTS);
  open = 0;

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  grow(index: number): void {
    const length = Math.max(this.flags.length * 2, index + 1);
    this.generation = copied(this.generation, new Uint32Array(length));
    this.xorHi = copied(this.xorHi, new Int32Array(length));
    this.xorLo = copied(this.xorLo, new Int32Array(length));
    this.flags = copied(this.flags, new Uint8Array(length));
  }
}
const FIRST_ROOTS = 1024;
const USED = 4;

function copied<A extends { set(from: A): void }>(from: A, into: A): A {
  into.set(from);
  return into;
}

export class Acker {
  readonly counts: AckerCounts = { done: 0, failed: 0, late: 0, stale: 0, abandoned: 0 };
  readonly #events: AckerEvents;
  readonly #ackers: number;
  /** by spout task */
  readonly #tables: (Table | undefined)[] = [];
  /** of the root that `#find` found */
  #table!: Table;

  constructor(ackers: number, events: AckerEvents) {
    this.#ackers = ackers;
    this.#events = events;
  }

  /** roots that are neither complete nor given up */
  get open(): number {
    let open = 0;
    for (const table of this.#tables) open += table?.open ?? 0;
    return open;
  }

  /** The spout emitted: XOR of the first edges. May come after acks. */
  init(hi: number, lo: number, xorHi: number, xorLo: number): void {
    const at = this.#find(hi, lo);
    if (at >= 0) this.#apply(at, hi, lo, xorHi, xorLo, INIT_SEEN);
  }

  /** A bolt acked: input edge XOR the edges emitted on it; or several of these XORed together. */
  ack(hi: number, lo: number, xorHi: number, xorLo: number): void {
    const at = this.#find(hi, lo);
    if (at >= 0) this.#apply(at, hi, lo, xorHi, xorLo, 0);
  }

  /** A bolt failed: true when the spout is to be told, now. */
  fail(hi: number, lo: number): boolean {
    const at = this.#find(hi, lo);
    if (at < 0) return false;
    this.counts.failed += 1;
    this.#close(at);
    return true;
  }

  /** The spout has given this root up. */
  forget(hi: number, lo: number): void {
    const at = this.#find(hi, lo);
    if (at >= 0) this.#close(at);
  }

  /** The task's incarnations before `epoch` are over: what they had open is freed. */
  epochOf(task: number, epoch: number): void {
    const table = this.#tables[task];
    if (table !== undefined && laterEpoch(epoch & 0x3ff, table.epoch)) this.#reset(task, table, epoch & 0x3ff);
  }

  #apply(at: number, hi: number, lo: number, xorHi: number, xorLo: number, flag: number): void {
    const table = this.#table;
    table.xorHi[at] ^= xorHi;
    table.xorLo[at] ^= xorLo;
    table.flags[at] |= flag;
    if (table.xorHi[at] !== 0 || table.xorLo[at] !== 0 || (table.flags[at] & INIT_SEEN) === 0) return;
    this.counts.done += 1;
    this.#close(at);
    this.#events.done(hi, lo);
  }

  /** Index of the open entry of this root, made when it is new; −1 when the root has ended. */
  #find(hi: number, lo: number): number {
    const task = rootTask(hi);
    const epoch = rootEpoch(hi);
    let table = this.#tables[task];
    if (table === undefined) {
      table = new Table(epoch);
      this.#tables[task] = table;
    } else if (table.epoch !== epoch) {
      if (!laterEpoch(epoch, table.epoch)) {
        this.counts.stale += 1;
        return -1;
      }
      table = this.#reset(task, table, epoch);
    }
    this.#table = table;
    const at = this.#ackers === 1 ? rootSlot(lo) : (rootSlot(lo) / this.#ackers) | 0;
    if (at >= table.flags.length) table.grow(at);
    const flags = table.flags[at];
    const generation = rootGeneration(hi, lo);
    if (flags !== 0) {
      if (table.generation[at] === generation) {
        if ((flags & OPEN) !== 0) return at;
        this.counts.late += 1;
        return -1;
      }
      if (!laterGeneration(generation, table.generation[at])) {
        this.counts.late += 1;
        return -1;
      }
      if ((flags & OPEN) !== 0) {
        this.counts.abandoned += 1;
        table.open -= 1;
      }
    }
    table.generation[at] = generation;
    table.xorHi[at] = 0;
    table.xorLo[at] = 0;
    table.flags[at] = USED | OPEN;
    table.open += 1;
    return at;
  }

  #close(at: number): void {
    this.#table.flags[at] = USED;
    this.#table.open -= 1;
  }

  #reset(task: number, table: Table, epoch: number): Table {
    this.counts.abandoned += table.open;
    const fresh = new Table(epoch);
    this.#tables[task] = fresh;
    return fresh;
  }
}
