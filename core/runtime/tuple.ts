import type { ReplayReason, Tuple } from '../topology/definition.js';
import { stableIdText } from '../tuple/stable-ids.js';
import { type Batch, ID_WORDS, META, metaAttempt, metaReason, STABLE } from '../wire/batch.js';
import { REASONS } from './origin.js';

/** A tuple as a bolt receives it: its values, and a window on the batch for everything that few ask for. */
export class ReceivedTuple implements Tuple {
  readonly values: Record<string, unknown>;
  readonly task: number;
  readonly #batch: Batch;
  readonly #at: number;

  constructor(values: Record<string, unknown>, task: number, batch: Batch, row: number) {
    this.values = values;
    this.task = task;
    this.#batch = batch;
    this.#at = row * ID_WORDS;
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
    const { ids } = this.#batch;
    const at = this.#at + STABLE;
    return stableIdText(ids[at], ids[at + 1], ids[at + 2], ids[at + 3]);
  }
  get attempt(): number {
    return Math.max(1, metaAttempt(this.#batch.ids[this.#at + META]));
  }
  get replayReason(): ReplayReason | undefined {
    return REASONS[metaReason(this.#batch.ids[this.#at + META])];
  }
}
