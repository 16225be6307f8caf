/** What Prometheus reads of a run, made anew of each snapshot. */
import type { LatencyHistogram, Quantiles } from '../runtime/latency.js';
import { MetricsText } from './metrics-text.js';
import type { RunSnapshot } from './run-types.js';

/** Of one component, over all that its tasks ever did. */
export interface ComponentHistograms {
  readonly component: string;
  readonly complete: LatencyHistogram;
  readonly execute: LatencyHistogram;
}

export async function metricsPage(
  snapshot: RunSnapshot,
  histograms: readonly ComponentHistograms[],
  version: string,
): Promise<{ readonly contentType: string; readonly text: string }> {
  const page = new MetricsText(snapshot.topology);
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
  for (const [component, spout] of Object.entries(spouts)) writeTrees(page, component, spout);
  for (const [component, { emitted, executed, acked, failed, trees }] of Object.entries(bolts)) {
    page.counter('squall_tuples_emitted_total', 'Tuples emitted', { component }, emitted);
    page.counter('squall_tuples_executed_total', 'Tuples executed', { component }, executed);
    page.counter('squall_tuples_acked_total', 'Tuples acked by a bolt', { component }, acked);
    page.counter('squall_tuples_failed_total', 'Tuples failed by a bolt', { component }, failed);
    if (trees !== undefined) writeTrees(page, component, trees, true);
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
  writeBalance(page, snapshot);
  writeLatencies(page, snapshot);
  for (const one of tasks) writeTask(page, one);
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

/** The parts of the complete latency, as far as they are known by quantiles of the last seconds. */
function writeLatencies(page: MetricsText, { load = {}, recent }: RunSnapshot): void {
  const quantiles = (name: string, help: string, labels: Record<string, string>, of: Quantiles | undefined): void => {
    if (of === undefined) return;
    for (const [q, ms] of Object.entries({ '0.5': of.p50, '0.9': of.p90, '0.99': of.p99 }))
      page.gauge(name, `${help}, quantiles of the last ten seconds`, { ...labels, q }, ms / 1000);
  };
  for (const [component, { queueMs }] of Object.entries(load))
    quantiles('squall_queue_seconds', 'From the arrival of a frame until its first execute', { component }, queueMs);
  quantiles('squall_wire_seconds', 'What a frame takes from a task to another', {}, recent?.wireMs);
  quantiles('squall_ack_seconds', 'From an ack by an acker to the spout', {}, recent?.ackMs);
}

function writeBalance(page: MetricsText, { balance }: RunSnapshot): void {
  if (balance === undefined) return;
  page.counter(
    'squall_balance_mismatches_total',
    'Frames whose edges disagreed with what arrived: always 0, or tuples were lost or doubled unseen',
    {},
    balance.mismatches,
  );
}

/** `own`: started by a bolt's ticks and its `end`. */
function writeTrees(page: MetricsText, component: string, trees: RunSnapshot['spouts'][string], own = false): void {
  const { emitted, untracked, acked, deadLettered, pending, replays, returned = 0 } = trees;
  const of = { component };
  if (!own) page.counter('squall_tuples_emitted_total', 'Tuples emitted', of, emitted);
  page.counter('squall_tuples_untracked_total', 'Tuples emitted without an id', of, untracked);
  page.counter('squall_roots_acked_total', 'Tuples whose tree was complete', of, acked);
  page.counter('squall_roots_dead_lettered_total', 'Tuples that became dead letters', of, deadLettered);
  page.gauge('squall_pending_roots', 'Tuples whose tree is not complete', of, pending);
  const failures = { ...replays, 'dead-letter': deadLettered, returned };
  for (const [reason, count] of Object.entries(failures))
    page.counter('squall_roots_failed_total', 'Attempts that did not complete', { component, reason }, count);
  for (const [reason, count] of Object.entries(replays))
    page.counter('squall_replays_total', 'Tuples sent again', { component, reason }, count);
}

function writeTask(
  page: MetricsText,
  {
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
  }: RunSnapshot['tasks'][number],
): void {
  const of = { component: title.replace(/\[\d+\]$/, ''), task: String(task) };
  page.gauge('squall_task_up', 'The task is ready', of, state === 'ready' || state === 'ended' ? 1 : 0);
  page.counter('squall_task_restarts_total', 'Deaths of the process of a task', of, restarts);
  if (open !== undefined)
    page.gauge('squall_acker_entries', 'Roots that an acker has and that are not complete', of, open);
  if (load !== undefined) {
    page.gauge('squall_queued_tuples', 'Tuples that wait in the inbox of a task', of, load.queued);
    page.gauge(
      'squall_capacity_ratio',
      'Share of the last ten seconds in which executes were under way',
      of,
      load.capacity,
    );
  }
  if (pending !== undefined)
    page.gauge('squall_task_pending_roots', 'Tuples of a task whose tree is not complete', of, pending);
  if (oldestMs !== undefined)
    page.gauge('squall_oldest_pending_seconds', 'Age of the oldest tuple that is not complete', of, oldestMs / 1000);
  const longest = Math.max(0, ...(blockedOn ?? []).map(({ ms }) => ms));
  page.gauge(
    'squall_blocked_seconds',
    'For so long some receiver has had no room for what the task sends',
    of,
    longest / 1000,
  );
  if (process === undefined) return;
  page.gauge('squall_process_resident_memory_bytes', 'Resident memory of the process of a task', of, process.rssBytes);
  page.gauge('squall_process_heap_bytes', 'Heap in use of the process of a task', of, process.heapBytes);
  page.gauge('squall_process_cpu_ratio', 'Share of a processor over the last ten seconds', of, process.cpu);
  page.gauge(
    'squall_event_loop_lag_seconds',
    'How late the event loop was at the most, lately',
    of,
    process.loopLagMs / 1000,
  );
}
