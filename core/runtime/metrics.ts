import { SquallError, shown } from '../errors.js';
import type { Counter, Gauge, Histogram, MetricRegistry } from '../topology/definition.js';
import { LatencyHistogram } from './latency.js';
import type { MetricsReport } from './protocol.js';

/** Of one task: all its metrics travel with each of its reports. */
const MAX_METRICS = 1000;
const MAX_NAME_CHARS = 128;

/** A component's own metrics. The same name gives the same instrument. */
export class Metrics implements MetricRegistry {
  readonly counters = new Map<string, { value: number } & Counter>();
  readonly gauges = new Map<string, { value: number } & Gauge>();
  readonly histograms = new Map<string, LatencyHistogram>();

  counter(name: string): Counter {
    return this.#made(this.counters, name, () => ({
      value: 0,
      add(by = 1) {
        if (!(by >= 0 && by < Number.POSITIVE_INFINITY)) throw wrongValue(name, 'a number from 0 to add', by);
        this.value += by;
      },
    }));
  }
  gauge(name: string): Gauge {
    return this.#made(this.gauges, name, () => ({
      value: 0,
      set(value: number) {
        if (!Number.isFinite(value)) throw wrongValue(name, 'a number', value);
        this.value = value;
      },
    }));
  }
  histogram(name: string): Histogram {
    return this.#made(this.histograms, name, () => new Values(name));
  }

  #made<T>(from: Map<string, T>, name: string, make: () => T): T {
    const known = from.get(name);
    if (known !== undefined) return known;
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_CHARS) {
      throw new SquallError(
        'ERR_SQUALL_METRIC',
        `the name of a metric: expected 1 to ${MAX_NAME_CHARS} characters, found ${shown(name)}`,
      );
    }
    if (this.counters.size + this.gauges.size + this.histograms.size >= MAX_METRICS) {
      throw new SquallError(
        'ERR_SQUALL_METRIC',
        `metric '${name}': a task may have ${MAX_METRICS} metrics, each is told four times a second; count by kinds, not by keys`,
        { facts: { limit: MAX_METRICS } },
      );
    }
    const one = make();
    from.set(name, one);
    return one;
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

/** A histogram of whatever an author records. */
class Values extends LatencyHistogram implements Histogram {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }
  override record(value: number): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw wrongValue(this.#name, 'a number from 0', value);
    super.record(value);
  }
}

function wrongValue(name: string, expected: string, found: unknown): SquallError {
  return new SquallError('ERR_SQUALL_METRIC', `metric '${name}': expected ${expected}, found ${shown(found)}`);
}

function mapped<T, R>(from: ReadonlyMap<string, T>, value: (of: T) => R): Record<string, R> {
  return Object.fromEntries([...from].map(([name, of]) => [name, value(of)]));
}
