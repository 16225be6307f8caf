/** Which connections to NATS are down: people hear of the first that goes and of the last that is back. */
export class LinksDown {
  readonly #down = new Set<string>();

  get count(): number {
    return this.#down.size;
  }

  /** What to tell, if anything. `why` begins with the connection's role: `data: …`. */
  changed(title: string, up: boolean, why: string): string | undefined {
    const link = `${title} ${why.split(':')[0]}`;
    const before = this.#down.size;
    if (up) this.#down.delete(link);
    else this.#down.add(link);
    if (before === 0 && !up) return `the connection to NATS is down (${why}); emission stops until it is back`;
    return before > 0 && this.#down.size === 0 ? 'the connection to NATS is back' : undefined;
  }
}
