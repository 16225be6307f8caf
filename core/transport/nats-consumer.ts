/**
 * PullConsumer on JetStream, by its requests and answers as they are on the wire: the client's own consumers ask for more
 * whatever has become of the last, and hold what came out of the reach of those who have to keep it alive.
 */
import { createInbox, type Msg, type NatsConnection } from 'nats';
import { SquallError } from '../errors.js';
import type { ConsumerConfig, ConsumerInfo, PullConsumer, PulledMessage } from './consumer.js';

/** How the consumer reaches the server; rejects as NatsDurableStreams does. */
export interface ConsumerApi {
  api<R>(path: string, body: object): Promise<R>;
  /** the connection is there at this moment */
  connected(): boolean;
  failed(error: unknown): void;
}

/** A request of ours the server answers with what it has until then, and then says that it is over. */
const EXPIRES_MS = 5_000;
/** A request whose end was not heard is over: the server was away, or its answer was lost. */
const LOST_AFTER_MS = EXPIRES_MS + 2_000;
const LOOK_EVERY_MS = 500;
/** Fewer are not asked for while others are on their way: a request costs as much as a message. */
const LEAST_SHARE = 0.25;
/** What the server sends at once must stay far below what it queues for a connection (64 MiB). */
const MAX_BATCH = 1_000;
const NANOS_PER_MS = 1_000_000;
const CONSUMER_NOT_FOUND = 10014;
const STREAM_NOT_FOUND = 10059;
/** the settings that cannot be changed later */
const FIXED = ['filter_subject', 'ack_policy'] as const;

/** An inbox each: a message comes with the stream's subject, and does not say which request it answers. */
interface Request {
  left: number;
  readonly at: number;
  end(): void;
}

interface ConsumerReply {
  readonly config: Readonly<Record<string, unknown>>;
  readonly ack_floor: { readonly stream_seq: number };
  readonly num_ack_pending: number;
  readonly num_pending: number;
}

interface StreamReply {
  readonly created: string;
  readonly state: { readonly first_seq: number; readonly last_seq: number };
}

const ACK = Buffer.from('+ACK');
const WORKING = Buffer.from('+WPI');
const TERM = Buffer.from('+TERM');

/** Makes the consumer, or changes the settings of one that is there. */
export async function ensureConsumer(api: ConsumerApi, config: ConsumerConfig): Promise<void> {
  const { stream, name, subject, deliver, ackWaitMs, maxAckPending } = config;
  const wanted = {
    durable_name: name,
    ack_policy: 'explicit',
    ack_wait: ackWaitMs * NANOS_PER_MS,
    max_ack_pending: maxAckPending,
    ...(subject === undefined ? {} : { filter_subject: subject }),
  };
  const found = await consumerOf(api, stream, name);
  const fresh = { deliver_policy: deliver, replay_policy: 'instant', max_deliver: -1 };
  if (found !== undefined) {
    const wrong = FIXED.filter((key) => (found.config[key] ?? '') !== ((wanted as Record<string, unknown>)[key] ?? ''));
    if ('deliver_subject' in found.config) wrong.push('deliver_subject' as never);
    if (wrong.length > 0) {
      throw new SquallError(
        'ERR_SQUALL_CONSUMER',
        `the consumer ${name} of the stream ${stream} exists with another ${wrong.join(' and another ')}, which cannot be changed: name another consumer, or delete it with: nats consumer rm ${stream} ${name}`,
        { facts: { stream, consumer: name, wrong, found: found.config } },
      );
    }
  }
  // what the consumer has that we say nothing of stays as it is
  const whole = { ...(found?.config ?? fresh), ...wanted };
  await api.api(`CONSUMER.DURABLE.CREATE.${stream}.${name}`, { stream_name: stream, config: whole });
}

async function consumerOf(api: ConsumerApi, stream: string, name: string): Promise<ConsumerReply | undefined> {
  try {
    return await api.api<ConsumerReply>(`CONSUMER.INFO.${stream}.${name}`, {});
  } catch (error) {
    const number = error instanceof SquallError ? error.facts.number : undefined;
    if (number === CONSUMER_NOT_FOUND) return undefined;
    if (number !== STREAM_NOT_FOUND) throw error;
    throw new SquallError(
      'ERR_SQUALL_NO_STREAM',
      `expected the stream ${stream}, but there is none of this name. Make it, for instance with: nats stream add ${stream}`,
      { facts: { stream }, cause: error },
    );
  }
}

export class NatsPullConsumer implements PullConsumer {
  readonly #connection: NatsConnection;
  readonly #api: ConsumerApi;
  readonly #next: string;
  readonly #config: ConsumerConfig;
  readonly #handler: (message: PulledMessage) => void;
  readonly #inbox: string;
  readonly #requests = new Set<Request>();
  readonly #timer: NodeJS.Timeout;
  #asked = 0;
  #wanted = 0;
  #number = 0;
  #stopped = false;

