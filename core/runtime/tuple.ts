import type { ReplayReason, Tuple } from '../topology/definition.js';
import { StableId } from '../tuple/stable-ids.js';
import { type Batch, metaAttempt, metaReason } from '../wire/batch.js';
import { REASONS } from './origin.js';

/** A tuple as a bolt receives it: its values, and a window on the batch for everything that few ask for. */
export class ReceivedTuple implements Tuple {
  readonly values: Record<string, unknown>;
  readonly task: number;
  #batch: Batch;
  #row: number;

  constructor(values: Record<string, unknown>, task: number, batch: Batch, row: number) {
    this.values = values;
    this.task = task;
    this.#batch = batch;
    this.#row = row;
  }

  /** Its ids are now the only ones of this batch. */
  moveTo(batch: Batch): void {
    this.#batch = batch;
    this.#row = 0;
  }

  get input(): string {
    return this.#batch.edge.input;
  }
  get source(): string {
    return this.#batch.edge.source;
  }
  get stream(): string {
    return this.#batch.edge.stream.name;
  }
  get id(): string {
    return this.#batch.stableId(this.#row, new StableId()).toString();
  }
  get attempt(): number {
    return Math.max(1, metaAttempt(this.#batch.meta(this.#row)));
  }
  get replayReason(): ReplayReason | undefined {
    return REASONS[metaReason(this.#batch.meta(this.#row))];
  }
}
