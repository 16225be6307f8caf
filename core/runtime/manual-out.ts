/**
 * The `out` of a bolt with `ack: 'manual'`: emits on any anchors of this task, acks and fails. Every emit tells the ackers of
 * its edge at once, for each root of its anchors once, whatever anchors share it: so an anchor needs no account of what
 * was made of it, the same anchor may be named twice, and a tree cannot come to zero while an anchor is open.
 */
import { SquallError, shown } from '../errors.js';
import { hashString, hashValues } from '../grouping/hash.js';
import type { BoltEmitOptions, BoltOut, Tuple } from '../topology/definition.js';
import { StableId } from '../tuple/stable-ids.js';
import { Lineage, metaAttempt, newStamp, SEVERAL_ROOTS } from '../wire/batch.js';
import type { AckBox } from './ack-box.js';
import { MAX_EMITS_PER_EXECUTE } from './execution.js';
import { type Held, HeldTuple, type Hold } from './held.js';
import type { OutStream } from './outbox.js';
import type { Output } from './output.js';

/** 64 KiB on the wire for the roots of one tuple. */
export const MAX_ROOTS_PER_TUPLE = 8192;

/** How a tuple has ended. */
export interface Verdicts {
  acked(hold: Hold): void;
  failed(hold: Hold, reason: unknown): void;
}

/** What all `out`s of a task share. */
export class ManualDesk {
  readonly output: Output;
  readonly held: Held;
  /** undefined: nothing is tracked */
  readonly #acks: AckBox | undefined;
  readonly #verdicts: Verdicts;
  /** of this task's incarnation, for the ids of tuples that have no anchor */
  readonly #identity: readonly [number, number, number, number];
  readonly #lineage = new Lineage();
  readonly #id = new StableId();
  /** the anchor of the last emit, where it had one */
  #last: Hold | undefined;
  #emits = 0;

  /** `identity`: what tells this incarnation of the task from all others */
  constructor(output: Output, acks: AckBox | undefined, held: Held, identity: readonly unknown[], verdicts: Verdicts) {
    this.output = output;
    this.held = held;
    this.#acks = acks;
    this.#verdicts = verdicts;
    const part = (seed: number): number => hashValues(identity, seed);
    this.#identity = [part(1), part(2), part(3), part(4)];
  }

  /** END is said: what is emitted now comes too late for everybody. */
  ended = false;

  /** An execute begins, or there was room. */
  resetEmits(): void {
    this.#emits = 0;
  }

  emit(stream: OutStream, values: Record<string, unknown>, anchors: readonly Tuple[], task: number | undefined): void {
    if (this.ended)
      throw this.output.misuse(
        'emit-after-end',
        'emit after the end of its input, which was passed on: keep a tuple until nothing more is emitted on it',
      );
    this.#emits += 1;
    if (this.#emits > MAX_EMITS_PER_EXECUTE) throw this.output.tooManyEmits(MAX_EMITS_PER_EXECUTE);
    const lineage = this.#lineageOf(anchors);
    const { outbox } = this.output;
    outbox.xorHi = 0;
    outbox.xorLo = 0;
    try {
      outbox.emit(stream, values, lineage, task);
    } finally {
      if (outbox.xorHi !== 0 || outbox.xorLo !== 0) this.#acks?.ackAll(lineage, outbox.xorHi, outbox.xorLo);
      this.output.stirred();
    }
  }

  ack(tuple: Tuple): void {
    const hold = this.#openHold(tuple, 'ack');
    hold.state = 'acked';
    this.held.settled(hold);
    const acks = this.#acks;
    if (acks !== undefined) {
      const { batch, row } = hold;
      hold.forEachRoot((hi, lo) => acks.ack(hi, lo, batch.edgeHi(row), batch.edgeLo(row)));
    }
    this.#verdicts.acked(hold);
    this.output.stirred();
  }

  fail(tuple: Tuple, reason: unknown): void {
    const hold = this.#openHold(tuple, 'fail');
    hold.state = 'failed';
    this.held.settled(hold);
    this.#verdicts.failed(hold, reason);
    this.output.stirred();
  }

  /** The tuple's hold, if it is this task's to settle. Throws, and counts, what would hang in silence otherwise. */
  #openHold(tuple: unknown, what: 'ack' | 'fail' | 'emit'): Hold {
    const hold = HeldTuple.holdOf(tuple);
    if (hold === undefined || hold.owner !== this.held) {
      throw this.output.misuse(
        'foreign-tuple',
        `${what} of ${hold === undefined ? shown(tuple) : 'a tuple of another task'}, which this task was not given by execute. ` +
          'Keep the tuple itself, not a copy of it.',
      );
    }
    if (hold.state === 'open') return hold;
    const id = hold.batch.stableId(hold.row, new StableId()).toString();
    const was = `its tuple ${id} from "${hold.batch.edge.source}", which was ${hold.state} before`;
    if (what === 'emit') throw this.output.misuse('emit-after-ack', `emit on ${was}: emit first, then ack`, { id });
    throw this.output.misuse(`double-${what}`, `${what} of ${was}: ack or fail each tuple once`, { id });
  }

