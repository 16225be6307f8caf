/**
 * Transport over NATS core. With `nats-link.ts` the only file that knows the NATS client (npm `nats`, pinned). What the
 * client does not do by itself is done here: it drops what is published while it is disconnected, checks no subject,
 * ends its reading at the first exception of a callback, and reports the server's refusals only through `status()`.
 *
 * On payloads: the client packs what was published in a turn of the event loop into one buffer, in a microtask of that
 * turn at the latest, and hands received payloads out as views on memory that it never uses again. So the contract holds
 * without a copy of ours (publishing 256 KiB costs 83 µs of CPU; with a copy before it, 127 µs).
 */
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  headers as natsHeaders,
  nkeyAuthenticator,
  type Status,
  type Subscription,
} from 'nats';
import { SquallError } from '../errors.js';
import { connectFailure, forbidden, secureLinkClosed, serverRefusal } from './connect-errors.js';
import type { ConnectOptions, Credentials } from './connect-options.js';
import type { ConsumerConfig, ConsumerHandler, PullConsumer } from './consumer.js';
import { fileContents, nkeySeed, tlsContents } from './credential-files.js';
import { NatsDurableStreams, type NatsRequester } from './durable-nats.js';
import { EventTeller, linkDown, oversize, transportClosed } from './events.js';
import { type ConsumerApi, NatsPullConsumer } from './nats-consumer.js';
import { ensureConsumer } from './nats-consumer-config.js';
import { type NatsLink, type ObservedOptions, useNatsLinks } from './nats-link.js';
import { checkPattern, checkSubject, checkUserPattern, checkUserSubject } from './subject-check.js';
import type { Transport, TransportEvents, TransportSubscription } from './transport.js';

export interface NatsTransportOptions extends ConnectOptions {
  /** shown by the server: `squall:<topology>/<component>[<task>]` */
  readonly name: string;
  /** keep dialling until a server answers (default true); false: the first failure rejects */
  readonly waitOnFirstConnect?: boolean;
  /** gives up the first connect, which rejects with the reason */
  readonly signal?: AbortSignal;
  /** longest time for one dial, greeting included; default 3000 */
  readonly connectTimeoutMs?: number;
  /** subjects of users' own, too, not only those that Squall makes */
  readonly userSubjects?: boolean;
  /** default 2000; a link that answered nothing for three intervals is lost */
  readonly pingIntervalMs?: number;
}

/** What the server said of itself in its greeting. */
export interface NatsServerFacts {
  readonly version: string;
  readonly name: string;
  /** host:port as dialled */
  readonly address: string;
  readonly maxPayload: number;
}

/** Short, because a link that heals is only found by the next dial; long enough for a TLS handshake at 300 ms a trip. */
const CONNECT_TIMEOUT_MS = 3_000;
/** With two unanswered pings allowed, a silent link is lost after 4 to 6 s: reliability.md promises 7. */
const PING_INTERVAL_MS = 2_000;
const PINGS_UNANSWERED = 2;
/** Dials are 250 to 500 ms apart: soon enough for recovery in 2 s, spread enough for a crowd of workers. */
const RECONNECT_MIN_MS = 250;
const RECONNECT_JITTER_MS = 250;
/** Lame-duck servers wait 10 s before they cut anybody; a crowd of workers leaves within this time. */
const LAME_DUCK_LEAVE_MAX_MS = 2_000;

/** What `drain` calls itself among those that wait. */
const DRAIN = 'drain()';

interface Waiter {
  readonly what: string;
  readonly reject: (error: Error) => void;
}

type State = 'connecting' | 'up' | 'down' | 'closed';

