import type { Transport } from '../transport/transport.js';
import type { Clock } from './clock.js';

/** Said to itself this often; unheard for three times as long, the link is dropped and dialled again. */
const ECHO_EVERY_MS = 2000;
const LOST_AFTER_MS = 3 * ECHO_EVERY_MS;

/** Keeps a connection honest: it publishes to itself, and one that does not hear its own echo is declared lost. */
export class LinkWatch {
  /** what the last echo took; undefined: none came yet */
  echoMs: number | undefined;
  #heardAt: number;
  #saidAt = 0;

  constructor(transport: Transport, subject: string, clock: Clock) {
    this.#heardAt = clock.now();
    transport.subscribe(subject, () => {
      this.#heardAt = clock.now();
      this.echoMs = this.#heardAt - this.#saidAt;
    });
    let lastTurn = clock.now();
    clock.every(ECHO_EVERY_MS, () => {
      const now = clock.now();
      // after a block of our own, what was said to us is still to be read
      if (now - lastTurn > LOST_AFTER_MS) this.#heardAt = now;
      lastTurn = now;
      if (!transport.connected) this.#heardAt = now;
      else if (now - this.#heardAt > LOST_AFTER_MS) {
        this.#heardAt = now;
        void transport.reconnect();
      } else {
        this.#saidAt = clock.now();
        transport.publish(subject, ECHO);
      }
    });
    this.#clock = clock;
  }
  readonly #clock: Clock;

  down(): void {
    this.#heardAt = this.#clock.now();
  }
  up(): void {
    this.#heardAt = this.#clock.now();
  }
}

const ECHO = new Uint8Array(0);
