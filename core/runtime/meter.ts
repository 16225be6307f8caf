import type { Clock } from './clock.js';

/** Measures for how long there was something under way. */
export class Meter {
  readonly #clock: Clock;
  #sum = 0;
  #since = NOT_RUNNING;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    if (this.#since === NOT_RUNNING) this.#since = this.#clock.now();
  }

  stop(): void {
    if (this.#since === NOT_RUNNING) return;
    this.#sum += this.#clock.now() - this.#since;
    this.#since = NOT_RUNNING;
  }

  /** ms since the last call; goes on if it runs */
  take(): number {
    let sum = this.#sum;
    this.#sum = 0;
    if (this.#since !== NOT_RUNNING) {
      const now = this.#clock.now();
      sum += now - this.#since;
      this.#since = now;
    }
    return sum;
  }
}

const NOT_RUNNING = -1;
