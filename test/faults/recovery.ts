/** Full rate: completed per second, in buckets of 250 ms, back at 90 % of the mean of the 5 s before the fault. Pure. */

/** So much was completed by one incarnation of the spout at this time. */
export interface Sample {
  /** ms since 1970 */
  readonly at: number;
  readonly completed: number;
}

export interface Recovery {
  /** completed per second in the 5 s before */
  readonly before: number;
  /** completed per second, per bucket from the fault on */
  readonly buckets: readonly number[];
  /** lowest bucket after the fault, as a share of `before` */
  readonly lowest: number;
  /** from the fault to the end of the first bucket at full rate; 0: it never fell; undefined: it did not come back */
  readonly backAfterMs: number | undefined;
}

export const BEFORE_MS = 5000;
export const BUCKET_MS = 250;
const FULL = 0.9;
/** A fault that has had no effect by then has none. */
const EFFECT_WITHIN_MS = 1000;

/** `incarnations`: the samples of each, in order of time; each counts from zero. `to`: nothing is known from then on. */
export function recoveryOf(incarnations: readonly (readonly Sample[])[], fault: number, to: number): Recovery {
  const completed = (at: number) => incarnations.reduce((sum, samples) => sum + completedAt(samples, at), 0);
  const rate = (from: number, ms: number) => ((completed(from + ms) - completed(from)) / ms) * 1000;
  const before = rate(fault - BEFORE_MS, BEFORE_MS);
  const buckets: number[] = [];
  for (let from = fault; from + BUCKET_MS <= to; from += BUCKET_MS) buckets.push(rate(from, BUCKET_MS));
  const fell = buckets.slice(0, EFFECT_WITHIN_MS / BUCKET_MS).findIndex((bucket) => bucket < before * FULL);
  const back = buckets.findIndex((bucket, index) => index > fell && bucket >= before * FULL);
  return {
    before,
    buckets,
    lowest: Math.min(...buckets) / before,
    backAfterMs: fell < 0 ? 0 : back < 0 ? undefined : (back + 1) * BUCKET_MS,
  };
}

/** On the line between the samples round that time; before the first nothing, after the last what it said. */
function completedAt(samples: readonly Sample[], at: number): number {
  const after = samples.findIndex((sample) => sample.at > at);
  if (after === 0) return 0;
  if (after < 0) return samples.at(-1)?.completed ?? 0;
  const [a, b] = [samples[after - 1], samples[after]];
  return a.completed + ((b.completed - a.completed) * (at - a.at)) / (b.at - a.at);
}
