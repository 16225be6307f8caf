/** How fast counts have grown lately. Pure: the time is an argument. */

interface Sample {
  readonly atMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Long enough to be steady, short enough to show a stall. */
const WINDOW_MS = 5_000;
/** Workers report a few times a second; over less than this a rate is noise. */
const SHORTEST_MS = 900;

export class Rates {
  #samples: Sample[] = [];

  add(atMs: number, counts: Readonly<Record<string, number>>): void {
    this.#samples.push({ atMs, counts });
    // One that is as old as the window or older stays, to count from.
    while (this.#samples.length > 2 && this.#samples[1].atMs <= atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Per second, over the last five; undefined while that is not known. */
  of(name: string): number | undefined {
    const first = this.#samples.find(({ counts }) => counts[name] !== undefined);
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < SHORTEST_MS) return undefined;
    const grown = (last.counts[name] ?? 0) - first.counts[name];
    return Math.max(0, (grown / (last.atMs - first.atMs)) * 1000);
  }
}
