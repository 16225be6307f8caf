/**
 * What `tick` and `end` emitted and nobody has room for yet: in order, as columns, so that a count bolt with a million
 * words at its end takes the memory of its words and little more.
 */
import type { Column } from '../wire/columns.js';
import type { OutStream } from './outbox.js';

/** Rows of a chunk: what is taken out is freed chunk by chunk. */
const CHUNK_ROWS = 4096;

interface Chunk {
  readonly stream: OutStream;
  readonly columns: readonly Column[];
  readonly ids: number[];
  /** of a direct stream: the tasks they go to */
  readonly to: number[];
  next: number;
}

export class Backlog {
  #chunks: Chunk[] = [];
  #head = 0;

  get empty(): boolean {
    return this.#head === this.#chunks.length;
  }

  /** Throws SquallError where the values do not fit the stream. */
  push(stream: OutStream, values: Record<string, unknown>, id: number, to: number, where: string): void {
    const { layout } = stream;
    const place = `${where} stream "${stream.declaration.name}"`;
    if (!layout.fits(values)) throw layout.refusal(values, place);
    const undeclared = layout.undeclared(values, place);
    if (undeclared !== undefined) throw undeclared;
    let chunk = this.#chunks.at(-1);
    if (this.empty || chunk === undefined || chunk.stream !== stream || chunk.ids.length === CHUNK_ROWS) {
      chunk = { stream, columns: layout.columns(), ids: [], to: [], next: 0 };
      this.#chunks.push(chunk);
    }
    layout.push(chunk.columns, values);
    chunk.ids.push(id);
    chunk.to.push(to);
  }

  /** The oldest; there must be one. */
  shift(): {
    readonly stream: OutStream;
    readonly values: Record<string, unknown>;
    readonly id: number;
    readonly to: number;
  } {
    const chunk = this.#chunks[this.#head];
    const row = chunk.next++;
    if (chunk.next === chunk.ids.length) {
      this.#head += 1;
      if (this.#head === this.#chunks.length || this.#head > 64) {
        this.#chunks = this.#chunks.slice(this.#head);
        this.#head = 0;
      }
    }
    return {
      stream: chunk.stream,
      values: chunk.stream.layout.all(chunk.columns, row),
      id: chunk.ids[row],
      to: chunk.to[row],
    };
  }
}
