/** Messages of a consumer that this task has: waiting to be emitted, or emitted and not settled yet. */
import type { PulledMessage } from '../core/transport/consumer.js';

/** Acks that were on their way when a link broke are lost, and their messages come again: so many are recognised. */
const REMEMBERED = 1 << 16;

export class HeldMessages {
  /** by number in the stream, in the order of their arrival; of several deliveries the last, whose ack counts */
  readonly #held = new Map<number, { message: PulledMessage; renewedAt: number }>();
  #waiting: number[] = [];
  #head = 0;
  /** lately acked; the older half is forgotten when the newer is full */
  #acked = new Set<number>();
  #ackedBefore = new Set<number>();

  get size(): number {
    return this.#held.size;
  }
  get waiting(): number {
    return this.#waiting.length - this.#head;
  }

  /** new: to be emitted. held: it is here already. acked: it was settled before; it is acked again. */
  arrived(message: PulledMessage, now: number): 'new' | 'held' | 'acked' {
    const { seq } = message;
    if (this.#acked.has(seq) || this.#ackedBefore.has(seq)) {
      message.ack();
      return 'acked';
    }
    const held = this.#held.get(seq);
    if (held !== undefined) {
      held.message = message;
      held.renewedAt = now;
      return 'held';
    }
    this.#held.set(seq, { message, renewedAt: now });
    this.#waiting.push(seq);
    return 'new';
  }

  /** The next that is to be emitted. */
  take(): PulledMessage | undefined {
    while (this.#head < this.#waiting.length) {
      const seq = this.#waiting[this.#head++];
      if (this.#head === this.#waiting.length) {
        this.#waiting = [];
        this.#head = 0;
      }
      const held = this.#held.get(seq);
      if (held !== undefined) return held.message;
    }
    return undefined;
  }

  /** Settled as done. */
  ack(seq: number): void {
    this.#settle(seq)?.ack();
    this.#acked.add(seq);
    if (this.#acked.size < REMEMBERED) return;
    this.#ackedBefore = this.#acked;
    this.#acked = new Set();
  }

  /** It is to come again, to whoever asks. */
  nak(seq: number, delayMs: number): void {
    this.#settle(seq)?.nak(delayMs);
  }

  /** It is not to come again, though it is not done. */
  term(seq: number): void {
    this.#settle(seq)?.term();
  }

  /** Keeps alive what nobody has renewed for `afterMs`. */
  renew(now: number, afterMs: number): void {
    for (const held of this.#held.values()) {
      if (now - held.renewedAt < afterMs) continue;
      held.renewedAt = now;
      held.message.working();
    }
  }

  /** All that is here goes back, to come again at once. */
  giveBack(): void {
    for (const { message } of this.#held.values()) message.nak(0);
    this.#held.clear();
    this.#waiting = [];
    this.#head = 0;
  }

  #settle(seq: number): PulledMessage | undefined {
    const held = this.#held.get(seq);
    this.#held.delete(seq);
    return held?.message;
  }
}
