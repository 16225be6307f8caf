/**
 * One execute under way of a bolt that acks by itself, and the `out` that goes with it. Everything emitted is anchored to
 * the input; the XOR of the new edges and the input's own is what the ackers are told when the execute has ended well.
 */
import { SquallError } from '../errors.js';
import type { BoltEmitOptions, BoltOut, Tuple } from '../topology/definition.js';
import { StableId } from '../tuple/stable-ids.js';
import { type Batch, Lineage, newStamp, SEVERAL_ROOTS } from '../wire/batch.js';
import type { OutStream } from './outbox.js';
import type { Output } from './output.js';

/** An execute that emits without end would fill the memory before it ever returned. */
export const MAX_EMITS_PER_EXECUTE = 1_000_000;

export class Execution {
  rootHi = 0;
  rootLo = 0;
  /** where `rootHi` is SEVERAL_ROOTS */
  roots: Uint32Array = NO_ROOTS;
  xorHi = 0;
  xorLo = 0;
  readonly #output: Output;
  readonly #lineage = new Lineage();
  readonly #id = new StableId();
  /** the input, until its id is asked for */
  #batch: Batch | undefined;
  #row = 0;
  #open = false;
  /** which of its executes this is: what one of them was given is of no use in the next */
  #number = 0;
  /** emits since there was room for sure */
  #emits = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** `at`: position of the row's group. Returns the execute's `out`. */
  begin(batch: Batch, row: number, at: number): BoltOut {
    this.rootHi = batch.groups[at];
    this.rootLo = batch.groups[at + 1];
    if (this.rootHi === SEVERAL_ROOTS) this.roots = batch.severalRootsAt(at);
    this.xorHi = batch.edgeHi(row);
    this.xorLo = batch.edgeLo(row);
    this.#batch = batch;
    this.#row = row;
    this.#open = true;
    this.#emits = 0;
    this.#number += 1;
    return new AutoOut(this, this.#number);
  }

  /** The execute has settled: from now on `emit` throws. */
  settle(): void {
    this.#open = false;
  }

  emit(number: number, values: Record<string, unknown>, options: BoltEmitOptions | undefined): void {
    this.#mustBeOpen(number, 'emit');
    if (options?.anchors !== undefined) throw this.#output.anchorsInAuto();
    this.#emit(this.#output.streamOf(options), values);
  }

  emitDirect(
    number: number,
    task: number,
    values: Record<string, unknown>,
    options: BoltEmitOptions | undefined,
  ): void {
    this.#mustBeOpen(number, 'emitDirect');
    if (options?.anchors !== undefined) throw this.#output.anchorsInAuto();
    const stream = this.#output.streamOf(options);
    this.#output.outbox.checkDirect(stream, task);
    this.#emit(stream, values, task);
  }

  async ready(number: number): Promise<void> {
    this.#mustBeOpen(number, 'ready');
    await this.#output.ready();
    this.#emits = 0;
  }

  ack(): never {
    throw this.#output.misuse('ack-in-auto', "out.ack in a bolt with ack: 'auto', which acks when execute ends");
  }

  fail(): never {
    throw this.#output.misuse('fail-in-auto', "out.fail in a bolt with ack: 'auto': throw an error in execute instead");
  }

  #emit(stream: OutStream, values: Record<string, unknown>, task?: number): void {
    const lineage = this.#lineage;
    if (this.#batch !== undefined) this.#beginLineage(this.#batch);
    this.#emits += 1;
    if (this.#emits > MAX_EMITS_PER_EXECUTE) throw this.#output.tooManyEmits(MAX_EMITS_PER_EXECUTE);
    const { outbox } = this.#output;
    outbox.xorHi = 0;
    outbox.xorLo = 0;
    try {
      outbox.emit(stream, values, lineage, task);
    } finally {
      // also of one that was refused at its second copy: what has left belongs to the tree
      lineage.number += 1;
      this.xorHi ^= outbox.xorHi;
      this.xorLo ^= outbox.xorLo;
      this.#output.stirred();
    }
  }

  #mustBeOpen(number: number, what: string): void {
    if (this.#open && number === this.#number) return;
    this.#output.count('out-settled');
    throw new SquallError(
      'ERR_SQUALL_OUT_SETTLED',
      `${this.#output.where}: ${what} after its execute has settled. What is emitted belongs to the tuple that execute was given: ` +
        'emit before it returns, or return a promise that resolves after the last emit.',
    );
  }

  /** At the first emit: many executes emit nothing, and need no id. */
  #beginLineage(batch: Batch): void {
    const id = batch.stableId(this.#row, this.#id);
    const lineage = this.#lineage;
    lineage.rootHi = this.rootHi;
    lineage.rootLo = this.rootLo;
    lineage.roots = this.roots;
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

/** One for each execute, though its book-keeping serves the next: so that one that is kept too long is noticed. */
class AutoOut implements BoltOut {
  readonly #execution: Execution;
  readonly #number: number;

  constructor(execution: Execution, number: number) {
    this.#execution = execution;
    this.#number = number;
  }
  emit(values: Record<string, unknown>, options?: BoltEmitOptions): void {
    this.#execution.emit(this.#number, values, options);
  }
  emitDirect(task: number, values: Record<string, unknown>, options?: BoltEmitOptions): void {
    this.#execution.emitDirect(this.#number, task, values, options);
  }
  ready(): Promise<void> {
    return this.#execution.ready(this.#number);
  }
  ack(_tuple: Tuple): void {
    this.#execution.ack();
  }
  fail(_tuple: Tuple): void {
    this.#execution.fail();
  }
}

const NO_ROOTS = new Uint32Array(0);
