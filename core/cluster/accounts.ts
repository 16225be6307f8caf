/**
 * Sums what the tasks report into what a run reports: counts, latency, the balance. Pure. Bounded by the number of tasks,
 * however often their processes die.
 */
import { addDrops } from '../runtime/drops.js';
import type { ClosedChannel } from '../runtime/env.js';
import { LatencyHistogram } from '../runtime/latency.js';
import type { TaskStats } from '../runtime/protocol.js';
import type { TopologyPlan } from '../topology/definition.js';
import { MetricsSum, metricsResult, rounded } from './component-metrics.js';
import type { Balance, BoltResult, RunSnapshot, SpoutResult } from './run-types.js';

type Counts = Pick<RunSnapshot, 'spouts' | 'bolts' | 'completeLatencyMs'>;
type Trees = NonNullable<TaskStats['trees']> & { readonly returned?: number };

/** What the incarnations of one task that have ended had reported. */
interface Past {
  readonly bolt: { executed: number; emitted: number; acked: number; failed: number };
  readonly trees: SpoutResult & { readonly replays: Record<string, number> };
  readonly latency: LatencyHistogram;
  readonly execute: LatencyHistogram;
  readonly metrics: MetricsSum;
  readonly drops: Record<string, number>;
}

const NO_REPLAYS = { failed: 0, timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 };

export class Accounts {
  readonly #plan: TopologyPlan;
  /** last report of each task's present incarnation */
  readonly #live = new Map<number, TaskStats>();
  readonly #past = new Map<number, Past>();
  /** channels that are over, summed up */
  readonly #closed = { created: 0, consumed: 0, failed: 0, mismatches: 0 };
  readonly #causes: Record<string, number> = {};
  /** newest incarnation of each task that some channel that is over had sent tuples to */
  readonly #sentTo = new Map<number, number>();

  constructor(plan: TopologyPlan) {
    this.#plan = plan;
  }

  report(stats: readonly TaskStats[]): void {
    for (const task of stats) this.#live.set(task.task, task);
  }

  channelClosed({
    receiver,
    receiverEpoch,
    created,
    consumed,
    failed,
    writtenOff,
    cause,
    mismatches,
  }: ClosedChannel): void {
    this.#closed.created += created;
    this.#closed.consumed += consumed;
    this.#closed.failed += failed;
    this.#closed.mismatches += mismatches;
    if (writtenOff !== 0) this.#causes[cause] = (this.#causes[cause] ?? 0) + writtenOff;
    if (created > 0) this.#sentTo.set(receiver, Math.max(receiverEpoch, this.#sentTo.get(receiver) ?? 0));
  }

