/** What a run came to, for somebody who reads it at night. */
import type { Run } from '../core/cluster/run.js';
import type { Balance, RunResult, RunSnapshot } from '../core/cluster/run-types.js';
import { componentTable, replaysOf, settled } from './component-table.js';
import { clean, count, duration, plural } from './format.js';
import type { StopSignal } from './io.js';
import { tasksOf } from './progress-lines.js';
import type { Style } from './style.js';

export interface SummaryContext {
  readonly snapshot: ReturnType<Run['snapshot']>;
  /** the first signal that came */
  readonly signal: StopSignal | undefined;
  readonly state: string;
  /** the options that another command needs to find the same letters, such as ` --state DIR` */
  readonly where: string;
  readonly style: Style;
  readonly width: number;
}

/** Nothing for a run that failed before it began: there is only its error. */
export function summary(result: RunResult, context: SummaryContext): string[] {
  const { snapshot, style, width } = context;
  if (result.status === 'failed' && !hasBegun(result)) return [];
  const seconds = result.durationMs / 1000;
  const totals = settled(result);
  const rate = (name: string) => (seconds > 0 ? totals[name] / seconds : undefined);
  const [titles, ...rows] = componentTable(result, tasksIn(snapshot), rate, width);
  return ['', headline(result, context), '', style.dim(titles), ...rows, '', ...facts(result, context)];
}

function headline({ topology, status, durationMs, drained, spouts }: RunResult, { signal, style }: SummaryContext): string {
  const after = `after ${duration(durationMs)}`;
  const by = signal === undefined ? '' : ` by ${signal}`;
  const pending = Object.values(spouts).reduce((sum, spout) => sum + spout.pending, 0);
  const name = style.bold(topology);
  switch (status) {
    case 'completed':
      return `${name} ${style.green('completed')} in ${duration(durationMs)}: every tuple is processed`;
    case 'dead-letters':
      return `${name} ${style.yellow('ended with dead letters')} in ${duration(durationMs)}: every other tuple is processed`;
    case 'incomplete':
      return `${name} ${style.yellow('is incomplete')} ${after}: every tuple is processed, but what a task had kept in memory was lost`;
    case 'stopped':
      return drained === true
        ? `${name} ${style.green('was stopped')}${by} ${after}: everything in flight was settled first`
        : `${name} ${style.yellow('was stopped')}${by} ${after}: ${plural(pending, 'tuple')} in flight`;
    case 'failed':
      return `${name} ${style.red('failed')} ${after}`;
  }
}

function facts(result: RunResult, { state, where, style }: SummaryContext): string[] {
  const { topology, spouts, completeLatencyMs: latency, workers, dropped, warnings, status } = result;
  const lines: string[] = [];
  const fact = (name: string, text: string) => lines.push(`${style.dim(name.padEnd(9))} ${text}`);
  if (latency.max > 0) {
    const { p50, p90, p99, max } = latency;
    fact('latency', `p50 ${duration(p50)}, p90 ${duration(p90)}, p99 ${duration(p99)}, max ${duration(max)}, from emit to complete`);
  }
  const replays = reasonsOf(result);
  if (replays !== '') fact('replays', replays);
  const untracked = Object.values(spouts).reduce((sum, spout) => sum + spout.untracked, 0);
  if (untracked > 0) fact('untracked', `${plural(untracked, 'tuple')}: nobody knows whether they arrived`);
  const dead = Object.values(spouts).reduce((sum, spout) => sum + spout.deadLettered, 0);
  if (dead > 0) fact('dead', `${plural(dead, 'dead letter')}; see them with: squall dead ${topology} list${where}`);
  fact('processes', `${count(workers.started - workers.restarts)} started${workers.restarts > 0 ? `, ${plural(workers.restarts, 'restart')}` : ''}`);
  const causes = listed(dropped);
  if (causes !== '') fact('dropped', `frames and messages: ${causes}`);
  const unbalanced = imbalance(result.balance, status);
  if (unbalanced !== '') fact('balance', style.yellow(unbalanced));
  for (const warning of warnings) fact('warning', style.yellow(clean(warning)));
  if (status === 'stopped' || status === 'failed') {
    fact('kept', `how far it came is in ${state}; the next run goes on from there (--fresh begins anew)`);
  }
  return lines;
}

/** `3 failed, 12 timeout` over all spouts. */
function reasonsOf({ spouts }: RunResult): string {
  const reasons: Record<string, number> = {};
  for (const spout of Object.values(spouts)) {
    if (replaysOf(spout) === 0) continue;
    for (const [reason, times] of Object.entries(spout.replays)) reasons[reason] = (reasons[reason] ?? 0) + times;
  }
  return listed(reasons);
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, times]) => times > 0)
    .map(([name, times]) => `${count(times)} ${name}`)
    .join(', ');
}

/** A run at rest has nothing in flight; one that was cut off may. */
function imbalance({ created, inFlight, mismatches }: Balance, status: RunResult['status']): string {
  const lost = inFlight !== 0 && status !== 'stopped' && status !== 'failed';
  return [
    ...(lost ? [`${count(inFlight)} of ${plural(created, 'tuple')} between tasks unaccounted for`] : []),
    ...(mismatches !== 0 ? [`${plural(mismatches, 'frame')} did not agree with what was sent`] : []),
  ].join(', ');
}

function hasBegun({ durationMs, spouts }: RunResult): boolean {
  return durationMs > 0 || Object.values(spouts).some(({ emitted }) => emitted > 0);
}

function tasksIn(snapshot: RunSnapshot): Record<string, number> | undefined {
  return snapshot.tasks.length === 0 ? undefined : tasksOf(snapshot);
}
