/** DurableStreams on JetStream, by its JSON API over plain requests: what the server can do is seen, not assumed. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { SquallError } from '../errors.js';
import { checkToken } from '../wire/subjects.js';
import { forbidden } from './connect-errors.js';
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
import { oversize } from './events.js';
import { checkPattern, checkSubject, checkUserPattern } from './subject-check.js';

/** What JetStream needs of a connection beyond Transport. */
export interface NatsRequester {
  maxPayload(): number;
  /**
   * The first answer. Rejects with ERR_SQUALL_LINK_DOWN when the link is down or breaks, ERR_SQUALL_CLOSED; with
   * `code` '503' where nobody listens to the subject; with any other error after `timeoutMs`.
   */
  request(
    subject: string,
    payload: Uint8Array,
    options: { readonly timeoutMs: number; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Uint8Array>;
}

/** A server that dies or stalls leaves requests unanswered; a short time-out makes the retry come soon after. */
const APPEND_ATTEMPT_MS = 500;
/** Purges and the like work on whole files; where the link breaks they are retried at once, too. */
const API_ATTEMPT_MS = 2_000;
const RETRY_DELAY_MS = 50;
/** What is not mended at once, such as a stream without space, is asked for less and less often. */
const MAX_RETRY_DELAY_MS = 250;
/** Records asked for at once: hides the round trip, and keeps what the server queues for us far below its limits. */
const READ_AHEAD = 16;
const NANOS_PER_MS = 1_000_000;
const HEADER_BYTES = 'NATS/1.0\r\nNats-Msg-Id: \r\n\r\n'.length;

/** The client's code where nobody listens; JetStream's code for "not now": no leader, no space, still starting. */
const NO_RESPONDERS = '503';
const UNAVAILABLE = 503;
const NOT_PERMITTED = 'PERMISSIONS_VIOLATION';
const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;
const MESSAGE_NOT_FOUND = 10037;
/** JetStream is off in this server, or for this account. */
const NOT_ENABLED = new Set([10039, 10076]);

interface ApiError {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

interface StreamReply {
  readonly config: Readonly<Record<string, unknown>>;
  readonly state: {
    readonly messages: number;
    readonly bytes: number;
    readonly first_seq: number;
    readonly last_seq: number;
  };
}

interface MessageReply {
  readonly message: { readonly subject: string; readonly seq: number; readonly data?: string; readonly time: string };
}

interface Question {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly attemptMs: number;
  readonly withinMs: number;
}

export class NatsDurableStreams implements DurableStreams {
  readonly #requester: NatsRequester;
  readonly #check: (subject: string) => void;

  /** `check`: throws ERR_SQUALL_BAD_SUBJECT for what may not be appended to */
  constructor(requester: NatsRequester, check: (subject: string) => void = checkSubject) {
    this.#requester = requester;
    this.#check = check;
  }

  /** Name of the stream that stores what is published to `subject`; undefined: none does. */
  async streamOf(subject: string): Promise<string | undefined> {
    const { streams } = await this.#api<{ readonly streams: readonly string[] | null }>('STREAM.NAMES', { subject });
    return streams?.[0];
  }

  /** Rejects with ERR_SQUALL_NATS_NO_JETSTREAM where the server, or the account, has none. */
  async checkEnabled(withinMs: number): Promise<void> {
    await this.#api('INFO', {}, withinMs);
  }

  async ensureStream(config: StreamConfig): Promise<void> {
    checkToken('stream', config.name);
    config.subjects.forEach(checkUserPattern);
    const wanted = wantedConfig(config);
    let stream = await this.#stream(config.name);
    try {
      stream ??= await this.#create(config.name, wanted);
      if (differences(wanted, stream.config).length > 0) {
        stream = await this.#api<StreamReply>(`STREAM.UPDATE.${config.name}`, { ...stream.config, ...wanted });
      }
    } catch (error) {
      if (errorNumber(error) === undefined) throw error;
      throw misconfigured(config, [(error as Error).message], error);
    }
    const wrong = differences(wanted, stream.config);
    if (wrong.length > 0) throw misconfigured(config, wrong);
  }

  async append(subject: string, bytes: Uint8Array, options: AppendOptions): Promise<Appended> {
    this.#check(subject);
    const msgId = headerSafe(options.msgId);
    const size = bytes.length + HEADER_BYTES + msgId.length;
    if (size > this.#requester.maxPayload()) throw oversize(subject, size, this.#requester.maxPayload());
    const { seq, duplicate = false } = await this.#ask<{ readonly seq: number; readonly duplicate?: boolean }>({
      subject,
      payload: bytes,
      headers: { 'Nats-Msg-Id': msgId },
      attemptMs: APPEND_ATTEMPT_MS,
      withinMs: options.withinMs ?? DURABLE_DEADLINE_MS,
    });
    return { seq, duplicate };
  }

  async *read(stream: string, options: ReadOptions = {}): AsyncIterableIterator<DurableRecord> {
    const end = await this.info(stream);
    if (end === undefined) return;
    let next = Math.max(options.fromSeq ?? 0, end.firstSeq);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    while (next <= end.lastSeq && left > 0) {
      const count = Math.min(READ_AHEAD, end.lastSeq - next + 1, left);
      const asked = Array.from({ length: count }, (_, index) => this.#message(stream, { seq: next + index }));
      const found = (await Promise.all(asked)).filter((record) => record !== undefined);
      yield* found;
      left -= found.length;
      next += count;
      if (found.length > 0 || next > end.lastSeq) continue;
      // Nothing but removed records: the server looks for the next one.
      const record = await this.#message(stream, { seq: next, next_by_subj: '>' });
      if (record === undefined) return;
      next = record.seq;
    }
  }

  async purge(stream: string, what: PurgeOptions = {}): Promise<number> {
    checkToken('stream', stream);
    if (what.subject !== undefined) checkPattern(what.subject);
    const { purged } = await this.#api<{ readonly purged: number }>(`STREAM.PURGE.${stream}`, {
      ...(what.upToSeq !== undefined && { seq: what.upToSeq + 1 }),
      ...(what.subject !== undefined && { filter: what.subject }),
    });
    return purged;
  }

  async info(stream: string): Promise<StreamInfo | undefined> {
    const state = (await this.#stream(stream))?.state;
    return (
      state && { messages: state.messages, bytes: state.bytes, firstSeq: state.first_seq, lastSeq: state.last_seq }
    );
  }

  async delete(stream: string): Promise<void> {
    checkToken('stream', stream);
    try {
      await this.#api(`STREAM.DELETE.${stream}`, {});
    } catch (error) {
      if (errorNumber(error) !== STREAM_NOT_FOUND) throw error;
    }
  }

  async #create(name: string, wanted: object): Promise<StreamReply> {
    try {
      return await this.#api<StreamReply>(`STREAM.CREATE.${name}`, wanted);
    } catch (error) {
      // Somebody was quicker, with other limits.
      const other = errorNumber(error) === STREAM_NAME_IN_USE ? await this.#stream(name) : undefined;
      if (other === undefined) throw error;
      return other;
    }
  }

  async #stream(name: string): Promise<StreamReply | undefined> {
    checkToken('stream', name);
    try {
      return await this.#api<StreamReply>(`STREAM.INFO.${name}`, {});
    } catch (error) {
      if (errorNumber(error) === STREAM_NOT_FOUND) return undefined;
      throw error;
    }
  }