export class NatsTransport implements Transport {
  readonly #tell: EventTeller;
  readonly #options: NatsTransportOptions;
  #connection!: NatsConnection;
  #state: State = 'connecting';
  /** why the link is down */
  #why = 'not connected yet';
  #link: NatsLink | undefined;
  /** why the server closed a link before it was let in: the client waits for its time-out, and reports that */
  #dialFault: Error | undefined;
  /** since the last time that we were up; what a dial fails with after it may say less */
  #refusal: SquallError | undefined;
  #maxPayload = 0;
  /** drain() or close() was called: what closes then is no error */
  #closing = false;
  #drained: Promise<void> | undefined;
  /** what waits for an answer over the link */
  readonly #waiting = new Set<Waiter>();
  #toldClosed: () => void = () => {};
  readonly #closed = new Promise<void>((resolve) => {
    this.#toldClosed = resolve;
  });
  #lameDuck: NodeJS.Timeout | undefined;
  #durable: NatsDurableStreams | undefined;
  readonly #consumers = new Set<NatsPullConsumer>();

  private constructor(options: NatsTransportOptions, events: TransportEvents) {
    this.#options = options;
    this.#tell = new EventTeller(events);
  }

  /** Rejects with ERR_SQUALL_NATS_UNREACHABLE, _NATS_AUTH, _NATS_TLS or _NATS_OPTIONS (a file that cannot be read). */
  static async connect(options: NatsTransportOptions, events: TransportEvents = {}): Promise<NatsTransport> {
    const transport = new NatsTransport(options, events);
    await transport.#connect();
    return transport;
  }

  async #connect(): Promise<void> {
    const { signal } = this.#options;
    const abort = (): void => this.#link?.abandon();
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort);
    try {
      this.#connection = await connect(this.#clientOptions());
    } catch (error) {
      this.#state = 'closed';
      signal?.throwIfAborted();
      const silent = (error as { readonly code?: string }).code === 'TIMEOUT';
      throw connectFailure(silent ? (this.#dialFault ?? error) : error, this.#options);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    if (this.#link === undefined) {
      await this.#connection.close();
      throw new Error('Expected the NATS client to use NatsLink: only nats 2.29.3 is known to');
    }
    this.#state = 'up';
    this.#maxPayload = this.#connection.info?.max_payload ?? 0;
    void this.#readStatus();
    void this.#connection.closed().then((error) => this.#onClosed(error ?? undefined));
  }

  #clientOptions(): ObservedOptions {
    const { servers, credentials, tls, signal } = this.#options;
    const secure = tls !== undefined || servers.some((server) => server.startsWith('tls:'));
    const authenticator = authenticatorOf(credentials);
    return {
      servers: servers.map(withoutScheme),
      name: this.#options.name,
      ...(credentials?.kind === 'password' && { user: credentials.user, pass: credentials.password }),
      ...(credentials?.kind === 'token' && { token: credentials.token }),
      ...(authenticator && { authenticator }),
      ...(secure && { tls: tlsContents(tls ?? {}) }),
      ...(this.#options.inboxPrefix && { inboxPrefix: this.#options.inboxPrefix }),
      // The client's own resolver asks DNS only, and no hosts file.
      resolve: false,
      waitOnFirstConnect: this.#options.waitOnFirstConnect ?? true,
      timeout: this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      pingInterval: this.#options.pingIntervalMs ?? PING_INTERVAL_MS,
      maxPingOut: PINGS_UNANSWERED,
      maxReconnectAttempts: -1,
      noAsyncTraces: true,
      squallObserver: {
        dialling: (link) => this.#dialling(link),
        lost: (link, error) => this.#lost(link, error),
      },
      // Called before each dial; to throw is the only way to end the client's loop while it connects.
      reconnectDelayHandler: () => {
        if (this.#state === 'connecting') signal?.throwIfAborted();
        if (this.#state === 'closed') throw transportClosed('a dial');
        useNatsLinks();
        return RECONNECT_MIN_MS + Math.random() * RECONNECT_JITTER_MS;
      },
    };
  }

  get maxPayload(): number {
    return this.#maxPayload;
  }

  get connected(): boolean {
    return this.#state === 'up';
  }

  get server(): NatsServerFacts {
    const info = this.#connection.info;
    return {
      version: info?.version ?? '',
      name: info?.server_name ?? '',
      address: this.#connection.getServer(),
      maxPayload: this.#maxPayload,
    };
  }

  publish(subject: string, payload: Uint8Array): boolean {
    this.#checkSubject(subject);
    if (payload.length > this.#maxPayload) throw oversize(subject, payload.length, this.#maxPayload);
    if (this.#state !== 'up') return false;
    try {
      this.#connection.publish(subject, payload);
      return true;
    } catch {
      // Only the end of drain() is left: the client takes nothing more though the link is still there.
      return false;
    }
  }

  /** `queue`: each message goes to one of those who subscribe with the same name. */
  subscribe(
    subject: string,
    handler: (payload: Uint8Array, subject: string) => void,
    queue?: string,
  ): TransportSubscription {
    if (this.#options.userSubjects) checkUserPattern(subject);
    else checkPattern(subject);
    if (this.#closing || this.#state === 'closed') throw transportClosed(`subscribe('${subject}')`);
    // Decoding the subject of each message costs a microsecond: only where it is not known.
    const known = /[*>]/.test(subject) ? undefined : subject;
    const subscription = this.#connection.subscribe(subject, {
      ...(queue !== undefined && { queue }),
      callback: (refused, message) => {
        if (refused !== null) return; // the status stream tells it, too
        try {
          handler(message.data, known ?? message.subject);
        } catch (error) {
          this.#tell.error(error);
        }
      },
    });
    return once(subscription);
  }

  flush(): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(transportClosed('flush()'));
    if (this.#state !== 'up') return Promise.reject(linkDown('flush()', this.#why));
    return this.#whileUp('flush()', this.#connection.flush());
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    const orderly = this.#state === 'up' && !this.#closing;
    this.#closing = true;
    try {
      if (orderly) await this.#whileUp(DRAIN, this.#connection.drain());
      else if (this.#state === 'down') throw linkDown(DRAIN, this.#why);
    } finally {
      // The client's drain does not close when the link breaks under it.
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#end();
    await this.#connection.close();
    await this.#closed;
  }

  reconnect(): Promise<void> {
    const link = this.#link;
    if (this.#state === 'up' && link) {
      this.#down('a reconnect was asked for');
      link.abandon();
    }
    return Promise.resolve();
  }

  /** The slow path: streams that outlive processes and the server. */
  jetstream(): NatsDurableStreams {
    this.#durable ??= new NatsDurableStreams(this.#requester(), (subject) => this.#checkSubject(subject));
    return this.#durable;
  }

  /** The first answer to an empty message. Rejects as `NatsRequester.request` does. */
  request(subject: string, timeoutMs: number): Promise<Uint8Array> {
    checkUserSubject(subject);
    return this.#requester().request(subject, new Uint8Array(), { timeoutMs });
  }

  /** See `Broker.consume`. */
  async consume(config: ConsumerConfig, handler: ConsumerHandler): Promise<PullConsumer> {
    const streams = this.jetstream();
    const api: ConsumerApi = {
      api: (path, body) => streams.api(path, body),
      connected: () => this.#state === 'up',
      maxPayload: () => this.#maxPayload,
      failed: (error) => this.#tell.error(error),
    };
    await ensureConsumer(api.api, config);
    const consumer = new NatsPullConsumer(this.#connection, this.#options.inboxPrefix, api, config, handler);
    await consumer.info();
    this.#consumers.add(consumer);
    return consumer;
  }

  #checkSubject(subject: string): void {
    if (this.#options.userSubjects) checkUserSubject(subject);
    else checkSubject(subject);
  }

  #dialling(link: NatsLink): void {
    if (this.#state === 'closed') throw transportClosed('a dial');
    this.#link = link;
  }

  #lost(link: NatsLink, error: Error | undefined): void {
    if (link !== this.#link) return;
    if (this.#state === 'connecting') this.#dialFault = link.isEncrypted() ? secureLinkClosed(error) : error;
    if (this.#state !== 'up') return;
    const gaveUp = this.#refusal?.message ?? 'it gave no answer to pings';
    this.#down(error?.message ?? (link.dropped ? gaveUp : 'the server closed the connection'));
  }

  #down(why: string): void {
    this.#state = 'down';
    this.#why = why;
    this.#interrupt((what) => linkDown(what, why));
    this.#tell.down(why);
  }

  /** After the client's 'reconnect': its subscriptions are sent, and in force once the server has answered. */
  async #confirm(): Promise<void> {
    const link = this.#link;
    if (this.#state !== 'down') return;
    try {
      await this.#connection.flush();
    } catch {
      return; // broken again; the next 'reconnect' comes here
    }
    if (this.#state !== 'down' || link !== this.#link) return;
    this.#maxPayload = this.#connection.info?.max_payload ?? this.#maxPayload;
    this.#refusal = undefined;
    this.#state = 'up';
    for (const consumer of this.#consumers) consumer.linkUp();
    this.#tell.up();
  }

  async #readStatus(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'reconnect') void this.#confirm();
      else if (status.type === 'error') this.#onServerError(this.#serverError(status));
      else if (status.type === 'ldm') this.#onLameDuck();
    }
  }

  #onServerError(error: SquallError): void {
    if (error.code === 'ERR_SQUALL_NATS_AUTH') this.#refusal = error;
    if (error.code === 'ERR_SQUALL_NATS_PERMISSION') for (const consumer of this.#consumers) consumer.forbidden(error);
    this.#tell.error(error);
  }

  #serverError({ data, permissionContext }: Status): SquallError {
    if (permissionContext) return forbidden(permissionContext.operation, permissionContext.subject);
    // The status has only the client's code; its protocol handler keeps the server's words.
    const { protocol } = this.#connection as unknown as { readonly protocol?: { readonly lastError?: Error } };
    return serverRefusal(String(data), protocol?.lastError, this.#options);
  }

  /** The server is about to stop. Where others are known we leave before it cuts us off; else we stay until it does. */
  #onLameDuck(): void {
    const link = this.#link;
    if (this.#lameDuck !== undefined || this.#state !== 'up') return;
    const here = this.#connection.getServer();
    const others = [...this.#options.servers.map(withoutScheme), ...(this.#connection.info?.connect_urls ?? [])];
    const away = others.some((server) => server !== here);
    this.#tell.error(
      new SquallError(
        'ERR_SQUALL_NATS_LAME_DUCK',
        `NATS at ${here} is about to shut down; ${away ? 'moving to another server' : 'no other server is known'}`,
        { facts: { server: here } },
      ),
    );
    this.#lameDuck = setTimeout(() => {
      this.#lameDuck = undefined;
      if (away && link === this.#link) void this.#leave();
    }, Math.random() * LAME_DUCK_LEAVE_MAX_MS);
  }

  /** Drops the link when the server has taken what we sent. */
  async #leave(): Promise<void> {
    try {
      await this.flush();
    } catch {
      return; // it broke meanwhile
    }
    await this.reconnect();
  }

  /** What waits for the link learns of its end at once; the client itself tells only at its next dial. */
  #whileUp<T>(what: string, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter = { what, reject };
      this.#waiting.add(waiter);
      work.then(resolve, reject).finally(() => this.#waiting.delete(waiter));
    });
  }

  #interrupt(errorFor: (what: string) => Error): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { what, reject } of waiting) reject(errorFor(what));
  }

  #end(): void {
    this.#state = 'closed';
    clearTimeout(this.#lameDuck);
    for (const consumer of this.#consumers) consumer.stop();
    this.#link?.abandon();
    this.#interrupt(transportClosed);
  }

  #onClosed(error: Error | undefined): void {
    // Still up: the client has drained, and closed before it says so.
    for (const waiter of this.#waiting) if (waiter.what === DRAIN && this.#state === 'up') this.#waiting.delete(waiter);
    this.#end();
    this.#tell.closed(this.#closing ? undefined : (this.#refusal ?? connectFailure(error, this.#options)));
    this.#toldClosed();
  }

  #requester(): NatsRequester {
    return {
      maxPayload: () => this.#maxPayload,
      request: async (subject, payload, { timeoutMs, headers }) => {
        const what = `a request to ${subject}`;
        if (this.#state === 'closed') throw transportClosed(what);
        if (this.#state !== 'up') throw linkDown(what, this.#why);
        const fields = headers && natsHeaders();
        for (const [name, value] of Object.entries(headers ?? {})) fields?.set(name, value);
        const asked = this.#connection.request(subject, payload, { timeout: timeoutMs, headers: fields });
        return (await this.#whileUp(what, asked)).data;
      },
    };
  }
}

function once(subscription: Subscription): TransportSubscription {
  let over = false;
  return {
    unsubscribe() {
      if (!over) subscription.unsubscribe();
      over = true;
    },
  };
}

function withoutScheme(server: string): string {
  return server.replace(/^[a-z]+:\/\//, '');
}

function authenticatorOf(credentials: Credentials | undefined): Authenticator | undefined {
  if (credentials?.kind === 'creds') return credsAuthenticator(fileContents(credentials.file, 'credentials'));
  if (credentials?.kind !== 'nkey') return undefined;
  return nkeyAuthenticator(nkeySeed(credentials.file));
}
