/** What happened, in order, and a way to wait for what is to happen: with a deadline, without sleeping. */
const DEADLINE_MS = 60_000;

export class Log<T> {
  readonly items: T[] = [];
  readonly #watchers = new Set<() => void>();

  push(item: T): void {
    this.items.push(item);
    for (const watch of [...this.#watchers]) watch();
  }

  /** Resolves when `done` holds for the items; rejects with `what` and the items when that takes too long. */
  until(done: (items: readonly T[]) => boolean, what: string, withinMs = DEADLINE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch = (): void => {
        if (!done(this.items)) return;
        clearTimeout(timer);
        this.#watchers.delete(watch);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(watch);
        reject(
          new Error(`Expected ${what} within ${withinMs} ms, got ${JSON.stringify(this.items.slice(-20), shortened)}`),
        );
      }, withinMs);
      this.#watchers.add(watch);
      watch();
    });
  }

  /** Resolves when there are `count` items. */
  count(count: number, what = `${count} items`): Promise<void> {
    return this.until((items) => items.length >= count, what);
  }
}

function shortened(_key: string, value: unknown): unknown {
  return value instanceof Error ? String(value) : value;
}
