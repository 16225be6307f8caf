/**
 * How soon a dead worker is started again, and when that is given up. Pure: time and chance are arguments.
 *
 * The first restart is at once. A worker that dies again soon after it was ready waits longer each time, with jitter; one
 * that had lived for a while starts over. A component that uses its budget up ends the run: a clear end is better than a
 * loop at night.
 */
const GROWTH_MS = [0, 250, 500, 1000, 2000, 4000, 8000] as const;
const MAX_DELAY_MS = 10_000;
/** Lived so long: its death is news, not a continuation. */
const HEALTHY_MS = 10_000;
/** For so long of a life one earlier death is forgiven: a kill every few seconds is not a crash loop. */
const FORGIVEN_MS = 3000;
/** Deaths of one worker in quick succession. With the delays above it takes about a minute to use them up. */
export const MAX_QUICK_DEATHS = 10;
/** The component's own code threw where nothing can be retried: the same again is likely. */
export const MAX_FATAL_DEATHS = 3;

export class RestartPolicy {
  #quick = 0;
  #fatal = 0;

  /** deaths that are not forgiven yet */
  get quickDeaths(): number {
    return this.#quick;
  }

  /** The worker died after `livedMs` of being ready. The delay until its restart in ms, or undefined: give up. */
  died(livedMs: number, fatal: boolean, random: number): number | undefined {
    this.#quick = Math.max(0, this.#quick - Math.floor(livedMs / FORGIVEN_MS));
    if (livedMs >= HEALTHY_MS) this.#fatal = 0;
    this.#quick += 1;
    if (fatal) this.#fatal += 1;
    if (this.#quick > MAX_QUICK_DEATHS || this.#fatal > MAX_FATAL_DEATHS) return undefined;
    const base = GROWTH_MS[this.#quick - 1] ?? MAX_DELAY_MS;
    return base * (0.75 + random / 2);
  }
}
