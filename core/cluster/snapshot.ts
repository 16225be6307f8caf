/** Puts together what a run is like at one moment. */
import { LatencyHistogram } from '../runtime/latency.js';
import type { ProcessLoad, TaskStats } from '../runtime/protocol.js';
import type { TopologyPlan } from '../topology/definition.js';
import type { Accounts } from './accounts.js';
import { rounded } from './component-metrics.js';
import { type Recent, WINDOW_MS } from './recent.js';
import type { Load, RunSnapshot, TaskSnapshot } from './run-types.js';
import type { WorkerSet, WorkerState } from './worker-set.js';

/** What the workers report of their processes. */
export class ProcessLoads {
  /** `cpu`: processor time so far, a sample a second over the window, oldest first */
  readonly #of = new Map<WorkerState, { last: ProcessLoad; readonly cpu: { at: number; ms: number }[] }>();

  report(worker: WorkerState, load: ProcessLoad, at: number): void {
    const cpu = this.#of.get(worker)?.cpu ?? [];
    const newest = cpu.at(-1);
    if (newest === undefined || at - newest.at >= 1000) {
      while (cpu.length > 1 && cpu[1].at <= at - WINDOW_MS) cpu.shift();
      cpu.push({ at, ms: load.cpuMs });
    }
    this.#of.set(worker, { last: load, cpu });
  }

  gone(worker: WorkerState): void {
    this.#of.delete(worker);
  }

  of(worker: WorkerState): NonNullable<TaskSnapshot['process']> | undefined {
    const known = this.#of.get(worker);
    if (known === undefined) return undefined;
    const { last, cpu } = known;
    const [first, newest] = [cpu[0], cpu[cpu.length - 1]];
    const share = newest.at > first.at ? (newest.ms - first.ms) / (newest.at - first.at) : 0;
    const still = worker.process?.blockedMs ?? 0;
    return {
      rssBytes: last.rssBytes,
      heapBytes: last.heapBytes,
      cpu: Math.round(share * 1000) / 1000,
      loopLagMs: Math.round(last.loopLagMs * 10) / 10,
      ...(still > 0 ? { standsStillMs: Math.round(still) } : {}),
    };
  }

  /** Echoes of all processes. */
  echoes(): { readonly data: LatencyHistogram; readonly control: LatencyHistogram } {
    const data = new LatencyHistogram();
    const control = new LatencyHistogram();
    for (const { last } of this.#of.values()) {
      if (last.dataEchoMs !== undefined) data.record(last.dataEchoMs);
      // to the acker, and from the acker to the spout
      if (last.controlEchoMs !== undefined) control.record(last.controlEchoMs * 2);
    }
    return { data, control };
  }
}

export interface SnapshotParts {
  readonly plan: TopologyPlan;
  readonly accounts: Accounts;
  readonly recent: Recent;
  readonly processes: ProcessLoads;
  readonly workers: WorkerSet;
  /** tasks that have said their last word */
  readonly ended: ReadonlySet<number>;
}

/** Everything of a snapshot but what the supervisor itself knows. */
export function measured(
  parts: SnapshotParts,
): Pick<RunSnapshot, 'spouts' | 'bolts' | 'completeLatencyMs' | 'tasks' | 'load' | 'recent' | 'balance' | 'dropped'> {
  const { plan, accounts, recent, processes, workers, ended } = parts;
  const loads: Record<string, Load> = {};
  const origins: number[] = [];
  const nameOf = new Map<number, string>();
  for (const { name, firstTask, tasks } of plan.components) {
    const numbers = Array.from({ length: tasks }, (_, index) => firstTask + index);
    for (const task of numbers) nameOf.set(task, name);
    origins.push(...numbers);
    const load = recent.load(numbers);
    if (load !== undefined) loads[name] = load;
  }
  const { data, control } = processes.echoes();
  const complete = recent.complete(origins);
  return {
    ...accounts.counts(),
    balance: accounts.balance(),
    dropped: accounts.dropped(),
    load: loads,
    recent: {
      ...(complete === undefined ? {} : { completeMs: complete }),
      ...(data.count === 0 ? {} : { wireMs: rounded(data.quantiles()) }),
      ...(control.count === 0 ? {} : { ackMs: rounded(control.quantiles()) }),
    },
    tasks: workers.all.flatMap((worker) =>
      worker.place.tasks.map(({ task, component }) => ({
        component: `${component}[${task}]`,
        task,
        pid: worker.state === 'gone' ? undefined : worker.process?.pid,
        state: ended.has(task) || worker.state === 'stopped' ? ('ended' as const) : worker.state,
        ...taskFacts(accounts.lastReport(task), recent.load([task]), nameOf),
        ...deaths(worker),
        ...processOf(processes, worker),
      })),
    ),
  };
}

function taskFacts(
  stats: TaskStats | undefined,
  load: Load | undefined,
  nameOf: ReadonlyMap<number, string>,
): Partial<TaskSnapshot> {
  if (stats === undefined) return {};
  const { spout, trees, oldestMs, open, blockedOn, error } = stats;
  const ledger = spout ?? trees;
  return {
    ...(load === undefined || stats.kind === 'acker' ? {} : { load }),
    ...(ledger === undefined ? {} : { pending: ledger.pending + ledger.waiting }),
    ...(oldestMs === undefined ? {} : { oldestMs: Math.round(oldestMs) }),
    ...(open === undefined ? {} : { open }),
    ...(blockedOn === undefined
      ? {}
      : {
          blockedOn: blockedOn.map(({ task, ms }) => ({
            component: nameOf.get(task) ?? '__acker',
            task,
            ms: Math.round(ms),
          })),
        }),
    ...(error === undefined ? {} : { error }),
  };
}

function deaths({
  died,
  restartTimer,
  restartAt,
  state,
}: WorkerState): Pick<TaskSnapshot, 'restarts' | 'restartInMs' | 'death'> {
  return {
    restarts: died?.count ?? 0,
    ...(state === 'gone' && restartTimer !== undefined
      ? { restartInMs: Math.max(0, Math.round(restartAt - performance.now())) }
      : {}),
    ...(died === undefined ? {} : { death: { message: died.message, at: died.at } }),
  };
}

function processOf(processes: ProcessLoads, worker: WorkerState): Pick<Partial<TaskSnapshot>, 'process'> {
  const load = processes.of(worker);
  return load === undefined || worker.state === 'gone' ? {} : { process: load };
}
