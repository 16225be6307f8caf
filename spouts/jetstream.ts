/** `jetStreamSpout`: the messages of a JetStream stream. */
import { createHash } from 'node:crypto';
import { SquallError, shown } from '../core/errors.js';
import type { SpoutComponent } from '../core/topology/component.js';
import type { ComponentName, MessageId, SpoutInstance, SpoutOut, TaskContext } from '../core/topology/definition.js';
import type { Fields, Values } from '../core/topology/fields.js';
import { checkInteger, checkOptions, MAX_TIMER_MS } from '../core/topology/options.js';
import type { RetryOptions } from '../core/topology/retry.js';
import { withRights } from '../core/topology/rights.js';
import { makeSpout } from '../core/topology/spout.js';
import type { Broker, BrokerServer } from '../core/transport/broker.js';
import { checkServer, openBroker } from '../core/transport/broker-option.js';
import type { PullConsumer } from '../core/transport/consumer.js';
import type { StreamConfig } from '../core/transport/durable.js';
import { checkMakeStream, type MakeStream, STREAM_NAME } from '../core/transport/stream-option.js';
import { consumeRights } from '../core/transport/stream-rights.js';
import { checkUserPattern } from '../core/transport/subject-check.js';
import { Arrivals } from './arrivals.js';
import { HeldMessages } from './held-messages.js';
import { type Decoder, decoderOf, type Message } from './message-decoding.js';
import { checkPlace, placeIn, placeOf } from './stream-place.js';

export interface JetStreamSpoutOptions {
  readonly stream: string;
  /** made at the start where there is no stream of this name; left out: it must be there */
  readonly make?: MakeStream;
  /** name of the durable consumer, which all tasks share; default: `squall-` with topology and component */
  readonly consumer?: string;
  /** only messages of this subject, which may have wildcards; default all */
  readonly subject?: string;
  /** where a new consumer begins: with all that the stream has (default), or with what comes from now on */
  readonly deliver?: 'all' | 'new';
  /**
   * Who sends a message again whose tree failed. `squall` (default): Squall does, as `retry` says, and what is out of
   * attempts becomes a dead letter. `source`: it goes back to the stream (`nak`) and comes again after `nakDelayMs`,
   * to any task, until it has been delivered `retry.attempts` times; then it becomes a dead letter.
   */
  readonly replay?: 'squall' | 'source';
  readonly retry?: RetryOptions;
  /** with `replay: 'source'`: default 1000, doubled with each delivery, at most a minute */
  readonly nakDelayMs?: number;
  /** the spout is done when the stream has nothing more, instead of waiting for what comes; default false */
  readonly untilEnd?: boolean;
  /** default: the NATS of the run */
  readonly nats?: BrokerServer;
}

const OPTIONS = [
  'stream',
  'make',
  'consumer',
  'subject',
  'deliver',
  'replay',
  'retry',
  'nakDelayMs',
  'untilEnd',
  'nats',
  'decode',
  'output',
] as const;
/** So long after the death of its task a message comes again. */
const ACK_WAIT_MS = 2_000;
/** Well before; each renewal costs the server as much as an ack, and thousands of messages may be held. */
const RENEW_AFTER_MS = 750;
const LOOK_EVERY_MS = 250;
const NAK_DELAY_MS = 1_000;
const MAX_NAK_DELAY_MS = 60_000;
const DEFAULT_ATTEMPTS = 10;
/** Emitted by one call of `next`. */
const BURST = 256;
/** How often it is asked whether the stream has come to its end. */
const LOOK_FOR_END_MS = 250;
/** While so much waits to be emitted no more is asked for; with what is on its way then, twice as much may be held. */
const MAX_WAITING_BYTES = 32 << 20;
/** What a consumer's name may have here: it becomes a folder of the server's. */
const MAX_NAME_CHARS = 64;
/** The server does not answer now; it is asked again. */
const AWAY = new Set(['ERR_SQUALL_LINK_DOWN', 'ERR_SQUALL_STREAM_UNAVAILABLE', 'ERR_SQUALL_NATS_NO_JETSTREAM']);

interface Settings {
  readonly stream: string;
  readonly make: StreamConfig | undefined;
  readonly consumer: string | undefined;
  readonly subject: string | undefined;
  readonly deliver: 'all' | 'new';
  readonly returns: boolean;
  readonly attempts: number;
  readonly nakDelayMs: number;
  readonly untilEnd: boolean;
  readonly nats: BrokerServer | undefined;
  readonly decoder: Decoder;
}

