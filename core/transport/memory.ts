/**
 * Transport in one process, for tests and simulation: as asynchronous, as forgetful and as strict as the real one. When
 * a message arrives is decided by a scheduler that is given; links go down and up by command.
 */
import { MemoryDurableStreams, MemoryStreamStore } from './durable-memory.js';
import { EventTeller, linkDown, oversize, transportClosed } from './events.js';
import { checkPattern, checkSubject, subjectMatches } from './subject-check.js';
import type { Transport, TransportEvents, TransportSubscription } from './transport.js';

/** Runs `deliver` later, never at once; what keeps the order of its calls keeps the order of messages. */
export type DeliveryScheduler = (deliver: () => void) => void;

export interface MemoryNetworkOptions {
  /** default: setImmediate */
  readonly schedule?: DeliveryScheduler;
  /** default: 1 MiB, as the server's */
  readonly maxPayload?: number;
  /** wall clock of stored records; default Date.now */
  readonly now?: () => number;
}

const MAX_PAYLOAD = 1 << 20;
/** What a receiver finds that kept a payload beyond its call. */
const STALE_BYTE = 0xdd;

/** Where transports meet: the counterpart of a server. */
export class MemoryNetwork {
  readonly schedule: DeliveryScheduler;
  readonly maxPayload: number;
  /** outlives `down`, as a file store does */
  readonly streams: MemoryStreamStore;
  readonly #transports = new Set<MemoryTransport>();
  #up = true;

