/**
 * NATS as components use it for subjects and streams of their own: a connection beside those that carry the tuples, so
 * that neither waits for the other. Reconnects for ever; while the link is down, `publish` returns false and what waits
 * for an answer rejects or waits, as it does in `Transport` and `DurableStreams`.
 */
import type { TaskContext } from '../topology/definition.js';
import { type ConnectOptions, connectOptions } from './connect-options.js';
import type { ConsumerConfig, ConsumerHandler, PullConsumer } from './consumer.js';
import type { Appended, AppendOptions, StreamConfig } from './durable.js';
import type { Transport, TransportSubscription } from './transport.js';

export interface Broker extends Pick<Transport, 'maxPayload' | 'connected' | 'publish' | 'close'> {
  /**
   * Resolves when the server has processed everything published and subscribed before. Rejects with ERR_SQUALL_LINK_DOWN,
   * and with ERR_SQUALL_NATS_PERMISSION where the server has forbidden something since the last call.
   */
  flush(): Promise<void>;
  /** `queue`: each message goes to one of those who subscribe with the same name. */
  subscribe(
    pattern: string,
    handler: (payload: Uint8Array, subject: string) => void,
    queue?: string,
  ): TransportSubscription;
  /** Stores a record once, see `DurableStreams.append`. */
  append(subject: string, bytes: Uint8Array, options: AppendOptions): Promise<Appended>;
  /** Makes the stream where there is none of its name; one that is there stays as it is. */
  makeStream(config: StreamConfig): Promise<void>;
  /**
   * Makes the consumer, or gives one that is there these settings, and hands its messages to `handler` as they are
   * wanted. Rejects with ERR_SQUALL_CONSUMER where it is there and cannot be as asked, and with ERR_SQUALL_NO_STREAM.
   */
  consume(config: ConsumerConfig, handler: ConsumerHandler): Promise<PullConsumer>;
  /** Name of the stream that stores what is published to `subject`; undefined: none does. */
  streamOf(subject: string): Promise<string | undefined>;
}

/** Which NATS: a URL, or where it is and how to be let in. Left out: the one that the run itself uses. */
export type BrokerServer = string | ConnectOptions;

/** What a task's process lends to the components of this package that speak to NATS themselves. */
export interface BrokerDoor {
  /** Connects, or rejects as `NatsTransport.connect` does. `options` undefined: to the run's own NATS. */
  open(options: ConnectOptions | undefined): Promise<Broker>;
  /**
   * Other tasks may get the very tuples that this one gets, with the same ids: they come on a stream that several
   * components take, or by a grouping that sends copies.
   */
  readonly sharesInput: boolean;
}

const DOOR: unique symbol = Symbol.for('squall.broker');

export function withBroker(context: TaskContext, door: BrokerDoor): TaskContext {
  return Object.freeze({ ...context, [DOOR]: door });
}

/** Undefined: this task has no NATS, as in a local run. */
export function brokerOf(context: TaskContext): BrokerDoor | undefined {
  return (context as { readonly [DOOR]?: BrokerDoor })[DOOR];
}

/** The server as options; credentials in a URL are taken out of it. Throws ERR_SQUALL_NATS_OPTIONS. */
export function serverOptions(server: BrokerServer | undefined): ConnectOptions | undefined {
  if (server === undefined || typeof server === 'string') return connectOptions({ nats: server }, {});
  // as a URL does, an object may hold them in its servers
  const { servers = [], credentials } = connectOptions({ nats: server.servers.join(',') }, {}) ?? {};
  return { ...(credentials && { credentials }), ...server, servers };
}
