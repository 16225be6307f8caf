/** `natsSpout`: what is published to NATS subjects while the spout listens. */
import { shown } from '../core/errors.js';
import type { SpoutComponent } from '../core/topology/component.js';
import type { SpoutInstance, SpoutOut, TaskContext } from '../core/topology/definition.js';
import type { Fields, Values } from '../core/topology/fields.js';
import { checkInteger, checkOptions } from '../core/topology/options.js';
import { withRights } from '../core/topology/rights.js';
import { makeSpout } from '../core/topology/spout.js';
import type { Broker, BrokerServer } from '../core/transport/broker.js';
import { checkServer, openBroker } from '../core/transport/broker-option.js';
import { checkUserPattern } from '../core/transport/subject-check.js';
import { Arrivals } from './arrivals.js';
import { type Decoder, decoderOf, type Message } from './message-decoding.js';

export interface NatsSpoutOptions {
  /** may have wildcards */
  readonly subject: string;
  /** queue group that the tasks share, so that each message goes to one of them; default: topology and component */
  readonly queue?: string;
  /** messages that wait here for the topology; what comes beyond is dropped and counted. Default 65 536. */
  readonly maxWaiting?: number;
  /** default: the NATS of the run */
  readonly nats?: BrokerServer;
}

const OPTIONS = ['subject', 'queue', 'maxWaiting', 'nats', 'decode', 'output'] as const;
const MAX_WAITING = 1 << 16;
/** Whatever their number. */
const MAX_WAITING_BYTES = 64 << 20;
/** Emitted by one call of `next`. */
const BURST = 256;
/** Losses are told as they begin, and then not more often than this; the counters have all of them. */
const TELL_EVERY_MS = 10_000;

interface Settings {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly maxWaiting: number;
  readonly nats: BrokerServer | undefined;
  readonly decoder: Decoder;
}

/**
 * Listens to a subject. NATS keeps nothing: what is published while nobody listens, or faster than the topology takes it,
 * is lost, so its tuples are untracked. Counted as metrics of the component: `dropped`, and `unreadable` for what cannot
 * be decoded. For messages that may not be lost let a stream store them, and read that: `jetStreamSpout`.
 */
export function natsSpout(
  options: NatsSpoutOptions & { readonly decode?: 'bytes'; readonly output?: undefined },
): SpoutComponent<{ readonly default: { subject: string; data: Uint8Array } }>;
export function natsSpout(
  options: NatsSpoutOptions & { readonly decode: 'text'; readonly output?: undefined },
): SpoutComponent<{ readonly default: { subject: string; text: string } }>;
export function natsSpout<O extends Fields>(
  options: NatsSpoutOptions & { readonly decode: 'json' | ((message: Message) => Values<O>); readonly output: O },
): SpoutComponent<{ readonly default: Values<O> }>;
export function natsSpout(options: object): SpoutComponent<never> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`natsSpout: ${mistake}`);
  const given = checkOptions(options, OPTIONS, 'options', report);
  const { subject, queue } = given;
  try {
    checkUserPattern(subject as string);
  } catch (error) {
    report(`subject: ${(error as Error).message}`);
  }
  if (queue !== undefined && (typeof queue !== 'string' || !/^[^\s]+$/.test(queue)))
    report(`queue: expected a name without white space, found ${shown(queue)}`);
  const settings: Settings = {
    subject: subject as string,
    queue: queue as string | undefined,
    maxWaiting: checkInteger(given.maxWaiting, { min: 1, max: 1 << 24 }, MAX_WAITING, 'maxWaiting', report),
    nats: checkServer(given.nats, report),
    decoder: decoderOf(given.decode, given.output, report),
  };
  const declared = { output: settings.decoder.output };
  const spout = makeSpout(declared, (context) => Listener.open(settings, context), mistakes) as SpoutComponent<never>;
  return settings.nats === undefined ? withRights(spout, () => ({ subscribe: [settings.subject] })) : spout;
}

class Listener implements SpoutInstance {
  readonly #decoder: Decoder;
  readonly #context: TaskContext;
  readonly #broker: Broker;
  readonly #arrivals: Arrivals;
  #waiting: Message[] = [];
  #bytes = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  static async open(settings: Settings, context: TaskContext): Promise<Listener> {
    const broker = await openBroker(context, settings.nats, 'natsSpout');
    const listener = new Listener(settings, context, broker);
    const { subject, maxWaiting, queue = `squall.${context.topology}.${context.component}` } = settings;
    try {
      broker.subscribe(subject, (data, from) => listener.#came(data, from, maxWaiting), queue);
      await broker.flush();
    } catch (error) {
      await listener.close();
      throw error;
    }
    return listener;
  }

  private constructor({ decoder }: Settings, context: TaskContext, broker: Broker) {
    this.#decoder = decoder;
    this.#context = context;
    this.#broker = broker;
    this.#arrivals = new Arrivals(context.signal);
  }

  #came(data: Uint8Array, subject: string, maxWaiting: number): void {
    if (this.#waiting.length >= maxWaiting || this.#bytes + data.length > MAX_WAITING_BYTES) {
      this.#context.metrics.counter('dropped').add();
      return this.#tell(
        `more than ${maxWaiting} messages or ${MAX_WAITING_BYTES >> 20} MiB wait: what comes now is dropped`,
      );
    }
    // the memory of what came is the connection's own
    this.#waiting.push({ subject, data: Uint8Array.from(data) });
    this.#bytes += data.length;
    this.#arrivals.came();
  }

  async next(out: SpoutOut): Promise<undefined> {
    if (this.#waiting.length === 0) await this.#arrivals.wait();
    for (const message of this.#waiting.splice(0, BURST)) {
      this.#bytes -= message.data.length;
      try {
        out.emit(this.#decoder.decode(message));
      } catch (error) {
        this.#context.metrics.counter('unreadable').add();
        this.#tell(`a message on ${message.subject} cannot be emitted, and is dropped: ${(error as Error).message}`);
      }
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#arrivals.stop();
    const left = this.#waiting.length;
    if (left > 0) {
      this.#context.metrics.counter('dropped').add(left);
      this.#context.log.warn(`${left} messages that waited are dropped: the run ends`);
    }
    await this.#broker.close();
  }

  #tell(what: string): void {
    const now = performance.now();
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#context.log.warn(what);
  }
}
