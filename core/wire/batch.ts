/**
 * Tuples of one edge on their way from one task to another: ids row by row, values column by column. A batch is filled
 * by an outbox, then sealed; from then on nobody changes it, and sender, ledger and a receiver in the same process
 * share it.
 *
 * Tuples that one execute emitted have their root and their parent in common: that is kept once, in a group, and a
 * row is its own edge id and a reference. A word of a sentence then takes 17 bytes beside its text instead of 36, in
 * memory and on the wire, and less to write.
 *
 * A tuple that was emitted on several anchors may belong to several roots: its group then names a place in a side table.
 */
import type { EdgePlan } from '../topology/definition.js';
import type { StableId } from '../tuple/stable-ids.js';
import type { Column } from './columns.js';
import type { RowLayout } from './layout.js';

/** Words of a row: edge id (2); group (upper 16 bits) and emit number counted from the group's first (lower 16). */
export const ROW_WORDS = 3;
/** Words of a group: root (2), stable id of the parent (4), meta (1), emit number that rows count from (1). */
export const GROUP_WORDS = 8;
/** Instead of a root: there are several, in `roots` from the group's second word on. No task is numbered so high. */
export const SEVERAL_ROOTS = 0xffffffff;
/** word of a group that holds the attempt and the reason of the replay */
export const META = 6;
export const MAX_BATCH_ROWS = 1 << 16;
const MAX_DELTA = 0xffff;
const NO_WORDS = new Uint32Array(0);

/** Where tuples come from: the root they belong to, the tuple they were made of, and how many were made before. */
export class Lineage {
  /** (0, 0): untracked. SEVERAL_ROOTS: pairs in `roots` */
  rootHi = 0;
  rootLo = 0;
  roots: Uint32Array = NO_WORDS;
  /** stable id of the parent */
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  meta = 0;
  /** number of the emit */
  number = 0;
  /** a ledger keeps the values of the first copy for a replay */
  keep = false;
  /** differs from lineage to lineage that a process ever filled in: see `newStamp` */
  stamp = 0;
}

let stamps = 0;
export function newStamp(): number {
  return stamps++;
}

export class Batch {
  readonly edge: EdgePlan;
  readonly layout: RowLayout;
  /** component and stream of the sender in one number, for stable ids */
  readonly site: number;
  rows: Uint32Array;
  groups: Uint32Array;
  groupCount = 0;
  /** of groups with several roots: how many, then pairs of words */
  roots: Uint32Array = NO_WORDS;
  rootWords = 0;
  /** empty once the values are not needed here any more */
  columns: Column[];
  /** a ledger keeps the values for a replay */
  kept = false;
  /** task that it goes to */
  receiver = 0;
  count = 0;
  /** estimate of the bytes on the wire, ids included */
  bytes = 0;
  /** XOR of all edge ids */
  xorHi = 0;
  xorLo = 0;
  #stamp = -1;
  #base = 0;

  constructor(
    edge: EdgePlan,
    layout: RowLayout,
    site: number,
    columns = layout.columns(),
    rows = new Uint32Array(FIRST_ROWS * ROW_WORDS),
    groups = new Uint32Array(FIRST_GROUPS * GROUP_WORDS),
  ) {
    this.edge = edge;
    this.layout = layout;
    this.site = site;
    this.columns = columns;
    this.rows = rows;
    this.groups = groups;
  }

  /** Appends the ids of a row whose values are already in the columns. */
  add(lineage: Lineage, edgeHi: number, edgeLo: number): void {
    if (lineage.stamp !== this.#stamp || lineage.number - this.#base > MAX_DELTA) this.#group(lineage);
    const at = this.count * ROW_WORDS;
    if (at + ROW_WORDS > this.rows.length) this.rows = doubled(this.rows);
    const { rows } = this;
    rows[at] = edgeHi;
    rows[at + 1] = edgeLo;
    rows[at + 2] = ((this.groupCount - 1) << 16) | (lineage.number - this.#base);
    this.count += 1;
    this.xorHi ^= edgeHi;
    this.xorLo ^= edgeLo;
  }

  #group(lineage: Lineage): void {
    const at = this.groupCount * GROUP_WORDS;
    if (at + GROUP_WORDS > this.groups.length) this.groups = doubled(this.groups);
    const { groups } = this;
    groups[at] = lineage.rootHi;
    groups[at + 1] = lineage.rootHi === SEVERAL_ROOTS ? this.#severalRoots(lineage.roots) : lineage.rootLo;
    groups[at + 2] = lineage.a;
    groups[at + 3] = lineage.b;
    groups[at + 4] = lineage.c;
    groups[at + 5] = lineage.d;
    groups[at + META] = lineage.meta;
    groups[at + 7] = lineage.number;
    this.groupCount += 1;
    this.bytes += GROUP_WORDS * 4;
    this.#stamp = lineage.stamp;
    this.#base = lineage.number;
  }

  #severalRoots(roots: Uint32Array): number {
    const at = this.rootWords;
    const length = at + 1 + roots.length;
    if (length > this.roots.length) {
      const grown = new Uint32Array(Math.max(length, this.roots.length * 2));
      grown.set(this.roots.subarray(0, at));
      this.roots = grown;
    }
    this.roots[at] = roots.length / 2;
    this.roots.set(roots, at + 1);
    this.rootWords = length;
    this.bytes += (roots.length + 1) * 4;
    return at;
  }