  constructor(
    connection: NatsConnection,
    inboxPrefix: string | undefined,
    api: ConsumerApi,
    config: ConsumerConfig,
    handler: (message: PulledMessage) => void,
  ) {
    this.#connection = connection;
    this.#api = api;
    this.#config = config;
    this.#handler = handler;
    this.#next = `$JS.API.CONSUMER.MSG.NEXT.${config.stream}.${config.name}`;
    this.#inbox = createInbox(inboxPrefix);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  get asked(): number {
    return this.#asked;
  }

  want(messages: number): void {
    this.#wanted = messages;
    if (this.#stopped || !this.#api.connected() || messages <= 0) return;
    if (this.#asked > 0 && messages < (messages + this.#asked) * LEAST_SHARE) return;
    this.#request(Math.min(messages, MAX_BATCH));
  }

  #request(batch: number): void {
    const inbox = `${this.#inbox}.${this.#number++}`;
    const subscription = this.#connection.subscribe(inbox, {
      callback: (refused, message) => {
        if (refused !== null) return;
        try {
          this.#arrived(message, request);
        } catch (error) {
          this.#api.failed(error);
        }
      },
    });
    const request: Request = { left: batch, at: performance.now(), end: () => subscription.unsubscribe() };
    this.#requests.add(request);
    this.#asked += batch;
    this.#wanted -= batch;
    const body = JSON.stringify({ batch, expires: EXPIRES_MS * NANOS_PER_MS });
    this.#connection.publish(this.#next, Buffer.from(body), { reply: inbox });
  }

  async info(): Promise<ConsumerInfo> {
    const { stream, name } = this.#config;
    const [consumer, { created, state }] = await Promise.all([
      this.#api.api<ConsumerReply>(`CONSUMER.INFO.${stream}.${name}`, {}),
      this.#api.api<StreamReply>(`STREAM.INFO.${stream}`, {}),
    ]);
    return {
      streamCreated: created,
      firstSeq: state.first_seq,
      lastSeq: state.last_seq,
      ackedSeq: consumer.ack_floor.stream_seq,
      unacked: consumer.num_ack_pending,
      waiting: consumer.num_pending,
    };
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const request of this.#requests) request.end();
  }

  #arrived(message: Msg, request: Request): void {
    const { headers, reply } = message;
    if (reply?.startsWith('$JS.ACK.')) {
      if (this.#requests.has(request)) {
        request.left -= 1;
        this.#asked -= 1;
        if (request.left === 0) this.#over(request);
      }
      this.#handler(this.#pulled(message, reply));
      return;
    }
    // 404, 408 and 409: it is over, and how it ended
    if (headers === undefined) return;
    this.#over(request);
    if (headers.code === 409 && /consumer deleted|consumer is push/i.test(headers.description)) {
      const { stream, name } = this.#config;
      this.#api.failed(
        new SquallError(
          'ERR_SQUALL_CONSUMER',
          `the consumer ${name} of the stream ${stream} is gone: ${headers.description}`,
          {
            facts: { stream, consumer: name },
          },
        ),
      );
    } else this.want(this.#wanted);
  }

  #pulled({ data, subject }: Msg, reply: string): PulledMessage {
    const tokens = reply.split('.');
    // $JS.ACK.stream.consumer.deliveries.seq.number.time.waiting; newer servers put domain and account before the stream
    const at = tokens.length > 9 ? 6 : 4;
    const say = (what: Uint8Array): void => {
      if (this.#api.connected()) this.#connection.publish(reply, what);
    };
    return {
      seq: Number(tokens[at + 1]),
      subject,
      data,
      timeMs: Number(tokens[at + 3]) / NANOS_PER_MS,
      deliveries: Number(tokens[at]),
      ack: () => say(ACK),
      nak: (delayMs) => say(Buffer.from(`-NAK {"delay": ${Math.round(delayMs * NANOS_PER_MS)}}`)),
      working: () => say(WORKING),
      term: () => say(TERM),
    };
  }

  #over(request: Request): void {
    if (!this.#requests.delete(request)) return;
    request.end();
    this.#asked -= request.left;
    this.#wanted += request.left;
  }

  #look(): void {
    const now = performance.now();
    for (const request of this.#requests) if (now - request.at > LOST_AFTER_MS) this.#over(request);
    this.want(this.#wanted);
  }

  /** The link broke: what was asked for will not come. */
  linkUp(): void {
    for (const request of this.#requests) this.#over(request);
    this.want(this.#wanted);
  }
}
