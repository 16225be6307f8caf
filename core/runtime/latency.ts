/**
 * A histogram of durations: 16 buckets per power of two from 1 µs to over an hour, so any percentile is right to 5 %,
 * in 2 KiB however much is recorded. After HdrHistogram's bucketing (Tene).
 */
const PER_OCTAVE = 16;
const OCTAVES = 32;
/** 71 minutes; what takes longer counts as that, but for `maxMs` */
const MAX_US = 2 ** OCTAVES - 1;
const OCTAVE_US = Float64Array.from({ length: OCTAVES }, (_, octave) => 2 ** octave);

export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export class LatencyHistogram {
  readonly buckets = new Float64Array(PER_OCTAVE * OCTAVES);
  count = 0;
  maxMs = 0;

  record(ms: number): void {
    this.recordMany(ms, 1);
  }

  recordMany(ms: number, times: number): void {
    const us = Math.min(ms * 1000, MAX_US);
    let at = 0;
    if (us > 1) {
      const octave = 31 - Math.clz32(us);
      at = octave * PER_OCTAVE + ((us / OCTAVE_US[octave]) * PER_OCTAVE - PER_OCTAVE);
    }
    this.buckets[at | 0] += times;
    this.count += times;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  merge(other: LatencyHistogram): void {
    for (let at = 0; at < this.buckets.length; at++) this.buckets[at] += other.buckets[at];
    this.count += other.count;
    if (other.maxMs > this.maxMs) this.maxMs = other.maxMs;
  }

  /** How many records are at most `ms`, and about what all records add up to. */
  upTo(ms: number): number {
    let count = 0;
    for (let at = 0; at < this.buckets.length && valueAt(at) <= ms; at++) count += this.buckets[at];
    return count;
  }
  get sumMs(): number {
    let sum = 0;
    for (let at = 0; at < this.buckets.length; at++) if (this.buckets[at] > 0) sum += this.buckets[at] * valueAt(at);
    return sum;
  }

  /** The value that `share` of all records do not exceed, in ms. 0 when nothing was recorded. */
  quantile(share: number): number {
    let left = share * this.count;
    for (let at = 0; at < this.buckets.length; at++) {
      left -= this.buckets[at];
      if (left > 0 || this.buckets[at] === 0) continue;
      return Math.min(this.maxMs, valueAt(at));
    }
    return this.maxMs;
  }

  quantiles(): Quantiles {
    return { p50: this.quantile(0.5), p90: this.quantile(0.9), p99: this.quantile(0.99), max: this.maxMs };
  }

  /** What was recorded here and not yet in `earlier`, a former state of the same histogram. Its maximum is not known. */
  since(earlier: LatencyHistogram): LatencyHistogram {
    const more = new LatencyHistogram();
    for (let at = 0; at < this.buckets.length; at++) {
      const count = this.buckets[at] - earlier.buckets[at];
      if (count <= 0) continue;
      more.buckets[at] = count;
      more.count += count;
    }
    more.maxMs = this.maxMs;
    return more;
  }

  /** Pairs of (bucket, count) where something was recorded. */
  sparse(): number[] {
    const pairs: number[] = [];
    for (let at = 0; at < this.buckets.length; at++) if (this.buckets[at] > 0) pairs.push(at, this.buckets[at]);
    return pairs;
  }

  static fromSparse(pairs: readonly number[], maxMs: number): LatencyHistogram {
    const histogram = new LatencyHistogram();
    for (let at = 0; at < pairs.length; at += 2) {
      histogram.buckets[pairs[at]] = pairs[at + 1];
      histogram.count += pairs[at + 1];
    }
    histogram.maxMs = maxMs;
    return histogram;
  }
}

/** Middle of a bucket, in ms. */
function valueAt(bucket: number): number {
  const octave = Math.floor(bucket / PER_OCTAVE);
  return (OCTAVE_US[octave] * (1 + ((bucket % PER_OCTAVE) + 0.5) / PER_OCTAVE)) / 1000;
}
