/** Sums what the tasks report into what a run reports: counts, latency, the balance. Pure. */

import type { ClosedChannel } from '../runtime/env.js';
import { LatencyHistogram } from '../runtime/latency.js';
import type { OriginCounts } from '../runtime/origin.js';
import type { TaskStats } from '../runtime/protocol.js';
import type { ReplayReason, TopologyPlan } from '../topology/definition.js';
import type { Balance, BoltResult, RunSnapshot, SpoutResult } from './run-types.js';

type Counts = Pick<RunSnapshot, 'spouts' | 'bolts' | 'completeLatencyMs'>;

export class Accounts {
  readonly #plan: TopologyPlan;
  /** last report of each task's present incarnation */
  readonly #live = new Map<number, TaskStats>();
  /** last reports of incarnations that have ended */
  readonly #ended: TaskStats[] = [];
  readonly #channels: ClosedChannel[] = [];

  constructor(plan: TopologyPlan) {
    this.#plan = plan;
  }

  report(stats: readonly TaskStats[]): void {
    for (const task of stats) this.#live.set(task.task, task);
  }

  channelClosed(record: ClosedChannel): void {
    this.#channels.push(record);
  }

  /** The task's incarnation is over: its counts stay; what it knew of its links its receivers tell. */
  gone(task: number): void {
    const last = this.#live.get(task);
    this.#live.delete(task);
    if (last !== undefined) this.#ended.push({ ...last, links: undefined });
  }

  /** Did this incarnation of the task ever execute something, as far as anybody knows? */
  everExecuted(task: number): boolean {
    const executed = [...this.#ended, ...this.#live.values()].some(
      (stats) => stats.task === task && (stats.bolt?.executed ?? 0) > 0,
    );
    return executed || this.#channels.some((channel) => channel.receiver === task && channel.created > 0);
  }

  /** Every task's own ledgers and executes are empty, by their last reports. */
  get drained(): boolean {
    return [...this.#live.values()].every((stats) => stats.drained);
  }

  get acked(): number {
    return sum([...this.#live.values(), ...this.#ended], (stats) => stats.spout?.acked ?? 0);
  }

  counts(): Counts {
    const all = [...this.#live.values(), ...this.#ended];
    const spouts: Record<string, SpoutResult> = {};
    const bolts: Record<string, BoltResult> = {};
    const latency = new LatencyHistogram();
    for (const { name, definition, firstTask, tasks } of this.#plan.components) {
      const own = all.filter(({ task }) => task >= firstTask && task < firstTask + tasks);
      if (definition.kind === 'bolt') {
        const of = (key: keyof BoltResult): number => sum(own, ({ bolt }) => bolt?.[key] ?? 0);
        bolts[name] = { executed: of('executed'), emitted: of('emitted'), acked: of('acked'), failed: of('failed') };
        continue;
      }
      const live = own.filter(({ links }) => links !== undefined);
      const of = (key: 'emitted' | 'untracked' | 'acked' | 'deadLettered'): number =>
        sum(own, ({ spout }) => spout?.[key] ?? 0);
      const replay = (reason: ReplayReason): number =>
        sum(own, ({ spout }) => (spout as OriginCounts | undefined)?.replays[reason] ?? 0);
      spouts[name] = {
        emitted: of('emitted'),
        untracked: of('untracked'),
        acked: of('acked'),
        deadLettered: of('deadLettered'),
        pending: sum(live, ({ spout }) => (spout?.pending ?? 0) + (spout?.waiting ?? 0)),
        replays: {
          failed: replay('failed'),
          timeout: replay('timeout'),
          'worker-lost': replay('worker-lost'),
          'link-lost': replay('link-lost'),
          'acker-lost': replay('acker-lost'),
        },
      };
      for (const { latency: pairs, latencyMaxMs } of own) {
        if (pairs !== undefined) latency.merge(LatencyHistogram.fromSparse(pairs, latencyMaxMs ?? 0));
      }
    }
    return { spouts, bolts, completeLatencyMs: rounded(latency.quantiles()) };
  }

  balance(): Balance {
    const causes: Record<string, number> = {};
    const total = { created: 0, consumed: 0, failed: 0, writtenOff: 0, inFlight: 0, mismatches: 0 };
    const writeOff = (cause: string, count: number): void => {
      total.writtenOff += count;
      if (count !== 0) causes[cause] = (causes[cause] ?? 0) + count;
    };
    for (const { created, consumed, failed, writtenOff, cause, mismatches } of this.#channels) {
      total.created += created;
      total.consumed += consumed;
      total.failed += failed;
      total.mismatches += mismatches;
      writeOff(cause, writtenOff);
    }
    for (const { links } of this.#live.values()) {
      if (links === undefined) continue;
      total.created += links.created;
      total.consumed += links.consumed;
      total.failed += links.failed;
      total.inFlight += links.inFlight;
      writeOff('link-lost', links.lost);
    }
    return { ...total, causes };
  }

  dropped(): Record<string, number> {
    const dropped: Record<string, number> = {};
    for (const { drops } of [...this.#live.values(), ...this.#ended]) {
      for (const [cause, count] of Object.entries(drops)) if (count > 0) dropped[cause] = (dropped[cause] ?? 0) + count;
    }
    return dropped;
  }
}

function sum(stats: readonly TaskStats[], of: (stats: TaskStats) => number): number {
  return stats.reduce((total, one) => total + of(one), 0);
}

function rounded<T extends Record<keyof T, number>>(quantiles: T): T {
  return Object.fromEntries(
    Object.entries(quantiles).map(([key, value]) => [key, Math.round((value as number) * 1000) / 1000]),
  ) as T;
}