  /** The ids of one row in a batch of their own, for a tuple that is kept when the others are gone. */
  only(row: number): Batch {
    const at = this.groupAt(row);
    const rows = this.rows.slice(row * ROW_WORDS, (row + 1) * ROW_WORDS);
    const delta = rows[2] & MAX_DELTA;
    rows[2] = delta;
    const one = new Batch(this.edge, this.layout, this.site, NO_COLUMNS, rows, this.groups.slice(at, at + GROUP_WORDS));
    one.count = 1;
    one.groupCount = 1;
    if (one.groups[0] === SEVERAL_ROOTS) {
      const from = one.groups[1];
      one.roots = this.roots.slice(from, from + 1 + this.roots[from] * 2);
      one.rootWords = one.roots.length;
      one.groups[1] = 0;
    }
    return one;
  }

  /** The values are on their way as bytes: what is still asked of this batch is its roots. */
  valuesSent(): void {
    if (!this.kept) this.columns = NO_COLUMNS;
  }

  /** Position of a row's group in `groups`. */
  groupAt(row: number): number {
    return (this.rows[row * ROW_WORDS + 2] >>> 16) * GROUP_WORDS;
  }
  edgeHi(row: number): number {
    return this.rows[row * ROW_WORDS];
  }
  edgeLo(row: number): number {
    return this.rows[row * ROW_WORDS + 1];
  }
  meta(row: number): number {
    return this.groups[this.groupAt(row) + META];
  }

  /** The stable id of a row, into `id`. */
  stableId(row: number, id: StableId): StableId {
    const at = this.groupAt(row);
    const { groups } = this;
    const number = groups[at + 7] + (this.rows[row * ROW_WORDS + 2] & MAX_DELTA);
    id.child(groups[at + 2], groups[at + 3], groups[at + 4], groups[at + 5], this.site, number);
    return id;
  }

  /** Calls `visit` for each root in the batch, or of its rows from `fromRow` on; not for untracked tuples. */
  forEachRoot(visit: (hi: number, lo: number) => void, fromRow = 0): void {
    for (let at = fromRow === 0 ? 0 : this.groupAt(fromRow); at < this.groupCount * GROUP_WORDS; at += GROUP_WORDS)
      this.forEachRootAt(at, visit);
  }

  /** As `forEachRoot`, for the group at this position. */
  forEachRootAt(at: number, visit: (hi: number, lo: number) => void): void {
    const { groups, roots } = this;
    const hi = groups[at];
    if (hi === 0) return;
    if (hi !== SEVERAL_ROOTS) {
      visit(hi, groups[at + 1]);
      return;
    }
    const from = groups[at + 1] + 1;
    const end = from + roots[from - 1] * 2;
    for (let word = from; word < end; word += 2) visit(roots[word], roots[word + 1]);
  }

  /** The roots of the group at this position that has several, as pairs of words. */
  severalRootsAt(at: number): Uint32Array {
    const from = this.groups[at + 1] + 1;
    return this.roots.subarray(from, from + this.roots[from - 1] * 2);
  }
}

const NO_COLUMNS: Column[] = [];
const FIRST_ROWS = 128;
const FIRST_GROUPS = 32;

function doubled(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(words.length * 2);
  grown.set(words);
  return grown;
}

/** Attempt (8 bits, 255 = 255 or more) and the reason of the replay (3 bits) in one word. */
export function metaOf(attempt: number, reason: number): number {
  return Math.min(attempt, 255) | (reason << 8);
}
export function metaAttempt(meta: number): number {
  return meta & 0xff;
}
export function metaReason(meta: number): number {
  return (meta >>> 8) & 7;
}
