import type { Counter, Gauge, Histogram, MetricRegistry } from '../topology/definition.js';
import { LatencyHistogram } from './latency.js';

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
}

function made<T>(from: Map<string, T>, name: string, make: () => T): T {
  const known = from.get(name) ?? make();
  from.set(name, known);
  return known;
}
