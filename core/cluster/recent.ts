/** What the tasks did lately: rates, shares and latencies over the last seconds, from their cumulative reports. Pure. */
import { LatencyHistogram, type Quantiles } from '../runtime/latency.js';
import type { TaskStats } from '../runtime/protocol.js';
import { rounded } from './component-metrics.js';
import type { Load, Rates } from './run-types.js';

/** Long enough for quantiles that stand still, short enough that a stall is seen. */
export const WINDOW_MS = 10_000;
/** Reports come four times a second; so many are kept. */
const SAMPLE_EVERY_MS = 1_000;

interface Sample {
  readonly at: number;
  readonly stats: TaskStats;
}

export class Recent {
  /** oldest first; the first is as old as the window, or the oldest there is */
  readonly #samples = new Map<number, Sample[]>();
  readonly #last = new Map<number, Sample>();

  report(all: readonly TaskStats[], at: number): void {
    for (const stats of all) {
      const sample = { at, stats };
      let samples = this.#samples.get(stats.task);
      // of another incarnation nothing can be subtracted
      if (samples === undefined || samples[0].stats.epoch !== stats.epoch) samples = [sample];
      else if (at - (samples.at(-1) as Sample).at >= SAMPLE_EVERY_MS) {
        while (samples.length > 1 && samples[1].at <= at - WINDOW_MS) samples.shift();
        samples.push(sample);
      }
      this.#samples.set(stats.task, samples);
      this.#last.set(stats.task, sample);
    }
  }

  gone(task: number): void {
    this.#samples.delete(task);
    this.#last.delete(task);
  }

  /** Of these tasks together. Undefined: none of them has reported. */
  load(tasks: readonly number[]): Load | undefined {
    const execute = new LatencyHistogram();
    const queue = new LatencyHistogram();
    let busiest = 0;
    let queued = 0;
    let known = false;
    const perS: { -readonly [K in keyof Rates]: number } = { executed: 0, emitted: 0, acked: 0, failed: 0 };
    for (const task of tasks) {
      const last = this.#last.get(task);
      const first = this.#samples.get(task)?.[0];
      if (last === undefined || first === undefined) continue;
      known = true;
      const { load } = last.stats;
      queued += load?.queued ?? 0;
      const ms = last.at - first.at;
      if (ms <= 0) continue;
      const now = countsOf(last.stats);
      const before = countsOf(first.stats);
      for (const name of Object.keys(perS) as (keyof Rates)[]) perS[name] += ((now[name] - before[name]) * 1000) / ms;
      if (load === undefined || first.stats.load === undefined) continue;
      busiest = Math.max(busiest, (load.busyMs - first.stats.load.busyMs) / ms);
      execute.merge(between(load.executeMs, load.executeMaxMs, first.stats.load.executeMs));
      queue.merge(between(load.queueMs, load.queueMaxMs, first.stats.load.queueMs));
    }
    if (!known) return undefined;
    for (const name of Object.keys(perS) as (keyof Rates)[]) perS[name] = Math.round(perS[name] * 10) / 10;
    return {
      perS,
      queued,
      capacity: Math.round(busiest * 1000) / 1000,
      ...quantiles('executeMs', execute),
      ...quantiles('queueMs', queue),
    };
  }

  /** Complete latency of what these ledgers saw to its end lately. Undefined: nothing. */
  complete(tasks: readonly number[]): Quantiles | undefined {
    const sum = new LatencyHistogram();
    for (const task of tasks) {
      const last = this.#last.get(task)?.stats;
      const first = this.#samples.get(task)?.[0].stats;
      if (last?.latency === undefined) continue;
      sum.merge(between(last.latency, last.latencyMaxMs ?? 0, first?.latency ?? []));
    }
    return sum.count === 0 ? undefined : rounded(sum.quantiles());
  }
}

function quantiles<K extends string>(name: K, histogram: LatencyHistogram): { readonly [N in K]?: Quantiles } {
  if (histogram.count === 0) return {};
  return { [name]: rounded(histogram.quantiles()) } as { readonly [N in K]: Quantiles };
}

function between(now: readonly number[], maxMs: number, before: readonly number[]): LatencyHistogram {
  return LatencyHistogram.fromSparse(now, maxMs).since(LatencyHistogram.fromSparse(before, 0));
}

/** A spout executes nothing; what it emitted and saw acked are its trees. */
function countsOf({ bolt, spout }: TaskStats): Rates {
  if (bolt !== undefined) return bolt;
  if (spout === undefined) return NOTHING;
  return { executed: 0, emitted: spout.emitted, acked: spout.acked, failed: spout.replays.failed };
}

const NOTHING: Rates = { executed: 0, emitted: 0, acked: 0, failed: 0 };
