/**
 * Tuples of a bolt with `ack: 'manual'` between their execute and the author's ack or fail. The task claims them, so that
 * they do not time out, for as long as the author has hold of them; it holds them weakly itself, so that one that the
 * author has lost is noticed: nobody can ever ack it.
 */
import { type Batch, SEVERAL_ROOTS } from '../wire/batch.js';
import { ReceivedTuple } from './tuple.js';

/** What the task keeps of a tuple: everything but the values. */
export class Hold {
  state: 'open' | 'acked' | 'failed' = 'open';
  batch: Batch;
  row: number;
  /** emits anchored to it alone; and to it and others, by the ids of all: for stable ids */
  emits = 0;
  sets: Map<string, number> | undefined;
  /** its tuple, once its execute is over */
  ref: WeakRef<HeldTuple> | undefined;
  readonly owner: Held;
  /** when its execute was over */
  since = 0;
  /** counted in the order of their executes */
  readonly number: number;

  constructor(owner: Held, batch: Batch, row: number) {
    this.owner = owner;
    this.number = owner.nextNumber++;
    this.batch = batch;
    this.row = row;
  }

  get tracked(): boolean {
    return this.batch.groups[this.batch.groupAt(this.row)] !== 0;
  }
  /** SEVERAL_ROOTS, or the upper half of its only root */
  get rootHi(): number {
    return this.batch.groups[this.batch.groupAt(this.row)];
  }
  get rootLo(): number {
    return this.batch.groups[this.batch.groupAt(this.row) + 1];
  }
  get roots(): Uint32Array {
    return this.rootHi === SEVERAL_ROOTS ? this.batch.severalRootsAt(this.batch.groupAt(this.row)) : NO_ROOTS;
  }
  forEachRoot(visit: (hi: number, lo: number) => void): void {
    this.batch.forEachRootAt(this.batch.groupAt(this.row), visit);
  }
}
const NO_ROOTS = new Uint32Array(0);

export class HeldTuple extends ReceivedTuple {
  // private, so that a copy of the tuple is no tuple: it would live on when the tuple is dropped
  readonly #hold: Hold;

  constructor(values: Record<string, unknown>, task: number, hold: Hold) {
    super(values, task, hold.batch, hold.row);
    this.#hold = hold;
  }

  /** What the task knows of this tuple; undefined: it is none that a bolt with `ack: 'manual'` was given. */
  static holdOf(tuple: unknown): Hold | undefined {
    return typeof tuple === 'object' && tuple !== null && #hold in tuple ? tuple.#hold : undefined;
  }
}

export class Held {
  nextNumber = 0;
  readonly #open = new Set<Hold>();

  get size(): number {
    return this.#open.size;
  }

  /** The execute is over and the tuple is neither acked nor failed: from now on it is the author's to keep. */
  keep(tuple: HeldTuple, hold: Hold, now: number): void {
    hold.since = now;
    // the others of its batch may go
    hold.batch = hold.batch.only(hold.row);
    hold.row = 0;
    tuple.moveTo(hold.batch);
    hold.ref = new WeakRef(tuple);
    this.#open.add(hold);
  }

  settled(hold: Hold): void {
    if (hold.ref !== undefined) this.#open.delete(hold);
  }

  /** Since when the oldest of them is held; Infinity: there is none. */
  get oldestAt(): number {
    for (const { since } of this.#open) return since;
    return Number.POSITIVE_INFINITY;
  }

  forEachRoot(visit: (hi: number, lo: number) => void): void {
    for (const hold of this.#open) hold.forEachRoot(visit);
  }

  /** Takes out those whose tuple nobody has any more. */
  takeDropped(): readonly Hold[] {
    const dropped: Hold[] = [];
    for (const hold of this.#open) {
      if (hold.ref?.deref() !== undefined) continue;
      this.#open.delete(hold);
      dropped.push(hold);
    }
    return dropped;
  }
}
