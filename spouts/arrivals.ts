/** A `next` that waits until something has come, the run drains, or a time is over. */
export class Arrivals {
  #wake: (() => void) | undefined;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.came();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  came(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  wait(longestMs?: number): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = longestMs === undefined ? undefined : setTimeout(() => this.came(), longestMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  stop(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.came();
  }
}
