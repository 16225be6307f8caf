/**
 * Streams that outlive processes and the broker, for the slow path only (dead letters, replay log, positions): 20 to 100
 * times slower per message than a Transport. Two implementations: JetStream (`NatsTransport.jetstream()`) and memory.
 *
 * Contract:
 * - What `append` resolved for survives the death of any process, the server's too (not a power cut: NATS 2.9 syncs
 *   to disk every 60 s).
 * - Calls wait while the server is away, up to their deadline, and then reject with ERR_SQUALL_STREAM_UNAVAILABLE; an
 *   append that was rejected may have been stored all the same. Everything but `append` has a deadline of 5 s.
 * - A stream or subject name that could not be one throws ERR_SQUALL_BAD_SUBJECT.
 */
export interface DurableStreams {
  /**
   * Creates the stream, or changes its limits to these. Old records go when `maxBytes` or `maxAgeMs` is reached; with
   * `discard: 'new'` an append beyond `maxBytes` is taken for a server that is away until there is room.
   * Rejects with ERR_SQUALL_STREAM_CONFIG where the server did not take every setting as asked.
   */
  ensureStream(config: StreamConfig): Promise<void>;
  /**
   * Stores a record once: the same `msgId` within two minutes is the same record, and answered with `duplicate` (even
   * after it was purged: a record that is to be written again needs another id).
   */
  append(subject: string, bytes: Uint8Array, options: AppendOptions): Promise<Appended>;
  /**
   * The records from `fromSeq` (default: the first) to the last one stored at the time of the call, at most `limit`, in
   * order. Nothing for a stream that does not exist. `bytes` belong to the caller.
   */
  read(stream: string, options?: ReadOptions): AsyncIterableIterator<DurableRecord>;
  /** Removes records; resolves to their number. */
  purge(stream: string, what?: PurgeOptions): Promise<number>;
  /** undefined: there is no such stream */
  info(stream: string): Promise<StreamInfo | undefined>;
  /** idempotent */
  delete(stream: string): Promise<void>;
}

export interface StreamConfig {
  readonly name: string;
  /** may have wildcards; no other stream may listen to the same */
  readonly subjects: readonly string[];
  readonly maxBytes: number;
  readonly maxAgeMs?: number;
  /** what goes beyond `maxBytes`: the oldest records (default), or those that come */
  readonly discard?: 'old' | 'new';
  /** `workqueue`: a record goes when its consumer has acked it. Default `limits`: it stays. In memory nobody consumes. */
  readonly retention?: 'limits' | 'workqueue';
}

export interface AppendOptions {
  readonly msgId: string;
  /** how long it may be tried, in ms from the call; default 5000 */
  readonly withinMs?: number;
}

export interface Appended {
  readonly seq: number;
  /** the record was there already, as `seq`: by an earlier call, or by a try of this one whose answer came too late */
  readonly duplicate: boolean;
}

export interface ReadOptions {
  readonly fromSeq?: number;
  readonly limit?: number;
}

export interface DurableRecord {
  readonly seq: number;
  readonly subject: string;
  readonly bytes: Uint8Array;
  /** wall clock of the server when it was stored, ms since 1970 */
  readonly timeMs: number;
}

/** Neither: everything. */
export interface PurgeOptions {
  /** this record and all before it */
  readonly upToSeq?: number;
  /** only records of this subject, which may have wildcards */
  readonly subject?: string;
}

export interface StreamInfo {
  readonly messages: number;
  readonly bytes: number;
  /** no record is older than `firstSeq`; 0 and 0 before the first one, lastSeq + 1 and lastSeq when all were removed */
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** For everything whose caller gives no deadline of its own: longer than a restart of the server takes. */
export const DURABLE_DEADLINE_MS = 5_000;

/** Within it the server remembers message ids; its own default. */
export const DUPLICATE_WINDOW_MS = 120_000;
