/** Dead letters in a JetStream stream of their topology. */
import { pack } from 'msgpackr';
import type { DurableStreams } from '../transport/durable.js';
import { SUBJECT_PREFIX } from '../wire/subjects.js';
import type { DeadLetter } from './dead-letter.js';
import { readStored, type StoredLetter, type UnreadableLetter } from './stored-letter.js';

/** The oldest letters go when the stream is larger. */
const MAX_STREAM_BYTES = 1 << 30;
/** What one letter may take of the server's payload, headers aside. */
const HEADROOM_BYTES = 4096;
const HEAD_CHARS = 1024;

export class DeadLetterStore {
  readonly stream: string;
  readonly subject: string;
  readonly #streams: DurableStreams;
  readonly #maxPayload: number;

  constructor(topology: string, streams: DurableStreams, maxPayload: number) {
    this.stream = `squall-${topology}-dead`;
    this.subject = `${SUBJECT_PREFIX}.${topology}.dead`;
    this.#streams = streams;
    this.#maxPayload = maxPayload;
  }

  async create(): Promise<void> {
    await this.#streams.ensureStream({ name: this.stream, subjects: [this.subject], maxBytes: MAX_STREAM_BYTES });
  }

  /** Stored when it resolves. `number` tells letters of the same tuple apart: it is dead-lettered once per attempt chain. */
  async append(letter: DeadLetter, number: string, withinMs: number): Promise<void> {
    let bytes = pack(letter);
    if (bytes.length > this.#maxPayload - HEADROOM_BYTES) bytes = pack({ ...letter, values: summary(letter.values) });
    await this.#streams.append(this.subject, bytes, { msgId: `${letter.tuple}/${number}`, withinMs });
  }

  async count(): Promise<number> {
    return (await this.#streams.info(this.stream))?.messages ?? 0;
  }

  async *list(options: { readonly limit?: number } = {}): AsyncGenerator<StoredLetter | UnreadableLetter> {
    for await (const record of this.#streams.read(this.stream, options)) yield readStored(record);
  }

  async get(seq: number): Promise<StoredLetter | UnreadableLetter | undefined> {
    for await (const record of this.#streams.read(this.stream, { fromSeq: seq, limit: 1 })) {
      if (record.seq === seq) return readStored(record);
    }
    return undefined;
  }

  /** Removes all; returns how many. */
  async purge(): Promise<number> {
    return this.#streams.purge(this.stream);
  }
}

/** Values that no message can hold: their sizes and heads. */
function summary(values: unknown): unknown {
  if (values === null || typeof values !== 'object') return String(values).slice(0, HEAD_CHARS);
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const text =
        value instanceof Uint8Array ? Buffer.from(value.subarray(0, HEAD_CHARS)).toString('hex') : String(value);
      return [name, text.length > HEAD_CHARS ? { length: text.length, head: text.slice(0, HEAD_CHARS) } : value];
    }),
  );
}