  constructor(options: MemoryNetworkOptions = {}) {
    this.schedule = options.schedule ?? ((deliver) => setImmediate(deliver));
    this.maxPayload = options.maxPayload ?? MAX_PAYLOAD;
    this.streams = new MemoryStreamStore(options.now ?? Date.now);
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** The network may be down: the transport is then, too, and `onUp` tells when it is not. */
  connect(events: TransportEvents = {}): MemoryTransport {
    const transport = new MemoryTransport(this, events, (closed) => this.#transports.delete(closed));
    this.#transports.add(transport);
    return transport;
  }

  /** All links break: what is on the way is lost. */
  down(why = 'the network is down'): void {
    this.#up = false;
    for (const transport of [...this.#transports]) transport.lose(why);
  }

  /** All links come back, but those that were taken down one by one. */
  up(): void {
    this.#up = true;
    for (const transport of [...this.#transports]) transport.retry();
  }

  /** @internal Everybody's subscriptions, in the order of connecting and subscribing. */
  *receivers(subject: string): Iterable<MemorySubscription> {
    for (const transport of this.#transports) yield* transport.receivers(subject);
  }
}

interface MemorySubscription {
  readonly pattern: string;
  readonly owner: MemoryTransport;
  readonly handler: (payload: Uint8Array, subject: string) => void;
}

export class MemoryTransport implements Transport {
  readonly #network: MemoryNetwork;
  readonly #tell: EventTeller;
  readonly #leave: (transport: MemoryTransport) => void;
  readonly #subscriptions = new Set<MemorySubscription>();
  /** told when the link breaks or comes back */
  readonly #waiting = new Set<() => void>();
  /** counts the links: what was sent over an older one is lost */
  #link = 1;
  #up: boolean;
  /** taken down by `down()`, until `up()` */
  #held = false;
  #closed = false;
  #why = 'the network is down';
  #drained: Promise<void> | undefined;
  #durable: MemoryDurableStreams | undefined;

  constructor(network: MemoryNetwork, events: TransportEvents, leave: (transport: MemoryTransport) => void) {
    this.#network = network;
    this.#tell = new EventTeller(events);
    this.#leave = leave;
    this.#up = network.isUp;
  }

  get maxPayload(): number {
    return this.#network.maxPayload;
  }

  get connected(): boolean {
    return this.#up;
  }

  publish(subject: string, payload: Uint8Array): boolean {
    checkSubject(subject);
    if (payload.length > this.maxPayload) throw oversize(subject, payload.length, this.maxPayload);
    if (!this.#up) return false;
    const link = this.#link;
    for (const receiver of this.#network.receivers(subject)) {
      const { owner, handler } = receiver;
      const ownersLink = owner.#link;
      // A copy each, at an odd offset: nobody can rely on more than the contract gives.
      const copy = new Uint8Array(payload.length + 1).subarray(1);
      copy.set(payload);
      this.#network.schedule(() => {
        if (link !== this.#link || ownersLink !== owner.#link || !owner.#subscriptions.has(receiver)) return;
        try {
          handler(copy, subject);
        } catch (error) {
          owner.#tell.error(error);
        }
        copy.fill(STALE_BYTE);
      });
    }
    return true;
  }

  subscribe(pattern: string, handler: (payload: Uint8Array, subject: string) => void): TransportSubscription {
    checkPattern(pattern);
    if (this.#closed || this.#drained) throw transportClosed(`subscribe('${pattern}')`);
    const subscription: MemorySubscription = { pattern, owner: this, handler };
    this.#subscriptions.add(subscription);
    return { unsubscribe: () => void this.#subscriptions.delete(subscription) };
  }

  flush(): Promise<void> {
    return this.#passing('flush()');
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    try {
      if (!this.#closed) await this.#passing('drain()');
    } finally {
      await this.close();
    }
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#break();
      this.#subscriptions.clear();
      this.#leave(this);
      this.#tell.closed();
    }
    return Promise.resolve();
  }

  reconnect(): Promise<void> {
    if (this.#up) {
      this.lose('a reconnect was asked for');
      this.#network.schedule(() => this.retry());
    }
    return Promise.resolve();
  }

  /** This link breaks, and stays so until `up()`: what is on the way is lost. */
  down(why = 'the link is down'): void {
    this.#held = true;
    this.lose(why);
  }

  up(): void {
    this.#held = false;
    this.retry();
  }

  /** The slow path: streams that outlive links. */
  jetstream(): MemoryDurableStreams {
    this.#durable ??= new MemoryDurableStreams(this.#network.streams, (what, withinMs) => this.#reach(what, withinMs));
    return this.#durable;
  }

  /** @internal */
  lose(why: string): void {
    if (this.#up) this.#down(why);
  }

  /** @internal Dials again, as the real one does all the time. */
  retry(): void {
    if (this.#up || this.#held || this.#closed || !this.#network.isUp) return;
    this.#up = true;
    this.#wake();
    this.#tell.up();
  }

  /** @internal */
  *receivers(subject: string): Iterable<MemorySubscription> {
    if (!this.#up) return;
    for (const subscription of this.#subscriptions) {
      if (subjectMatches(subscription.pattern, subject)) yield subscription;
    }
  }

  #down(why: string): void {
    this.#why = why;
    this.#break();
    this.#tell.down(why);
  }

  #break(): void {
    this.#up = false;
    this.#link += 1;
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #unreachable(what: string): Error {
    return this.#closed ? transportClosed(what) : linkDown(what, this.#why);
  }

  /** Resolves behind everything that is on the way; rejects when the link breaks before. */
  #passing(what: string): Promise<void> {
    if (!this.#up) return Promise.reject(this.#unreachable(what));
    return new Promise((resolve, reject) => {
      const broken = (): void => {
        this.#waiting.delete(broken);
        reject(this.#unreachable(what));
      };
      this.#waiting.add(broken);
      this.#network.schedule(() => {
        this.#waiting.delete(broken);
        resolve();
      });
    });
  }

  /** A round trip over the link, which may have to come back first. */
  async #reach(what: string, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!this.#up) {
      const left = deadline - performance.now();
      if (this.#closed || left <= 0) throw this.#unreachable(what);
      await this.#change(left);
    }
    try {
      await this.#passing(what);
    } catch (error) {
      if (this.#closed) throw error;
      await this.#reach(what, deadline - performance.now());
    }
  }

  /** Resolves when the link breaks or comes back, or the time is over. */
  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const woken = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(woken);
        resolve();
      };
      const timer = setTimeout(woken, withinMs);
      this.#waiting.add(woken);
    });
  }
}