/**
 * Reads a stream by a durable pull consumer with explicit acks. A message is acked when its tree is complete, or when it
 * is a dead letter; until then the task tells the server again and again that it is at work on it. When the task's
 * process dies, what it held comes again within 2 s, to a task that is there. Its id is its number in the stream.
 *
 * - Several tasks share the consumer, and the messages. What one of them held when it died may come to another, and then
 *   has another stable id: its component's task is part of that.
 * - At its start the stored position is held against the stream: ERR_SQUALL_STREAM_CHANGED where it was made anew, or
 *   messages were removed that nobody read. ERR_SQUALL_NO_STREAM: there is none. ERR_SQUALL_CONSUMER: the consumer is
 *   there with settings that cannot be changed.
 * - A message that cannot be decoded, or whose values are not of `output`, becomes a dead letter at once.
 */
export function jetStreamSpout(
  options: JetStreamSpoutOptions & { readonly decode?: 'bytes'; readonly output?: undefined },
): SpoutComponent<{ readonly default: { subject: string; data: Uint8Array } }>;
export function jetStreamSpout(
  options: JetStreamSpoutOptions & { readonly decode: 'text'; readonly output?: undefined },
): SpoutComponent<{ readonly default: { subject: string; text: string } }>;
export function jetStreamSpout<O extends Fields>(
  options: JetStreamSpoutOptions & {
    readonly decode: 'json' | ((message: Message) => Values<O>);
    readonly output: O;
  },
): SpoutComponent<{ readonly default: Values<O> }>;
export function jetStreamSpout(options: object): SpoutComponent<never> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`jetStreamSpout: ${mistake}`);
  const given = checkOptions(options, OPTIONS, 'options', report);
  const { stream, consumer, subject, deliver = 'all', replay = 'squall', retry, untilEnd = false } = given;
  if (typeof stream !== 'string' || !STREAM_NAME.test(stream))
    report(`stream: expected the name of a stream, found ${shown(stream)}`);
  if (consumer !== undefined && (typeof consumer !== 'string' || !STREAM_NAME.test(consumer)))
    report(`consumer: expected a name of A-Z a-z 0-9 _ -, found ${shown(consumer)}`);
  if (deliver !== 'all' && deliver !== 'new') report(`deliver: expected 'all' or 'new', found ${shown(deliver)}`);
  if (typeof untilEnd !== 'boolean') report(`untilEnd: expected true or false, found ${shown(untilEnd)}`);
  try {
    if (subject !== undefined) checkUserPattern(subject as string);
  } catch (error) {
    report(`subject: ${(error as Error).message}`);
  }
  if (replay !== 'squall' && replay !== 'source')
    report(`replay: expected 'squall' or 'source', found ${shown(replay)}`);
  const returns = replay === 'source';
  const nakDelay = { min: 0, max: MAX_TIMER_MS };
  const settings: Settings = {
    stream: stream as string,
    make: checkMakeStream(given.make, report),
    consumer: consumer as string | undefined,
    subject: subject as string | undefined,
    deliver: deliver as 'all' | 'new',
    returns,
    attempts: (retry as RetryOptions | undefined)?.attempts ?? DEFAULT_ATTEMPTS,
    nakDelayMs: checkInteger(given.nakDelayMs, nakDelay, NAK_DELAY_MS, 'nakDelayMs', report),
    untilEnd: untilEnd === true,
    nats: checkServer(given.nats, report),
    decoder: decoderOf(given.decode, given.output, report),
  };
  const declared = {
    output: settings.decoder.output,
    replay: returns ? 'source' : 'squall',
    ...(returns ? {} : { retry }),
  };
  const spout = makeSpout(
    declared,
    (context) => StreamReader.open(settings, context),
    mistakes,
  ) as SpoutComponent<never>;
  if (settings.nats !== undefined) return spout;
  return withRights(spout, (name) => consumeRights(settings.stream, consumerOf(settings, name), settings.make));
}

function consumerOf({ consumer }: Settings, { topology, component }: ComponentName): string {
  return consumer ?? consumerName(topology, component);
}

class StreamReader implements SpoutInstance {
  readonly #settings: Settings;
  readonly #context: TaskContext;
  readonly #broker: Broker;
  readonly #held = new HeldMessages();
  readonly #arrivals: Arrivals;
  readonly #timer: NodeJS.Timeout;
  #consumer!: PullConsumer;
  #created = '';
  /** why no message will come any more */
  #gone: Error | undefined;
  /** the highest number emitted so far */
  #highest = 0;
  /** deliveries of what is emitted, where it may go back to the stream */
  readonly #deliveries = new Map<number, number>();

  static async open(settings: Settings, context: TaskContext): Promise<StreamReader> {
    const broker = await openBroker(context, settings.nats, 'jetStreamSpout');
    const reader = new StreamReader(settings, context, broker);
    try {
      await reader.#begin();
    } catch (error) {
      await reader.close();
      throw error;
    }
    return reader;
  }

  private constructor(settings: Settings, context: TaskContext, broker: Broker) {
    this.#settings = settings;
    this.#context = context;
    this.#broker = broker;
    this.#arrivals = new Arrivals(context.signal);
    this.#timer = setInterval(() => this.#held.renew(performance.now(), RENEW_AFTER_MS), LOOK_EVERY_MS);
  }

