import type { Counter, Gauge, Histogram, MetricRegistry } from '../topology/definition.js';
import { LatencyHistogram } from './latency.js';
import type { MetricsReport } from './protocol.js';

/** A component's own metrics. The same name gives the same instrument. */
export class Metrics implements MetricRegistry {
  readonly counters = new Map<string, { value: number } & Counter>();
  readonly gauges = new Map<string, { value: number } & Gauge>();
  readonly histograms = new Map<string, LatencyHistogram>();

  counter(name: string): Counter {
    return made(this.counters, name, () => ({
      value: 0,
      add(by = 1) {
        this.value += by;
      },
    }));
  }
  gauge(name: string): Gauge {
    return made(this.gauges, name, () => ({
      value: 0,
      set(value: number) {
        this.value = value;
      },
    }));
  }
  histogram(name: string): Histogram {
    return made(this.histograms, name, () => new LatencyHistogram());
  }

  /** Undefined: the component has none. */
  report(): MetricsReport | undefined {
    if (this.counters.size + this.gauges.size + this.histograms.size === 0) return undefined;
    return {
      counters: mapped(this.counters, ({ value }) => value),
      gauges: mapped(this.gauges, ({ value }) => value),
      histograms: mapped(this.histograms, (histogram) => ({ sparse: histogram.sparse(), max: histogram.maxMs })),
    };
  }
}

function made<T>(from: Map<string, T>, name: string, make: () => T): T {
  const known = from.get(name) ?? make();
  from.set(name, known);
  return known;
}

function mapped<T, R>(from: ReadonlyMap<string, T>, value: (of: T) => R): Record<string, R> {
  return Object.fromEntries([...from].map(([name, of]) => [name, value(of)]));
}
