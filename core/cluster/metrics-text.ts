/** Prometheus's text format, by prom-client, of figures that have been counted elsewhere. */
import { Counter, Gauge, type Metric, Registry } from 'prom-client';
import type { LatencyHistogram } from '../runtime/latency.js';

type Labels = Readonly<Record<string, string>>;

/** Seconds. Complete latency is from under a millisecond to a minute. */
const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** One page; every sample has the topology as its first label. */
export class MetricsText {
  readonly registry = new Registry();
  readonly #topology: string;
  readonly #metrics = new Map<string, Counter | Gauge>();
  readonly #histograms = new Map<string, { values: { metricName: string; labels: object; value: number }[] }>();

  constructor(topology: string) {
    this.#topology = topology;
  }

  counter(name: string, help: string, labels: Labels, value: number): void {
    const all = { topology: this.#topology, ...labels };
    const made = (): Counter => new Counter({ name, help, labelNames: Object.keys(all), registers: [this.registry] });
    (this.#made(name, made) as Counter).inc(all, value);
  }

  gauge(name: string, help: string, labels: Labels, value: number): void {
    const all = { topology: this.#topology, ...labels };
    const made = (): Gauge => new Gauge({ name, help, labelNames: Object.keys(all), registers: [this.registry] });
    (this.#made(name, made) as Gauge).set(all, value);
  }

  histogram(name: string, help: string, labels: Labels, histogram: LatencyHistogram): void {
    const all = { topology: this.#topology, ...labels };
    let known = this.#histograms.get(name);
    if (known === undefined) {
      const values: { metricName: string; labels: object; value: number }[] = [];
      known = { values };
      this.#histograms.set(name, known);
      // prom-client's own histograms count for themselves; these have been counted
      const metric = { name, get: async () => ({ name, help, type: 'histogram', values, aggregator: 'sum' }) };
      this.registry.registerMetric(metric as unknown as Metric);
    }
    for (const le of BUCKETS_S)
      known.values.push({ metricName: `${name}_bucket`, labels: { ...all, le }, value: histogram.upTo(le * 1000) });
    known.values.push({ metricName: `${name}_bucket`, labels: { ...all, le: '+Inf' }, value: histogram.count });
    known.values.push({ metricName: `${name}_sum`, labels: all, value: histogram.sumMs / 1000 });
    known.values.push({ metricName: `${name}_count`, labels: all, value: histogram.count });
  }

  #made(name: string, make: () => Counter | Gauge): Counter | Gauge {
    let metric = this.#metrics.get(name);
    if (metric === undefined) {
      metric = make();
      this.#metrics.set(name, metric);
    }
    return metric;
  }
}