  async #begin(): Promise<void> {
    const { stream, make, consumer, subject, deliver } = this.#settings;
    const { topology, component, task, tasks, position, resumed, config, metrics } = this.#context;
    if (make !== undefined) await this.#broker.makeStream(make);
    this.#consumer = await this.#broker.consume(
      {
        stream,
        name: consumerOf(this.#settings, this.#context),
        ...(consumer === undefined && { owner: `${topology}/${component}` }),
        subject,
        deliver,
        ackWaitMs: ACK_WAIT_MS,
        maxAckPending: config.maxSpoutPending * tasks,
        mustExist: resumed || position !== undefined,
        streamCreated: placeIn(position)?.created,
      },
      {
        message: (message) => {
          if (this.#held.arrived(message, performance.now()) === 'new') this.#arrivals.came();
          if (message.deliveries > 1) metrics.counter('redelivered').add();
        },
        gone: (error) => {
          this.#gone = error;
          this.#arrivals.came();
        },
        back: () => this.#held.repeat(performance.now()),
      },
    );
    const info = await this.#consumer.info();
    this.#created = info.streamCreated;
    // each of several tasks, and one that reads some subjects only, knows only its own messages
    const whole = tasks === 1 && subject === undefined;
    checkPlace(position, stream, info, `${component}[${task}]`, whole);
  }

  async next(out: SpoutOut): Promise<'done' | undefined> {
    if (this.#gone !== undefined) throw this.#gone;
    this.#wantMore();
    if (this.#held.waiting === 0) {
      await this.#arrivals.wait(this.#settings.untilEnd ? LOOK_FOR_END_MS : undefined);
      if (this.#held.waiting === 0) return this.#settings.untilEnd && (await this.#isOver()) ? 'done' : undefined;
    }
    for (let count = 0; count < BURST; count++) {
      const message = this.#held.take();
      if (message === undefined) break;
      this.#emit(message.seq, message, message.deliveries, out);
    }
    return undefined;
  }

  #emit(seq: number, message: Message, deliveries: number, out: SpoutOut): void {
    const { returns, decoder, attempts } = this.#settings;
    this.#highest = Math.max(this.#highest, seq);
    const position = returns ? {} : { position: placeOf(this.#created, this.#highest) };
    try {
      if (returns && deliveries > attempts) throw new Error(`delivered ${deliveries - 1} times, and never completed`);
      out.emit(decoder.decode(message), { id: seq, ...position });
      if (returns) this.#deliveries.set(seq, deliveries);
    } catch (cause) {
      const { stream } = this.#settings;
      const why = `message ${seq} of the stream ${stream} (${message.subject}) cannot be emitted: ${(cause as Error).message}`;
      const { subject, data } = message;
      const error = new SquallError('ERR_SQUALL_MESSAGE', why, { cause, facts: { stream, seq, subject } });
      this.#deliveries.delete(seq);
      out.reject(seq, error, { ...position, values: { subject, data } });
    }
  }

  ack(id: MessageId): void {
    this.#held.ack(id as number);
    this.#deliveries.delete(id as number);
    this.#wantMore();
  }

  /** It is a dead letter; or, with `replay: 'source'`, it failed. */
  fail(id: MessageId): void {
    const seq = id as number;
    const deliveries = this.#deliveries.get(seq);
    this.#deliveries.delete(seq);
    if (deliveries === undefined) return this.#held.term(seq);
    const { nakDelayMs } = this.#settings;
    this.#held.nak(seq, Math.min(MAX_NAK_DELAY_MS, nakDelayMs * 2 ** Math.min(deliveries - 1, 16)));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#arrivals.stop();
    this.#consumer?.stop();
    this.#held.giveBack();
    await this.#broker.flush().catch(() => {});
    await this.#broker.close();
  }

  #wantMore(): void {
    if (this.#context.signal.aborted || this.#held.waitingBytes > MAX_WAITING_BYTES) return;
    const room = this.#context.config.maxSpoutPending - this.#held.size - this.#consumer.asked;
    this.#consumer.want(room);
  }

  /** Nothing is left for anybody who shares the consumer. */
  async #isOver(): Promise<boolean> {
    if (this.#held.size > 0 || this.#context.signal.aborted) return false;
    try {
      const { waiting, unacked } = await this.#consumer.info();
      return waiting === 0 && unacked === 0 && this.#held.size === 0;
    } catch (error) {
      // where it is gone for good the consumer says so
      if (error instanceof SquallError && AWAY.has(error.code)) return false;
      throw error;
    }
  }
}

/** The same for every task and every run, and within what a name may have. */
function consumerName(topology: string, component: string): string {
  const name = `squall-${topology}-${component}`;
  if (name.length <= MAX_NAME_CHARS) return name;
  return `squall-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}
