/**
 * One execute under way, and the `out` that goes with it. Everything emitted is anchored to the input; the XOR of the
 * new edges and the input's own is what the acker is told when the execute has ended well.
 */
import { SquallError } from '../errors.js';
import type { BoltOut, EmitOptions } from '../topology/definition.js';
import { StableId } from '../tuple/stable-ids.js';
import { type Batch, EDGE_HI, EDGE_LO, ID_WORDS, META, ROOT_HI, ROOT_LO, STABLE } from '../wire/batch.js';
import type { Outbox, OutStream } from './outbox.js';

/** An execute that emits without end would fill the memory before it ever returned. */
export const MAX_EMITS_PER_EXECUTE = 1_000_000;

export class Execution implements BoltOut {
  rootHi = 0;
  rootLo = 0;
  xorHi = 0;
  xorLo = 0;
  readonly #outbox: Outbox;
  readonly #where: string;
  readonly #default: OutStream | undefined;
  readonly #id = new StableId();
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #meta = 0;
  #emits = 0;
  #open = false;

  constructor(outbox: Outbox, where: string, defaultStream: OutStream | undefined) {
    this.#outbox = outbox;
    this.#where = where;
    this.#default = defaultStream;
  }

  begin(batch: Batch, row: number): void {
    const { ids } = batch;
    const at = row * ID_WORDS;
    this.rootHi = ids[at + ROOT_HI];
    this.rootLo = ids[at + ROOT_LO];
    this.xorHi = ids[at + EDGE_HI];
    this.xorLo = ids[at + EDGE_LO];
    this.#a = ids[at + STABLE];
    this.#b = ids[at + STABLE + 1];
    this.#c = ids[at + STABLE + 2];
    this.#d = ids[at + STABLE + 3];
    this.#meta = ids[at + META];
    this.#emits = 0;
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
    if (this.#emits >= MAX_EMITS_PER_EXECUTE) {
      throw new SquallError(
        'ERR_SQUALL_TOO_MANY_EMITS',
        `${this.#where}: more than ${MAX_EMITS_PER_EXECUTE} emits in one execute. Split the input into smaller tuples upstream.`,
        { facts: { limit: MAX_EMITS_PER_EXECUTE } },
      );
    }
    const outbox = this.#outbox;
    const name = options?.stream;
    const stream =
      name === undefined || name === 'default' ? (this.#default ?? outbox.stream('default', this.#where)) : outbox.stream(name, this.#where);
    const id = this.#id;
    id.child(this.#a, this.#b, this.#c, this.#d, stream.site, this.#emits);
    this.#emits += 1;
    outbox.xorHi = 0;
    outbox.xorLo = 0;
    outbox.emit(stream, values, this.rootHi, this.rootLo, id.a, id.b, id.c, id.d, this.#meta);
    this.xorHi ^= outbox.xorHi;
    this.xorLo ^= outbox.xorLo;
  }
}
