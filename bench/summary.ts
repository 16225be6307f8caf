import type { Benchmark, Measurement } from './benchmark.js';

export type Pair = readonly [Measurement, Measurement];

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface BenchmarkResult {
  readonly benchmark: Benchmark;
  readonly pairs: readonly Pair[];
  /** first side's rate to the second's, of each pair run back to back: what both suffered alike cancels out */
  readonly ratio: Spread;
  readonly rates: readonly [Spread, Spread];
  readonly cpuSecondsPerMillion: readonly [Spread | undefined, Spread | undefined];
}

export function summarize(benchmark: Benchmark, pairs: readonly Pair[]): BenchmarkResult {
  const cpu = (side: 0 | 1): Spread | undefined => {
    const known = pairs.flatMap((pair) => pair[side].cpuSecondsPerMillion ?? []);
    return known.length === 0 ? undefined : spreadOf(known);
  };
  return {
    benchmark,
    pairs,
    ratio: spreadOf(pairs.map(([a, b]) => a.rate / b.rate)),
    rates: [spreadOf(pairs.map(([a]) => a.rate)), spreadOf(pairs.map(([, b]) => b.rate))],
    cpuSecondsPerMillion: [cpu(0), cpu(1)],
  };
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return {
    median: sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
    least: sorted[0],
    most: sorted[sorted.length - 1],
  };
}
