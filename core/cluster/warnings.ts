/** Warnings of a run: each once, with how often it came; bounded, whatever goes wrong. */
const MAX_WARNINGS = 100;

export class Warnings {
  readonly #counts = new Map<string, number>();
  #more = 0;

  /** True the first time. */
  add(message: string): boolean {
    const count = this.#counts.get(message);
    if (count === undefined && this.#counts.size >= MAX_WARNINGS) {
      this.#more += 1;
      return false;
    }
    this.#counts.set(message, (count ?? 0) + 1);
    return count === undefined;
  }

  all(): string[] {
    const lines = [...this.#counts].map(([message, count]) => (count === 1 ? message : `${message} (${count} times)`));
    return this.#more === 0 ? lines : [...lines, `and ${this.#more} further warnings`];
  }
}
