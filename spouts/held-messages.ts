/** Messages of a consumer that this task has: waiting to be emitted, or emitted and not settled yet. */
import type { Delivery, PulledMessage } from '../core/transport/consumer.js';

/**
 * What was said of a message while a link broke is lost, and the message comes again: the last 32 768 to 65 536 that were
 * settled are recognised. That is more than a second's at the rate that a stream is read with.
 */
const REMEMBERED = 1 << 15;

/** How a message was settled for good. */
type End = 'ack' | 'term';

interface Held {
  /** of several the last, whose ack counts */
  delivery: Delivery;
  renewedAt: number;
}

interface Settled {
  readonly delivery: Delivery;
  readonly end: End;
}

export class HeldMessages {
  /** by number in the stream, in the order of their arrival */
  readonly #held = new Map<number, Held>();
  #waiting: PulledMessage[] = [];
  #head = 0;
  #waitingBytes = 0;
  /** lately settled; the older half is forgotten when the newer is full */
  #settled = new Map<number, Settled>();
  #settledBefore = new Map<number, Settled>();

  get size(): number {
    return this.#held.size;
  }
  get waiting(): number {
    return this.#waiting.length - this.#head;
  }
  /** of the messages that wait */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** new: to be emitted. held: it is here already. settled: it was before; that is said again. */
  arrived(message: PulledMessage, now: number): 'new' | 'held' | 'settled' {
    const { seq, data, delivery } = message;
    const settled = this.#settled.get(seq) ?? this.#settledBefore.get(seq);
    if (settled !== undefined) {
      delivery[settled.end]();
      return 'settled';
    }
    const held = this.#held.get(seq);
    if (held !== undefined) {
      held.delivery = delivery;
      held.renewedAt = now;
      return 'held';
    }
    this.#held.set(seq, { delivery, renewedAt: now });
    this.#waiting.push(message);
    this.#waitingBytes += data.length;
    return 'new';
  }

  /** The next that is to be emitted; its bytes are not kept. */
  take(): PulledMessage | undefined {
    if (this.#head === this.#waiting.length) return undefined;
    const message = this.#waiting[this.#head];
    // the array keeps its places until it is used up: nothing of the message may stay in them
    (this.#waiting as (PulledMessage | undefined)[])[this.#head++] = undefined;
    if (this.#head === this.#waiting.length) this.#clearWaiting();
    else this.#waitingBytes -= message.data.length;
    return message;
  }

  /** Done. */
  ack(seq: number): void {
    this.#end(seq, 'ack');
  }

  /** It is not to come again, though it is not done. */
  term(seq: number): void {
    this.#end(seq, 'term');
  }

  /** It is to come again, to whoever asks. */
  nak(seq: number, delayMs: number): void {
    this.#held.get(seq)?.delivery.nak(delayMs);
    this.#held.delete(seq);
  }

  /** Keeps alive what nobody has renewed for `afterMs`. */
  renew(now: number, afterMs: number): void {
    for (const held of this.#held.values()) {
      if (now - held.renewedAt < afterMs) continue;
      held.renewedAt = now;
      held.delivery.working();
    }
  }

  /** The link is back: what was said just before it broke is said again, before its messages come again. */
  repeat(now: number): void {
    for (const settled of [this.#settledBefore, this.#settled])
      for (const { delivery, end } of settled.values()) delivery[end]();
    this.renew(now, 0);
  }

  /** All that is here goes back, to come again at once. */
  giveBack(): void {
    for (const { delivery } of this.#held.values()) delivery.nak(0);
    this.#held.clear();
    this.#clearWaiting();
  }

  #clearWaiting(): void {
    this.#waiting = [];
    this.#head = 0;
    this.#waitingBytes = 0;
  }

  #end(seq: number, end: End): void {
    const held = this.#held.get(seq);
    if (held === undefined) return;
    this.#held.delete(seq);
    held.delivery[end]();
    this.#settled.set(seq, { delivery: held.delivery, end });
    if (this.#settled.size < REMEMBERED) return;
    this.#settledBefore = this.#settled;
    this.#settled = new Map();
  }
}
