/** What components and tasks did in the last ten seconds, as tables. Pure. */
import type { Load, RunSnapshot, TaskSnapshot } from '../core/cluster/run-types.js';
import type { Quantiles } from '../core/runtime/latency.js';
import { replaysOf, shownRate } from './component-table.js';
import { clean, count, duration } from './format.js';
import { type Column, table } from './table.js';

const NONE = '-';

const COMPONENTS: readonly Column[] = [
  { title: 'component', align: 'left', keep: 19 },
  { title: 'in/s', align: 'right', keep: 18 },
  { title: 'out/s', align: 'right', keep: 12 },
  { title: 'busy', align: 'right', keep: 17 },
  { title: 'queue', align: 'right', keep: 16 },
  { title: 'execute p50', align: 'right', keep: 6 },
  { title: 'p99', align: 'right', keep: 11 },
  { title: 'queued p99', align: 'right', keep: 8 },
  { title: 'pending', align: 'right', keep: 15 },
  { title: 'oldest', align: 'right', keep: 10 },
  { title: 'failed', align: 'right', keep: 14 },
  { title: 'replays', align: 'right', keep: 13 },
  { title: 'dead', align: 'right', keep: 9 },
  { title: 'restarts', align: 'right', keep: 7 },
  { title: 'acked', align: 'right', keep: 5 },
];

/** A line each. `in/s`: executes, of a spout what it saw complete. */
export function loadTable({ spouts, bolts, tasks, load = {} }: RunSnapshot, width: number): string[] {
  const rows = [...Object.keys(spouts), ...Object.keys(bolts)].map((name) => {
    const own = tasks.filter(({ component }) => component.replace(/\[\d+\]$/, '') === name);
    const spout = spouts[name];
    const trees = spout ?? bolts[name]?.trees;
    const { perS, capacity, queued, executeMs, queueMs } = load[name] ?? ({} as Partial<Load>);
    return [
      clean(name),
      shownRate(spout === undefined ? perS?.executed : perS?.acked),
      shownRate(perS?.emitted),
      spout === undefined ? percent(capacity) : NONE,
      spout === undefined ? shownCount(queued) : NONE,
      shownMs(executeMs?.p50),
      shownMs(executeMs?.p99),
      shownMs(queueMs?.p99),
      trees === undefined ? NONE : count(trees.pending),
      shownOldest(own),
      spout === undefined ? count(bolts[name].failed) : NONE,
      trees === undefined ? NONE : count(replaysOf(trees)),
      trees === undefined ? NONE : count(trees.deadLettered),
      count(own.reduce((sum, { restarts }) => sum + restarts, 0)),
      count(spout?.acked ?? bolts[name].acked),
    ];
  });
  return table(COMPONENTS, rows, width);
}

const TASKS: readonly Column[] = [
  { title: 'task', align: 'left', keep: 19 },
  { title: 'state', align: 'left', keep: 18 },
  { title: 'busy', align: 'right', keep: 17 },
  { title: 'queue', align: 'right', keep: 16 },
  { title: 'pending', align: 'right', keep: 14 },
  { title: 'waits for', align: 'left', keep: 15 },
  { title: 'restarts', align: 'right', keep: 13 },
  { title: 'cpu', align: 'right', keep: 12 },
  { title: 'memory', align: 'right', keep: 11 },
  { title: 'lag', align: 'right', keep: 10 },
  { title: 'pid', align: 'right', keep: 5 },
  { title: 'last error', align: 'left', keep: 9 },
];

export function taskTable({ tasks }: RunSnapshot, nowMs: number, width: number): string[] {
  return table(
    TASKS,
    tasks.map((one) => taskRow(one, nowMs)),
    width,
  );
}

function taskRow(task: TaskSnapshot, nowMs: number): string[] {
  const { component, state, load, pending, open, blockedOn = [], restarts, process, pid, restartInMs } = task;
  const [longest] = blockedOn.toSorted((a, b) => b.ms - a.ms);
  return [
    clean(component),
    restartInMs === undefined ? state : `again in ${duration(restartInMs)}`,
    load?.executeMs === undefined ? NONE : percent(load.capacity),
    load === undefined ? NONE : count(load.queued),
    shownCount(pending ?? open),
    longest === undefined ? NONE : `${longest.component}[${longest.task}] ${duration(longest.ms)}`,
    count(restarts),
    percent(process?.cpu),
    process === undefined ? NONE : `${Math.round(process.rssBytes / 2 ** 20)} MB`,
    shownMs(process?.loopLagMs),
    pid === undefined ? NONE : String(pid),
    lastError(task, nowMs),
  ];
}

function lastError({ error, death }: TaskSnapshot, nowMs: number): string {
  const last = (death?.at ?? 0) > (error?.at ?? 0) ? death : error;
  if (last === undefined) return NONE;
  return clean(`${duration(Math.max(0, nowMs - last.at))} ago: ${last.message.split('\n')[0]}`);
}

/** `complete 1.2 / 9.1 ms = queue … + wire … + execute … + ack …`, p50 / p99 of the last ten seconds. */
export function latencyLine({ recent, load = {} }: RunSnapshot): string | undefined {
  if (recent?.completeMs === undefined) return undefined;
  const loads = Object.values(load);
  const worst = (of: (one: Load) => Quantiles | undefined): Quantiles | undefined =>
    loads.map(of).reduce((a, b) => (a === undefined || (b !== undefined && b.p99 > a.p99) ? b : a), undefined);
  const parts = [
    ['slowest queue', worst(({ queueMs }) => queueMs)],
    ['execute', worst(({ executeMs }) => executeMs)],
    ['wire', recent.wireMs],
    ['ack', recent.ackMs],
  ] as const;
  const shown = parts.flatMap(([name, of]) => (of === undefined ? [] : [`${name} ${pair(of)}`]));
  return `latency p50/p99  complete ${pair(recent.completeMs)}  ${shown.join('  ')}`;
}

function pair({ p50, p99 }: Quantiles): string {
  return `${shownMs(p50)}/${shownMs(p99)}`;
}

function shownCount(value: number | undefined): string {
  return value === undefined ? NONE : count(value);
}

function percent(share: number | undefined): string {
  return share === undefined ? NONE : `${Math.round(share * 100)}%`;
}

/** Age of the oldest tuple that is pending at one of these tasks. */
export function shownOldest(tasks: readonly TaskSnapshot[]): string {
  const oldest = Math.max(0, ...tasks.map(({ oldestMs }) => oldestMs ?? 0));
  return oldest === 0 ? NONE : duration(oldest);
}

export function shownMs(ms: number | undefined): string {
  if (ms === undefined) return NONE;
  if (ms >= 1000) return duration(ms);
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