  /** The task's incarnation is over: its counts stay; what it knew of its links its receivers tell. */
  gone(task: number): void {
    const last = this.#live.get(task);
    this.#live.delete(task);
    if (last === undefined) return;
    const past = this.#past.get(task) ?? {
      bolt: { executed: 0, emitted: 0, acked: 0, failed: 0 },
      trees: { emitted: 0, untracked: 0, acked: 0, deadLettered: 0, pending: 0, replays: { ...NO_REPLAYS } },
      latency: new LatencyHistogram(),
      execute: new LatencyHistogram(),
      metrics: new MetricsSum(),
      drops: {},
    };
    this.#past.set(task, {
      bolt: addBolts([past.bolt, last.bolt]),
      trees: { ...addTrees([past.trees, last.spout ?? last.trees]), pending: 0 },
      latency: past.latency,
      execute: past.execute,
      metrics: past.metrics,
      drops: addDrops([past.drops, last.drops]),
    });
    if (last.latency !== undefined)
      past.latency.merge(LatencyHistogram.fromSparse(last.latency, last.latencyMaxMs ?? 0));
    if (last.load !== undefined)
      past.execute.merge(LatencyHistogram.fromSparse(last.load.executeMs, last.load.executeMaxMs));
    if (last.metrics !== undefined) past.metrics.add(last.metrics);
  }

  /** Was anything sent to this incarnation of the task, as far as its last reports and its senders tell? */
  everExecuted(task: number, epoch: number, lastReport: TaskStats | undefined): boolean {
    return (lastReport?.bolt?.executed ?? 0) > 0 || (this.#sentTo.get(task) ?? 0) >= epoch;
  }

  lastReport(task: number): TaskStats | undefined {
    return this.#live.get(task);
  }

  /** Every task's own ledgers and executes are empty, by their last reports. */
  get drained(): boolean {
    return [...this.#live.values()].every((stats) => stats.drained);
  }

  /** Trees that have come to an end: complete, as dead letters, or handed back to their source. */
  get settled(): number {
    let settled = 0;
    for (const { spout, trees } of this.#live.values()) settled += ended(spout) + ended(trees);
    for (const { trees } of this.#past.values()) settled += ended(trees);
    return settled;
  }

  get deadLettered(): number {
    let dead = 0;
    for (const { spout, trees } of this.#live.values()) dead += (spout?.deadLettered ?? 0) + (trees?.deadLettered ?? 0);
    for (const { trees } of this.#past.values()) dead += trees.deadLettered;
    return dead;
  }

  counts(): Counts {
    const spouts: Record<string, SpoutResult> = {};
    const bolts: Record<string, BoltResult> = {};
    const latency = new LatencyHistogram();
    for (const { name, definition, firstTask, tasks } of this.#plan.components) {
      const numbers = Array.from({ length: tasks }, (_, index) => firstTask + index);
      const live = numbers.map((task) => this.#live.get(task));
      const past = numbers.map((task) => this.#past.get(task));
      const own = metricsResult(
        numbers.map((task, at) => [task, live[at]?.metrics]),
        past.map((one) => one?.metrics),
      );
      const metrics = own === undefined ? {} : { metrics: own };
      const trees = addTrees([...live.map((stats) => stats?.spout ?? stats?.trees), ...past.map((one) => one?.trees)]);
      if (definition.kind === 'bolt') {
        const bolt = addBolts([...live.map((stats) => stats?.bolt), ...past.map((one) => one?.bolt)]);
        bolts[name] = { ...bolt, ...(trees.emitted === 0 ? {} : { trees }), ...metrics };
        continue;
      }
      spouts[name] = { ...trees, ...metrics };
      for (const stats of live) {
        if (stats?.latency !== undefined) {
          latency.merge(LatencyHistogram.fromSparse(stats.latency, stats.latencyMaxMs ?? 0));
        }
      }
      for (const one of past) if (one !== undefined) latency.merge(one.latency);
    }
    return { spouts, bolts, completeLatencyMs: rounded(latency.quantiles()) };
  }

  /** Of all incarnations of these tasks: complete latency of their trees, and how long an execute took. */
  histograms(tasks: readonly number[]): { readonly complete: LatencyHistogram; readonly execute: LatencyHistogram } {
    const complete = new LatencyHistogram();
    const execute = new LatencyHistogram();
    for (const task of tasks) {
      const live = this.#live.get(task);
      const past = this.#past.get(task);
      if (live?.latency !== undefined)
        complete.merge(LatencyHistogram.fromSparse(live.latency, live.latencyMaxMs ?? 0));
      if (live?.load !== undefined)
        execute.merge(LatencyHistogram.fromSparse(live.load.executeMs, live.load.executeMaxMs));
      if (past === undefined) continue;
      complete.merge(past.latency);
      execute.merge(past.execute);
    }
    return { complete, execute };
  }

  balance(): Balance {
    const { created, consumed, failed, mismatches } = this.#closed;
    const causes = { ...this.#causes };
    const total = { created, consumed, failed, inFlight: 0 };
    for (const { links } of this.#live.values()) {
      if (links === undefined) continue;
      total.created += links.created;
      total.consumed += links.consumed;
      total.failed += links.failed;
      total.inFlight += links.inFlight;
      if (links.lost > 0) causes['link-lost'] = (causes['link-lost'] ?? 0) + links.lost;
    }
    const writtenOff = Object.values(causes).reduce((sum, count) => sum + count, 0);
    return { ...total, writtenOff, causes, mismatches };
  }

  dropped(): Record<string, number> {
    return addDrops([
      ...[...this.#live.values()].map(({ drops }) => drops),
      ...[...this.#past.values()].map(({ drops }) => drops),
    ]);
  }
}

function ended(trees: Pick<SpoutResult, 'acked' | 'deadLettered' | 'returned'> | undefined): number {
  return trees === undefined ? 0 : trees.acked + trees.deadLettered + (trees.returned ?? 0);
}

function addBolts(all: readonly (BoltResult | undefined)[]): Past['bolt'] {
  const sum = { executed: 0, emitted: 0, acked: 0, failed: 0 };
  for (const one of all) {
    if (one === undefined) continue;
    sum.executed += one.executed;
    sum.emitted += one.emitted;
    sum.acked += one.acked;
    sum.failed += one.failed;
  }
  return sum;
}

function addTrees(all: readonly (SpoutResult | Trees | undefined)[]): SpoutResult {
  const sum = { emitted: 0, untracked: 0, acked: 0, deadLettered: 0, pending: 0 };
  let returned = 0;
  const replays = { ...NO_REPLAYS };
  for (const one of all) {
    if (one === undefined) continue;
    sum.emitted += one.emitted;
    sum.untracked += one.untracked;
    sum.acked += one.acked;
    sum.deadLettered += one.deadLettered;
    sum.pending += one.pending + ('waiting' in one ? one.waiting : 0);
    returned += one.returned ?? 0;
    for (const reason of Object.keys(replays) as (keyof typeof replays)[]) replays[reason] += one.replays[reason];
  }
  return { ...sum, replays, ...(returned > 0 ? { returned } : {}) };
}
