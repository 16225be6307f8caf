/**
 * PullConsumer on JetStream, by its requests and answers as they are on the wire: the client's own consumers ask for more
 * whatever has become of the last, and hold what came out of the reach of those who have to keep it alive.
 */
import { createInbox, type Msg, type NatsConnection } from 'nats';
import { SquallError } from '../errors.js';
import type {
  ConsumerConfig,
  ConsumerHandler,
  ConsumerInfo,
  Delivery,
  PullConsumer,
  PulledMessage,
} from './consumer.js';
import { type AskJetStream, CONSUMER_NOT_FOUND, numberOf, STREAM_NOT_FOUND } from './nats-consumer-config.js';

/** How the consumer reaches the server. */
export interface ConsumerApi {
  readonly api: AskJetStream;
  /** the connection is there at this moment */
  connected(): boolean;
  /** of one message, in bytes */
  maxPayload(): number;
  failed(error: unknown): void;
}

/** A request of ours the server answers with what it has until then, and then says that it is over. */
const EXPIRES_MS = 2_000;
/** A request whose end was not heard is over: the server was away, its answer was lost, or nobody is there to answer. */
const LOST_AFTER_MS = EXPIRES_MS + 2_000;
const LOOK_EVERY_MS = 500;
/** Fewer are not asked for while others are on their way: a request costs as much as a message. */
const LEAST_SHARE = 0.25;
/**
 * What the server sends at once must stay far below what it queues for a connection (64 MiB), and what we hold must be
 * bounded: so many requests of so many messages and bytes.
 */
const MAX_REQUESTS = 8;
const MAX_BATCH = 1_000;
const MAX_BYTES = 4 << 20;
/** A request that the largest message does not fit in would be answered with nothing, and so would the next. */
const MESSAGES_OF_A_REQUEST = 2;
const NANOS_PER_MS = 1_000_000;
/** How a request ends whose time is over. */
const EXPIRED = 408;

/** An inbox each: a message comes with the stream's subject, and does not say which request it answers. */
interface Request {
  left: number;
  readonly batch: number;
  readonly at: number;
  end(): void;
}

interface ConsumerReply {
  readonly ack_floor: { readonly stream_seq: number };
  readonly num_ack_pending: number;
  readonly num_pending: number;
}

interface StreamReply {
  readonly created: string;
  readonly config: { readonly retention?: string };
  readonly state: { readonly first_seq: number; readonly last_seq: number };
}

const ACK = Buffer.from('+ACK');
const WORKING = Buffer.from('+WPI');
const TERM = Buffer.from('+TERM');

export class NatsPullConsumer implements PullConsumer {
  readonly #connection: NatsConnection;
  readonly #api: ConsumerApi;
  readonly #next: string;
  readonly #acks: string;
  readonly #config: ConsumerConfig;
  readonly #handler: ConsumerHandler;
  readonly #inbox: string;
  readonly #requests = new Set<Request>();
  readonly #timer: NodeJS.Timeout;
  /** when the stream was made, as it was first seen */
  #created: string | undefined;
  /**
   * The link was down, and it has not been seen since whether consumer and stream are the same. Nothing is said of
   * messages meanwhile: those of a new stream have the same numbers.
   */
  #unsure = false;
  #looking = false;
  #asked = 0;
  #wanted = 0;
  #number = 0;
  #stopped = false;

  constructor(
    connection: NatsConnection,
    inboxPrefix: string | undefined,
    api: ConsumerApi,
    config: ConsumerConfig,
    handler: ConsumerHandler,
  ) {
    this.#connection = connection;
    this.#api = api;
    this.#config = config;
    this.#handler = handler;
    this.#next = `$JS.API.CONSUMER.MSG.NEXT.${config.stream}.${config.name}`;
    this.#acks = `$JS.ACK.${config.stream}.${config.name}.`;
    this.#inbox = createInbox(inboxPrefix);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  get asked(): number {
    return this.#asked;
  }