  async #message(stream: string, which: object): Promise<DurableRecord | undefined> {
    try {
      const { message } = await this.#api<MessageReply>(`STREAM.MSG.GET.${stream}`, which);
      return {
        seq: message.seq,
        subject: message.subject,
        bytes: new Uint8Array(Buffer.from(message.data ?? '', 'base64')),
        timeMs: Date.parse(message.time),
      };
    } catch (error) {
      const number = errorNumber(error);
      if (number === MESSAGE_NOT_FOUND || number === STREAM_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** One request to JetStream's API; rejects with ERR_SQUALL_STREAM_REFUSED, `facts.number` its number for the error. */
  api<R>(path: string, body: object): Promise<R> {
    return this.#api<R>(path, body);
  }

  #api<R>(path: string, body: object, withinMs = DURABLE_DEADLINE_MS): Promise<R> {
    const payload = Buffer.from(JSON.stringify(body));
    return this.#ask<R>({ subject: `$JS.API.${path}`, payload, attemptMs: API_ATTEMPT_MS, withinMs });
  }

  /** Asks until JetStream has answered or the time is over. All our questions may be asked again. */
  async #ask<R>({ subject, payload, headers, attemptMs, withinMs }: Question): Promise<R> {
    const deadline = performance.now() + withinMs;
    for (let waitMs = RETRY_DELAY_MS; ; waitMs = Math.min(2 * waitMs, MAX_RETRY_DELAY_MS)) {
      let failure: unknown;
      try {
        const timeoutMs = Math.max(1, Math.min(attemptMs, deadline - performance.now()));
        const answer = await this.#requester.request(subject, payload, { timeoutMs, headers });
        const { error, ...result } = JSON.parse(Buffer.from(answer).toString()) as { readonly error?: ApiError };
        if (error === undefined) return result as R;
        failure = refused(subject, error);
        if (error.code !== UNAVAILABLE || NOT_ENABLED.has(error.err_code ?? 0)) throw failure;
      } catch (error) {
        if (error instanceof SquallError && error.code !== 'ERR_SQUALL_LINK_DOWN') throw error;
        if ((error as { readonly code?: string }).code === NOT_PERMITTED) throw forbidden('publish', subject, error);
        failure = error;
      }
      // Another attempt would have no time for an answer, and end in a failure that says less than this one.
      const leftMs = deadline - performance.now();
      if (leftMs < 2 * RETRY_DELAY_MS) throw unavailable(subject, withinMs, failure);
      await delay(Math.min(waitMs, leftMs - RETRY_DELAY_MS));
    }
  }
}

