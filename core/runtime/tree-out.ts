/** The `out` of a bolt's `tick` and `end`: what it emits starts trees in the task's own ledger. */
import { SquallError } from '../errors.js';
import type { BoltEmitOptions, BoltOut, Tuple } from '../topology/definition.js';
import type { Clock } from './clock.js';
import type { ManualDesk } from './manual-out.js';
import type { Origin } from './origin.js';
import type { Output } from './output.js';

export class TreeOut implements BoltOut {
  readonly #what: string;
  readonly #output: Output;
  readonly #origin: Origin;
  readonly #clock: Clock;
  /** with `ack: 'manual'`: a tick may emit on tuples that the task holds, and settle them */
  readonly #desk: ManualDesk | undefined;
  #open = true;

  constructor(what: string, output: Output, origin: Origin, clock: Clock, desk: ManualDesk | undefined) {
    this.#what = what;
    this.#output = output;
    this.#origin = origin;
    this.#clock = clock;
    this.#desk = desk;
    desk?.resetEmits();
  }

  settle(): void {
    this.#open = false;
  }

  emit(values: Record<string, unknown>, options?: BoltEmitOptions): void {
    this.#emit(values, options, undefined);
  }

  emitDirect(task: number, values: Record<string, unknown>, options?: BoltEmitOptions): void {
    this.#mustBeOpen('emitDirect');
    this.#output.outbox.checkDirect(this.#output.streamOf(options), task);
    this.#emit(values, options, task);
  }

  async ready(): Promise<void> {
    this.#mustBeOpen('ready');
    await this.#origin.ready();
    this.#desk?.resetEmits();
  }

  ack(tuple: Tuple): void {
    this.#manual('ack').ack(tuple);
  }

  fail(tuple: Tuple, reason?: unknown): void {
    this.#manual('fail').fail(tuple, reason);
  }

  #emit(values: Record<string, unknown>, options: BoltEmitOptions | undefined, task: number | undefined): void {
    this.#mustBeOpen('emit');
    const stream = this.#output.streamOf(options);
    const anchors = options?.anchors;
    if (anchors !== undefined) {
      if (this.#desk === undefined) throw this.#output.anchorsInAuto();
      this.#desk.emit(stream, values, anchors, task);
    } else {
      this.#origin.offer(stream, values, this.#clock.now(), task);
      this.#output.stirred();
    }
  }

  #manual(what: 'ack' | 'fail'): ManualDesk {
    if (this.#desk !== undefined) return this.#desk;
    throw this.#output.misuse(`${what}-in-auto`, `out.${what} in ${this.#what} of a bolt with ack: 'auto'`);
  }

  #mustBeOpen(what: string): void {
    // one that holds tuples may settle them whenever it likes
    if (this.#open || this.#desk !== undefined) return;
    this.#output.count('out-settled');
    throw new SquallError(
      'ERR_SQUALL_OUT_SETTLED',
      `${this.#output.where}: ${what} after its ${this.#what} has settled. Emit before it returns, or return a promise that resolves after the last emit.`,
    );
  }
}
