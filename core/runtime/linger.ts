import type { Clock } from './clock.js';

/** When a task sends what it has collected: not later than `lingerMs` after it could have. */
export class Linger {
  readonly #clock: Clock;
  readonly #lingerMs: number;
  readonly #flush: () => void;
  #lastAt = 0;
  #planned = false;

  constructor(clock: Clock, lingerMs: number, flush: () => void) {
    this.#clock = clock;
    this.#lingerMs = lingerMs;
    this.#flush = flush;
  }

  /** Nothing was sent for so long. */
  isOver(now: number): boolean {
    return now - this.#lastAt >= this.#lingerMs;
  }

  flush(): void {
    this.#lastAt = this.#clock.now();
    this.#flush();
  }

  /** While authors' code is awaited there may be more to send in a moment, or not for a long time. */
  flushLater(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#clock.after(this.#lingerMs, () => {
      this.#planned = false;
      this.flush();
    });
  }
}