  #lineageOf(anchors: readonly Tuple[]): Lineage {
    if (!Array.isArray(anchors)) {
      const message = `${this.output.where}: anchors: expected an array of tuples, got ${shown(anchors)}`;
      throw new SquallError('ERR_SQUALL_EMIT', message);
    }
    const holds = new Set<Hold>();
    for (const anchor of anchors) holds.add(this.#openHold(anchor, 'emit'));
    const [first] = holds;
    if (holds.size > 1) return this.#joined([...holds]);
    return first === undefined ? this.#unanchored() : this.#single(first);
  }

  #single(hold: Hold): Lineage {
    const lineage = this.#lineage;
    if (this.#last !== hold) {
      this.#last = hold;
      const { batch, row } = hold;
      this.#from(batch.stableId(row, this.#id), batch.meta(row));
      lineage.rootHi = hold.rootHi;
      lineage.rootLo = hold.rootLo;
      lineage.roots = hold.roots;
    }
    lineage.number = hold.emits++;
    return lineage;
  }

  /** Nobody tracks it; its stable id is that of a number. */
  #unanchored(): Lineage {
    this.#last = undefined;
    const lineage = this.#lineage;
    this.#from(this.#id.set(...this.#identity), 1);
    lineage.rootHi = 0;
    lineage.rootLo = 0;
    lineage.number = this.#unanchoredEmits++;
    return lineage;
  }
  #unanchoredEmits = 0;

  /** The union of the anchors' roots; the stable id of the sorted ids of all, whatever order they were named in. */
  #joined(holds: readonly Hold[]): Lineage {
    this.#last = undefined;
    const lineage = this.#lineage;
    const roots = new Map<number, Set<number>>();
    const pairs: number[] = [];
    let meta = 1;
    for (const hold of holds) {
      const own = hold.batch.meta(hold.row);
      if (metaAttempt(own) > metaAttempt(meta)) meta = own;
      hold.forEachRoot((hi, lo) => {
        const los = roots.get(hi) ?? new Set();
        if (los.has(lo)) return;
        roots.set(hi, los.add(lo));
        pairs.push(hi, lo);
      });
    }
    if (pairs.length > MAX_ROOTS_PER_TUPLE * 2) {
      throw new SquallError(
        'ERR_SQUALL_TOO_MANY_ANCHORS',
        `${this.output.where}: the anchors of one tuple belong to ${pairs.length / 2} spout tuples; at most ${MAX_ROOTS_PER_TUPLE} are possible. Anchor to fewer.`,
        { facts: { limit: MAX_ROOTS_PER_TUPLE } },
      );
    }
    const ids = holds.map((hold) => ({ hold, text: hold.batch.stableId(hold.row, this.#id).toString() }));
    ids.sort((a, b) => (a.text < b.text ? -1 : 1));
    const all = ids.map(({ text }) => text).join();
    const id = this.#id.set(hashString(all, 1), hashString(all, 2), hashString(all, 3), hashString(all, 4));
    this.#from(id, meta);
    lineage.rootHi = pairs.length > 2 ? SEVERAL_ROOTS : (pairs[0] ?? 0);
    lineage.rootLo = pairs.length > 2 ? 0 : (pairs[1] ?? 0);
    lineage.roots = Uint32Array.from(pairs);
    // counted at the anchor that came last: emits on the same anchors get the same numbers on every attempt, whichever of
    // the anchors came again for it, and however many other sets of anchors there are beside them
    const hold = holds.reduce((last, one) => (one.number > last.number ? one : last));
    hold.sets ??= new Map();
    lineage.number = hold.sets.get(all) ?? 0;
    hold.sets.set(all, lineage.number + 1);
    return lineage;
  }

  #from({ a, b, c, d }: StableId, meta: number): void {
    const lineage = this.#lineage;
    lineage.a = a;
    lineage.b = b;
    lineage.c = c;
    lineage.d = d;
    lineage.meta = meta;
    lineage.stamp = newStamp();
  }
}

/** One for each execute, so that an emit without anchors means its tuple. Valid for as long as the task lives. */
export class ManualOut implements BoltOut {
  readonly #desk: ManualDesk;
  readonly #own: readonly HeldTuple[];

  constructor(desk: ManualDesk, tuple: HeldTuple) {
    this.#desk = desk;
    this.#own = [tuple];
  }

  emit(values: Record<string, unknown>, options?: BoltEmitOptions): void {
    const desk = this.#desk;
    desk.emit(desk.output.streamOf(options), values, anchorsOf(options, this.#own), undefined);
  }

  emitDirect(task: number, values: Record<string, unknown>, options?: BoltEmitOptions): void {
    const desk = this.#desk;
    const stream = desk.output.streamOf(options);
    desk.output.outbox.checkDirect(stream, task);
    desk.emit(stream, values, anchorsOf(options, this.#own), task);
  }

  ready(): Promise<void> {
    const desk = this.#desk;
    return desk.output.ready().then(() => desk.resetEmits());
  }

  ack(tuple: Tuple): void {
    this.#desk.ack(tuple);
  }

  fail(tuple: Tuple, reason?: unknown): void {
    this.#desk.fail(tuple, reason);
  }
}

function anchorsOf(options: BoltEmitOptions | undefined, own: readonly Tuple[]): readonly Tuple[] {
  return options?.anchors === undefined ? own : options.anchors;
}
