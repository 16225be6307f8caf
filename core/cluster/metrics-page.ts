/** What Prometheus reads of a run: its text format, by prom-client, made anew of each snapshot. */
import { Counter, Gauge, type Metric, Registry } from 'prom-client';
import type { LatencyHistogram } from '../runtime/latency.js';
import type { RunSnapshot } from './run-types.js';

/** Of one component, over all that its tasks ever did. */
export interface ComponentHistograms {
  readonly component: string;
  readonly complete: LatencyHistogram;
  readonly execute: LatencyHistogram;
}

type Labels = Readonly<Record<string, string>>;

/** Seconds. Complete latency is from under a millisecond to a minute. */
const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export async function metricsPage(
  snapshot: RunSnapshot,
  histograms: readonly ComponentHistograms[],
  version: string,
): Promise<{ readonly contentType: string; readonly text: string }> {
  const page = new Page(snapshot.topology);
  const { spouts, bolts, workers, tasks, dropped = {}, phase } = snapshot;
  page.gauge('squall_build_info', 'Version of Squall', { version, node: process.versions.node }, 1);
  page.gauge('squall_run_info', 'The run and what it does', { run: snapshot.run, phase }, 1);
  page.gauge('squall_workers', 'Worker processes that should be up', {}, workers.all);
  page.gauge('squall_workers_up', 'Worker processes that are up', {}, workers.up);
  page.counter(
    'squall_worker_restarts_total',
    'Worker processes that died and were started again',
    {},
    workers.restarts,
  );
  page.counter('squall_dead_letters_total', 'Tuples that used up their attempts', {}, snapshot.deadLetters ?? 0);
  page.gauge('squall_nats_links_down', 'Connections to NATS that are down', {}, snapshot.linksDown ?? 0);
  for (const [cause, count] of Object.entries(dropped))
    page.counter(
      'squall_frames_dropped_total',
      'Frames and messages that were refused, late, stale or doubled',
      { cause },
      count,
    );
  for (const [component, spout] of Object.entries(spouts)) page.trees(component, spout);
  for (const [component, { emitted, executed, acked, failed, trees }] of Object.entries(bolts)) {
    page.counter('squall_tuples_emitted_total', 'Tuples emitted', { component }, emitted);
    page.counter('squall_tuples_executed_total', 'Tuples executed', { component }, executed);
    page.counter('squall_tuples_acked_total', 'Tuples acked by a bolt', { component }, acked);
    page.counter('squall_tuples_failed_total', 'Tuples failed by a bolt', { component }, failed);
    if (trees !== undefined) page.trees(component, trees, true);
  }
  for (const [component, { metrics }] of Object.entries({ ...spouts, ...bolts })) {
    if (metrics === undefined) continue;
    for (const [metric, value] of Object.entries(metrics.counters))
      page.counter('squall_component_events_total', "Counters of components' own", { component, metric }, value);
    for (const [metric, byTask] of Object.entries(metrics.gauges))
      for (const [task, value] of Object.entries(byTask))
        page.gauge('squall_component_level', "Gauges of components' own", { component, metric, task }, value);
    for (const [metric, { p50, p90, p99, max, count }] of Object.entries(metrics.histograms)) {
      for (const [q, value] of Object.entries({ '0.5': p50, '0.9': p90, '0.99': p99, '1': max }))
        page.gauge(
          'squall_component_observed',
          "Quantiles of components' own histograms",
          { component, metric, q },
          value,
        );
      page.counter(
        'squall_component_observations_total',
        "Records of components' own histograms",
        { component, metric },
        count,
      );
    }
  }
  for (const one of tasks) page.task(one);
  for (const { component, complete, execute } of histograms) {
    if (complete.count > 0)
      page.histogram(
        'squall_complete_latency_seconds',
        'From the emit of a tuple until its tree was complete',
        { component },
        complete,
      );
    if (execute.count > 0)
      page.histogram(
        'squall_execute_duration_seconds',
        'Duration of an execute, the mean of each frame',
        { component },
        execute,
      );
  }
  return { contentType: page.registry.contentType, text: await page.registry.metrics() };
}

class Page {
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

  /** `own`: started by a bolt's ticks and its `end`. */
  trees(component: string, trees: RunSnapshot['spouts'][string], own = false): void {
    const { emitted, untracked, acked, deadLettered, pending, replays } = trees;
    const of = { component };
    if (!own) this.counter('squall_tuples_emitted_total', 'Tuples emitted', of, emitted);
    this.counter('squall_tuples_untracked_total', 'Tuples emitted without an id', of, untracked);
    this.counter('squall_roots_acked_total', 'Tuples whose tree was complete', of, acked);
    this.counter('squall_roots_dead_lettered_total', 'Tuples that became dead letters', of, deadLettered);
    this.gauge('squall_pending_roots', 'Tuples whose tree is not complete', of, pending);
    for (const [reason, count] of Object.entries(replays)) {
      this.counter('squall_roots_failed_total', 'Attempts that failed or were lost', { component, reason }, count);
      this.counter('squall_replays_total', 'Tuples sent again', { component, reason }, count);
    }
  }

  task({
    component: title,
    task,
    state,
    load,
    pending,
    oldestMs,
    open,
    blockedOn,
    process,
    restarts,
  }: RunSnapshot['tasks'][number]): void {
    const of = { component: title.replace(/\[\d+\]$/, ''), task: String(task) };
    this.gauge('squall_task_up', 'The task is ready', of, state === 'ready' || state === 'ended' ? 1 : 0);
    this.counter('squall_task_restarts_total', 'Deaths of the process of a task', of, restarts);
    if (open !== undefined)
      this.gauge('squall_acker_entries', 'Roots that an acker has and that are not complete', of, open);
    if (load !== undefined) {
      this.gauge('squall_queued_tuples', 'Tuples that wait in the inbox of a task', of, load.queued);
      this.gauge(
        'squall_capacity_ratio',
        'Share of the last ten seconds in which executes were under way',
        of,
        load.capacity,
      );
    }
    if (pending !== undefined)
      this.gauge('squall_task_pending_roots', 'Tuples of a task whose tree is not complete', of, pending);
    if (oldestMs !== undefined)
      this.gauge('squall_oldest_pending_seconds', 'Age of the oldest tuple that is not complete', of, oldestMs / 1000);
    const longest = Math.max(0, ...(blockedOn ?? []).map(({ ms }) => ms));
    this.gauge(
      'squall_blocked_seconds',
      'For so long some receiver has had no room for what the task sends',
      of,
      longest / 1000,
    );
    if (process === undefined) return;
    this.gauge(
      'squall_process_resident_memory_bytes',
      'Resident memory of the process of a task',
      of,
      process.rssBytes,
    );
    this.gauge('squall_process_heap_bytes', 'Heap in use of the process of a task', of, process.heapBytes);
    this.gauge('squall_process_cpu_ratio', 'Share of a processor over the last ten seconds', of, process.cpu);
    this.gauge(
      'squall_event_loop_lag_seconds',
      'How late the event loop was at the most, lately',
      of,
      process.loopLagMs / 1000,
    );
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
