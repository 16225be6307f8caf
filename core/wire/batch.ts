/**
 * Tuples of one edge on their way from one task to another: ids row by row, values column by column. A batch is filled
 * by an outbox, then sealed; from then on nobody changes it, and sender, ledger and a receiver in the same process
 * share it.
 */
import type { EdgePlan } from '../topology/definition.js';
import type { Column } from './columns.js';
import type { RowLayout } from './layout.js';

/** Words of 32 bits that identify a tuple: root (2), edge (2), stable id (4), meta (1). */
export const ID_WORDS = 9;
export const ROOT_HI = 0;
export const ROOT_LO = 1;
export const EDGE_HI = 2;
export const EDGE_LO = 3;
export const STABLE = 4;
export const META = 8;

export class Batch {
  readonly edge: EdgePlan;
  readonly layout: RowLayout;
  /** `ID_WORDS` words a row. A root of (0, 0) means untracked. */
  ids: Uint32Array;
  readonly columns: Column[];
  count = 0;
  /** estimate of the bytes on the wire, ids included */
  bytes = 0;
  /** XOR of all edge ids */
  xorHi = 0;
  xorLo = 0;

  constructor(edge: EdgePlan, layout: RowLayout, rows: number, columns?: Column[], ids?: Uint32Array) {
    this.edge = edge;
    this.layout = layout;
    this.columns = columns ?? layout.columns();
    this.ids = ids ?? new Uint32Array(rows * ID_WORDS);
  }

  /** Position of the next row's ids; makes room for it. */
  row(): number {
    const at = this.count * ID_WORDS;
    if (at === this.ids.length) {
      const grown = new Uint32Array(this.ids.length * 2);
      grown.set(this.ids);
      this.ids = grown;
    }
    return at;
  }
}

/** Attempt (8 bits, 255 = 255 or more) and the reason of the replay (3 bits) in one word. */
export function metaOf(attempt: number, reason: number): number {
  return (attempt > 255 ? 255 : attempt) | (reason << 8);
}
export function metaAttempt(meta: number): number {
  return meta & 0xff;
}
export function metaReason(meta: number): number {
  return (meta >>> 8) & 7;
}