function wantedConfig(config: StreamConfig): Readonly<Record<string, unknown>> {
  const maxAgeMs = config.maxAgeMs ?? 0;
  const windowMs = maxAgeMs > 0 ? Math.min(DUPLICATE_WINDOW_MS, maxAgeMs) : DUPLICATE_WINDOW_MS;
  return {
    name: config.name,
    subjects: config.subjects,
    max_bytes: config.maxBytes,
    max_age: maxAgeMs * NANOS_PER_MS,
    duplicate_window: windowMs * NANOS_PER_MS,
    // Memory streams vanish with the server.
    storage: 'file',
    retention: config.retention ?? 'limits',
    discard: config.discard ?? 'old',
  };
}

/** Servers ignore fields that they do not know, and say nothing. */
function differences(wanted: Readonly<Record<string, unknown>>, found: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(wanted)
    .filter((key) => JSON.stringify(wanted[key]) !== JSON.stringify(found[key]))
    .map((key) => `${key}: expected ${JSON.stringify(wanted[key])}, found ${JSON.stringify(found[key])}`);
}

/** Message ids come from users' data; what could not stand in a header is replaced by its digest. */
function headerSafe(msgId: string): string {
  if (/^[\x21-\x7e]{1,128}$/.test(msgId)) return msgId;
  return `sha256-${createHash('sha256').update(msgId).digest('hex')}`;
}

function errorNumber(error: unknown): number | undefined {
  return error instanceof SquallError ? (error.facts.number as number | undefined) : undefined;
}

function refused(subject: string, error: ApiError): SquallError {
  if (NOT_ENABLED.has(error.err_code ?? 0)) return noJetStream(error.description ?? 'not enabled');
  return new SquallError(
    'ERR_SQUALL_STREAM_REFUSED',
    `JetStream refused ${subject}: ${error.description} (${error.err_code})`,
    {
      facts: { subject, code: error.code, number: error.err_code },
    },
  );
}

function misconfigured(config: StreamConfig, wrong: readonly string[], cause?: unknown): SquallError {
  return new SquallError(
    'ERR_SQUALL_STREAM_CONFIG',
    `The stream ${config.name} is not as it has to be (${wrong.join('; ')}): delete it, or free its subjects`,
    { facts: { stream: config.name, wrong }, cause },
  );
}

function noJetStream(why: string): SquallError {
  return new SquallError(
    'ERR_SQUALL_NATS_NO_JETSTREAM',
    `Expected NATS with JetStream, but this server has none for us (${why}): start it with -js, or enable it for the account`,
  );
}

function unavailable(subject: string, withinMs: number, cause: unknown): SquallError {
  const nobody = (cause as { readonly code?: string }).code === NO_RESPONDERS;
  if (nobody && subject.startsWith('$JS.API.')) return noJetStream('nobody answers its API');
  const why = nobody ? 'no stream takes this subject' : (cause as Error).message;
  // it answers, but "not now", as with a stream that is full
  const said = errorNumber(cause) !== undefined;
  return new SquallError(
    'ERR_SQUALL_STREAM_UNAVAILABLE',
    said
      ? `JetStream has not taken ${subject} for ${withinMs} ms: ${why}`
      : `JetStream did not answer ${subject} within ${withinMs} ms: ${why}`,
    {
      facts: { subject, withinMs },
      cause,
    },
  );
}