  want(messages: number): void {
    this.#wanted = messages;
    if (!this.#usable || messages <= 0 || this.#requests.size >= MAX_REQUESTS) return;
    if (this.#asked > 0 && messages < (messages + this.#asked) * LEAST_SHARE) return;
    this.#request(Math.min(messages, MAX_BATCH));
  }

  get #usable(): boolean {
    return !this.#stopped && !this.#unsure && this.#api.connected();
  }

  #request(batch: number): void {
    const inbox = `${this.#inbox}.${this.#number++}`;
    const subscription = this.#connection.subscribe(inbox, {
      callback: (refused, message) => {
        if (refused !== null) return; // told to `forbidden`
        try {
          this.#arrived(message, request);
        } catch (error) {
          this.#api.failed(error);
        }
      },
    });
    const request: Request = { left: batch, batch, at: performance.now(), end: () => subscription.unsubscribe() };
    this.#requests.add(request);
    this.#asked += batch;
    this.#wanted -= batch;
    const bytes = Math.max(MAX_BYTES, MESSAGES_OF_A_REQUEST * this.#api.maxPayload());
    const body = JSON.stringify({ batch, max_bytes: bytes, expires: EXPIRES_MS * NANOS_PER_MS });
    this.#connection.publish(this.#next, Buffer.from(body), { reply: inbox });
  }

  async info(): Promise<ConsumerInfo> {
    const { stream, name } = this.#config;
    const [consumer, { created, config, state }] = await Promise.all([
      this.#api.api<ConsumerReply>(`CONSUMER.INFO.${stream}.${name}`, {}),
      this.#api.api<StreamReply>(`STREAM.INFO.${stream}`, {}),
    ]);
    this.#created ??= created;
    return {
      streamCreated: created,
      firstSeq: state.first_seq,
      lastSeq: state.last_seq,
      keeps: (config.retention ?? 'limits') === 'limits',
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
      this.#handler.message(this.#pulled(message, reply));
      return;
    }
    // 404, 408, 409 and 503: it is over, and how it ended
    if (headers === undefined) return;
    this.#over(request);
    // one that brought nothing, and did not even wait, is not followed by another at once: that would go round and round
    if (request.left < request.batch || headers.code === EXPIRED) this.want(this.#wanted);
    else void this.#doubt();
  }

  #pulled({ data, subject }: Msg, reply: string): PulledMessage {
    const tokens = reply.split('.');
    // $JS.ACK.stream.consumer.deliveries.seq.number.time.waiting; newer servers put domain and account before the stream
    const at = tokens.length > 9 ? 6 : 4;
    return {
      seq: Number(tokens[at + 1]),
      subject,
      data,
      timeMs: Number(tokens[at + 3]) / NANOS_PER_MS,
      deliveries: Number(tokens[at]),
      delivery: new NatsDelivery(this.#say, reply),
    };
  }

  readonly #say = (reply: string, what: Uint8Array): void => {
    if (!this.#unsure && this.#api.connected()) this.#connection.publish(reply, what);
  };

  #over(request: Request): void {
    if (!this.#requests.delete(request)) return;
    request.end();
    this.#asked -= request.left;
    this.#wanted += request.left;
  }

  #look(): void {
    const now = performance.now();
    let doubtful = this.#unsure;
    for (const request of this.#requests) {
      if (now - request.at < LOST_AFTER_MS) continue;
      this.#over(request);
      // a server of 2.9 says nothing where the consumer is not there
      doubtful = true;
    }
    if (doubtful) void this.#doubt();
    this.want(this.#wanted);
  }

  /** The link broke: what was asked for will not come. */
  linkUp(): void {
    for (const request of this.#requests) this.#over(request);
    this.#unsure = true;
    void this.#doubt();
  }

  /** The server refused a subject. */
  forbidden(error: SquallError): void {
    const subject = String(error.facts.subject);
    const own = subject === this.#next || subject.startsWith(this.#inbox) || subject.startsWith(this.#acks);
    if (own) this.#gone(error);
  }

  /** Are consumer and stream still there, and the same? While nobody answers it is asked again. */
  async #doubt(): Promise<void> {
    if (this.#looking || this.#stopped || !this.#api.connected()) return;
    this.#looking = true;
    try {
      const { streamCreated } = await this.info();
      if (this.#stopped) return;
      if (streamCreated !== this.#created) return this.#gone(madeAnew(this.#config, streamCreated));
      if (!this.#unsure) return;
      this.#unsure = false;
      this.#handler.back();
      this.want(this.#wanted);
    } catch (error) {
      const number = numberOf(error);
      if (number === CONSUMER_NOT_FOUND || number === STREAM_NOT_FOUND)
        this.#gone(deleted(this.#config, number, error));
    } finally {
      this.#looking = false;
    }
  }

  #gone(error: Error): void {
    if (this.#stopped) return;
    this.stop();
    this.#handler.gone(error);
  }
}

class NatsDelivery implements Delivery {
  readonly #say: (reply: string, what: Uint8Array) => void;
  readonly #reply: string;

  constructor(say: (reply: string, what: Uint8Array) => void, reply: string) {
    this.#say = say;
    this.#reply = reply;
  }
  ack(): void {
    this.#say(this.#reply, ACK);
  }
  nak(delayMs: number): void {
    this.#say(this.#reply, Buffer.from(`-NAK {"delay": ${Math.round(delayMs * NANOS_PER_MS)}}`));
  }
  working(): void {
    this.#say(this.#reply, WORKING);
  }
  term(): void {
    this.#say(this.#reply, TERM);
  }
}

function madeAnew({ stream, name }: ConsumerConfig, at: string): SquallError {
  return new SquallError(
    'ERR_SQUALL_STREAM_CHANGED',
    `the stream ${stream} was deleted and made anew (at ${at}) while it was read. To read the new one, start the run with --fresh`,
    { facts: { stream, consumer: name, created: at } },
  );
}

function deleted({ stream, name }: ConsumerConfig, number: number, cause: unknown): SquallError {
  const what = number === STREAM_NOT_FOUND ? `the stream ${stream}` : `the consumer ${name} of the stream ${stream}`;
  return new SquallError(
    'ERR_SQUALL_CONSUMER',
    `${what} was deleted while it was read, and with it is gone which messages are done. To begin anew, start the run with --fresh`,
    { facts: { stream, consumer: name }, cause },
  );
}
