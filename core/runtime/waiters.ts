/** Those who wait for one and the same thing: room in an output. */
export class Waiters {
  #waiting: { resolve(): void; reject(error: Error): void }[] = [];

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** It is there, or with an error: it never will be. */
  release(error?: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve, reject } of waiting) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }
}
