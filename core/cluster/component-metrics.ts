/** What the tasks of a component count themselves, summed. Pure. */
import { LatencyHistogram } from '../runtime/latency.js';
import type { MetricsReport } from '../runtime/protocol.js';
import type { MetricsResult } from './run-types.js';

/** Of incarnations that are over, too. Without gauges: these tell how things stand, which of the dead nobody knows. */
export class MetricsSum {
  readonly counters = new Map<string, number>();
  readonly histograms = new Map<string, LatencyHistogram>();

  add({ counters, histograms }: MetricsReport): void {
    for (const [name, value] of Object.entries(counters)) this.#count(name, value);
    for (const [name, { sparse, max }] of Object.entries(histograms)) {
      this.#record(name, LatencyHistogram.fromSparse(sparse, max));
    }
  }

  merge({ counters, histograms }: MetricsSum): void {
    for (const [name, value] of counters) this.#count(name, value);
    for (const [name, histogram] of histograms) this.#record(name, histogram);
  }

  #count(name: string, value: number): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + value);
  }

  #record(name: string, histogram: LatencyHistogram): void {
    const sum = this.histograms.get(name) ?? new LatencyHistogram();
    sum.merge(histogram);
    this.histograms.set(name, sum);
  }
}

/** Undefined where there are none. `live`: the last reports of living tasks, by number. */
export function metricsResult(
  live: Iterable<readonly [task: number, report: MetricsReport | undefined]>,
  past: Iterable<MetricsSum | undefined>,
): MetricsResult | undefined {
  const sum = new MetricsSum();
  const gauges = new Map<string, Record<string, number>>();
  for (const one of past) if (one !== undefined) sum.merge(one);
  for (const [task, report] of live) {
    if (report === undefined) continue;
    sum.add(report);
    for (const [name, value] of Object.entries(report.gauges)) gauges.set(name, { ...gauges.get(name), [task]: value });
  }
  if (sum.counters.size + sum.histograms.size + gauges.size === 0) return undefined;
  const histograms = [...sum.histograms].map(([name, histogram]) => [
    name,
    { count: histogram.count, ...rounded(histogram.quantiles()) },
  ]);
  return {
    counters: Object.fromEntries(sum.counters),
    gauges: Object.fromEntries(gauges),
    histograms: Object.fromEntries(histograms),
  };
}

/** To the digits that a histogram is worth. */
export function rounded<T extends Record<keyof T, number>>(quantiles: T): T {
  const entries = Object.entries(quantiles).map(([key, value]) => [key, Math.round((value as number) * 1000) / 1000]);
  return Object.fromEntries(entries) as T;
}
