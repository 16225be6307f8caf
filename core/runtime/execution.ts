/**
 * One execute under way, and the `out` that goes with it. Everything emitted is anchored to the input; the XOR of the
 * new edges and the input's own is what the acker is told when the execute has ended well.
 */
import { SquallError } from '../errors.js';
import type { BoltOut, EmitOptions } from '../topology/definition.js';
import { StableId } from '../tuple/stable-ids.js';
import { type Batch, Lineage, newStamp } from '../wire/batch.js';
import type { Outbox, OutStream } from './outbox.js';

/** An execute that emits without end would fill the memory before it ever returned. */
export const MAX_EMITS_PER_EXECUTE = 1_000_000;

export class Execution implements Pick<BoltOut, 'emit'> {
  rootHi = 0;
  rootLo = 0;
  xorHi = 0;
  xorLo = 0;
  readonly #outbox: Outbox;
  readonly #where: string;
  readonly #default: OutStream | undefined;
  readonly #lineage = new Lineage();
  readonly #id = new StableId();
  /** the input, until its id is asked for */
  #batch: Batch | undefined;
  #row = 0;
  #open = false;

  constructor(outbox: Outbox, where: string, defaultStream: OutStream | undefined) {
    this.#outbox = outbox;
    this.#where = where;
    this.#default = defaultStream;
  }

  /** `at`: position of the row's group */
  begin(batch: Batch, row: number, at: number): void {
    this.rootHi = batch.groups[at];
    this.rootLo = batch.groups[at + 1];
    this.xorHi = batch.edgeHi(row);
    this.xorLo = batch.edgeLo(row);
    this.#batch = batch;
    this.#row = row;
    this.#open = true;
  }

  /** The execute has settled: from now on `emit` throws. */
  settle(): void {
    this.#open = false;
  }

  emit(values: Record<string, unknown>, options?: EmitOptions): void {
    if (!this.#open) {
      throw new SquallError(
        'ERR_SQUALL_OUT_SETTLED',
        `${this.#where}: emit after its execute has settled. What is emitted belongs to the tuple that execute was given: ` +
          'emit before it returns, or return a promise that resolves after the last emit.',
      );
    }
    const lineage = this.#lineage;
    if (this.#batch !== undefined) this.#beginLineage(this.#batch);
    else if (lineage.number >= MAX_EMITS_PER_EXECUTE) {
      throw new SquallError(
        'ERR_SQUALL_TOO_MANY_EMITS',
        `${this.#where}: more than ${MAX_EMITS_PER_EXECUTE} emits in one execute. Split the input into smaller tuples upstream.`,
        { facts: { limit: MAX_EMITS_PER_EXECUTE } },
      );
    }
    const outbox = this.#outbox;
    const name = options?.stream;
    const stream =
      name === undefined || name === 'default'
        ? (this.#default ?? outbox.stream('default', this.#where))
        : outbox.stream(name, this.#where);
    outbox.xorHi = 0;
    outbox.xorLo = 0;
    outbox.emit(stream, values, lineage);
    lineage.number += 1;
    this.xorHi ^= outbox.xorHi;
    this.xorLo ^= outbox.xorLo;
  }

  /** At the first emit: many executes emit nothing, and need no id. */
  #beginLineage(batch: Batch): void {
    const id = batch.stableId(this.#row, this.#id);
    const lineage = this.#lineage;
    lineage.rootHi = this.rootHi;
    lineage.rootLo = this.rootLo;
    lineage.a = id.a;
    lineage.b = id.b;
    lineage.c = id.c;
    lineage.d = id.d;
    lineage.meta = batch.meta(this.#row);
    lineage.number = 0;
    lineage.stamp = newStamp();
    this.#batch = undefined;
  }
}
