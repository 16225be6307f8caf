/** DurableStreams in memory, for tests and simulation: outlives links, not the process. */
import { SquallError } from '../errors.js';
import { checkToken } from '../wire/subjects.js';
import {
  type Appended,
  type AppendOptions,
  DUPLICATE_WINDOW_MS,
  DURABLE_DEADLINE_MS,
  type DurableRecord,
  type DurableStreams,
  type PurgeOptions,
  type ReadOptions,
  type StreamConfig,
  type StreamInfo,
} from './durable.js';
import { checkPattern, checkSubject, patternsOverlap, subjectMatches } from './subject-check.js';

/** About what a stored record costs besides its subject and bytes. */
const RECORD_OVERHEAD_BYTES = 32;

interface MemoryStream {
  config: StreamConfig;
  records: DurableRecord[];
  bytes: number;
  lastSeq: number;
  /** message id → when and as what it was stored */
  readonly ids: Map<string, { readonly seq: number; readonly timeMs: number }>;
}

/** What all connections of a network share. */
export class MemoryStreamStore {
  readonly streams = new Map<string, MemoryStream>();
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }
}

export class MemoryDurableStreams implements DurableStreams {
  readonly #store: MemoryStreamStore;
  readonly #reach: (what: string, withinMs: number) => Promise<void>;

  /** `reach` resolves when the store can be reached, and rejects when it could not be for that long. */
  constructor(store: MemoryStreamStore, reach: (what: string, withinMs: number) => Promise<void>) {
    this.#store = store;
    this.#reach = reach;
  }

  async ensureStream(config: StreamConfig): Promise<void> {
    checkToken('stream', config.name);
    config.subjects.forEach(checkPattern);
    await this.#connect(`stream ${config.name}`);
    for (const other of this.#store.streams.values()) {
      if (other.config.name === config.name) continue;
      const clash = config.subjects.find((one) => other.config.subjects.some((two) => patternsOverlap(one, two)));
      if (clash === undefined) continue;
      throw new SquallError(
        'ERR_SQUALL_STREAM_CONFIG',
        `The stream ${config.name} is not as it has to be (${clash} belongs to ${other.config.name}): delete it, or free its subjects`,
      );
    }
    const stream = this.#store.streams.get(config.name);
    if (stream) {
      stream.config = config;
      this.#trim(stream);
    } else {
      this.#store.streams.set(config.name, { config, records: [], bytes: 0, lastSeq: 0, ids: new Map() });
    }
  }

  async append(subject: string, bytes: Uint8Array, options: AppendOptions): Promise<Appended> {
    checkSubject(subject);
    const copy = bytes.slice();
    await this.#connect(subject, options.withinMs);
    const stream = [...this.#store.streams.values()].find(({ config }) =>
      config.subjects.some((pattern) => subjectMatches(pattern, subject)),
    );
    if (stream === undefined) throw unavailable(subject, 'no stream takes this subject');
    const timeMs = this.#store.now();
    const known = stream.ids.get(options.msgId);
    if (known && timeMs - known.timeMs < DUPLICATE_WINDOW_MS) return { seq: known.seq, duplicate: true };
    for (const [id, { timeMs: since }] of stream.ids) {
      if (timeMs - since < DUPLICATE_WINDOW_MS) break;
      stream.ids.delete(id);
    }
    const { discard, maxBytes } = stream.config;
    if (discard === 'new' && stream.bytes + cost(subject, copy) > maxBytes) throw unavailable(subject, 'it is full');
    stream.lastSeq += 1;
    stream.ids.set(options.msgId, { seq: stream.lastSeq, timeMs });
    stream.records.push({ seq: stream.lastSeq, subject, bytes: copy, timeMs });
    stream.bytes += cost(subject, copy);
    this.#trim(stream);
    return { seq: stream.lastSeq, duplicate: false };
  }

  async *read(name: string, options: ReadOptions = {}): AsyncIterableIterator<DurableRecord> {
    if ((await this.info(name)) === undefined) return;
    const { fromSeq = 0, limit } = options;
    const records = this.#store.streams.get(name)?.records.filter(({ seq }) => seq >= fromSeq) ?? [];
    for (const record of records.slice(0, limit)) yield { ...record, bytes: record.bytes.slice() };
  }

  async purge(name: string, what: PurgeOptions = {}): Promise<number> {
    checkToken('stream', name);
    if (what.subject !== undefined) checkPattern(what.subject);
    await this.#connect(`stream ${name}`);
    const stream = this.#store.streams.get(name);
    if (stream === undefined) {
      throw new SquallError('ERR_SQUALL_STREAM_REFUSED', `There is no stream ${name} to purge`);
    }
    const { upToSeq = Number.POSITIVE_INFINITY, subject = '>' } = what;
    return remove(stream, (record) => record.seq <= upToSeq && subjectMatches(subject, record.subject));
  }

  async info(name: string): Promise<StreamInfo | undefined> {
    checkToken('stream', name);
    await this.#connect(`stream ${name}`);
    const stream = this.#store.streams.get(name);
    if (stream === undefined) return undefined;
    this.#trim(stream);
    const { records, bytes, lastSeq } = stream;
    const firstSeq = records[0]?.seq ?? (lastSeq === 0 ? 0 : lastSeq + 1);
    return { messages: records.length, bytes, firstSeq, lastSeq };
  }

  async delete(name: string): Promise<void> {
    checkToken('stream', name);
    await this.#connect(`stream ${name}`);
    this.#store.streams.delete(name);
  }

  async #connect(what: string, withinMs = DURABLE_DEADLINE_MS): Promise<void> {
    try {
      await this.#reach(what, withinMs);
    } catch (cause) {
      if (cause instanceof SquallError && cause.code === 'ERR_SQUALL_CLOSED') throw cause;
      throw unavailable(what, `the link was down for ${withinMs} ms`, cause);
    }
  }

  /** Takes from the old end what is too old or too much. */
  #trim(stream: MemoryStream): void {
    const { maxAgeMs, maxBytes } = stream.config;
    const oldest = maxAgeMs ? this.#store.now() - maxAgeMs : Number.NEGATIVE_INFINITY;
    let excess = stream.bytes - maxBytes;
    let count = 0;
    for (const record of stream.records) {
      if (excess <= 0 && record.timeMs >= oldest) break;
      const size = cost(record.subject, record.bytes);
      excess -= size;
      stream.bytes -= size;
      count += 1;
    }
    stream.records.splice(0, count);
  }
}

function remove(stream: MemoryStream, goes: (record: DurableRecord) => boolean): number {
  const kept: DurableRecord[] = [];
  let bytes = 0;
  for (const record of stream.records) {
    if (goes(record)) continue;
    kept.push(record);
    bytes += cost(record.subject, record.bytes);
  }
  const removed = stream.records.length - kept.length;
  stream.records = kept;
  stream.bytes = bytes;
  return removed;
}

function cost(subject: string, bytes: Uint8Array): number {
  return subject.length + bytes.length + RECORD_OVERHEAD_BYTES;
}

function unavailable(what: string, why: string, cause?: unknown): SquallError {
  return new SquallError('ERR_SQUALL_STREAM_UNAVAILABLE', `The streams did not answer ${what}: ${why}`, { cause });
}
