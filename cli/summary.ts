/** What a run came to, for somebody who reads it at night. */
import type { Balance, RunResult, RunSnapshot } from '../core/cluster/run-types.js';
import { MISUSES } from '../core/runtime/output.js';
import { componentTable, replaysOf, settled } from './component-table.js';
import { clean, count, duration, plural } from './format.js';
import type { StopSignal } from './io.js';
import { metricLines } from './metric-lines.js';
import { tasksOf } from './progress-lines.js';
import type { Style } from './style.js';

export interface SummaryContext {
  readonly snapshot: RunSnapshot;
  /** the first signal that came */
  readonly signal: StopSignal | undefined;
  readonly state: string;
  /** the command that shows the dead letters; undefined where they were not kept */
  readonly lookAt: string | undefined;
  readonly style: Style;
  readonly width: number;
}

export function summary(result: RunResult, context: SummaryContext): string[] {
  const { snapshot, style, width } = context;
  if (!hasBegun(result)) {
    // Of one that failed before it began there is only its error to tell.
    if (result.status === 'failed') return [];
    if (result.status === 'stopped') return [`${result.topology || 'the topology'} was stopped before it began`];
  }
  const seconds = result.durationMs / 1000;
  const totals = settled(result);
  const rate = (name: string) => (seconds > 0 ? totals[name] / seconds : undefined);
  const [titles, ...rows] = componentTable(result, tasksIn(snapshot), rate, width);
  return ['', headline(result, context), '', style.dim(titles), ...rows, '', ...facts(result, context)];
}

function headline(
  { topology, status, durationMs, drained, spouts }: RunResult,
  { signal, style }: SummaryContext,
): string {
  const untracked = Object.values(spouts).some((spout) => spout.untracked > 0);
  const after = `after ${duration(durationMs)}`;
  const by = signal === undefined ? '' : ` by ${signal}`;
  const pending = Object.values(spouts).reduce((sum, spout) => sum + spout.pending, 0);
  const name = style.bold(topology);
  switch (status) {
    case 'completed':
      return `${name} ${style.green('completed')} in ${duration(durationMs)}${untracked ? '' : ': every tuple is processed'}`;
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

function facts(result: RunResult, { state, lookAt, style }: SummaryContext): string[] {
  const { spouts, completeLatencyMs: latency, workers, dropped, warnings, status } = result;
  const lines: string[] = [];
  const fact = (name: string, text: string) => lines.push(`${style.dim(name.padEnd(9))} ${text}`);
  if (latency.max > 0) {
    const { p50, p90, p99, max } = latency;
    fact(
      'latency',
      `p50 ${duration(p50)}, p90 ${duration(p90)}, p99 ${duration(p99)}, max ${duration(max)}, from emit to complete`,
    );
  }
  for (const line of metricLines(result)) fact('metric', line);
  const replays = reasonsOf(result);
  if (replays !== '') fact('replays', replays);
  const returned = Object.values(spouts).reduce((sum, spout) => sum + (spout.returned ?? 0), 0);
  if (returned > 0) fact('returned', `${plural(returned, 'tuple')} to their source, which sends them again itself`);
  const untracked = Object.values(spouts).reduce((sum, spout) => sum + spout.untracked, 0);
  if (untracked > 0) fact('untracked', `${plural(untracked, 'tuple')}: nobody knows whether they arrived`);
  const dead = Object.values(spouts).reduce((sum, spout) => sum + spout.deadLettered, 0);
  const see = lookAt === undefined ? 'not kept, for want of JetStream' : `see them with: ${lookAt}`;
  if (dead > 0) fact('dead', `${plural(dead, 'dead letter')}; ${see}`);
  fact(
    'processes',
    `${count(workers.started)} started${workers.restarts > 0 ? `, ${plural(workers.restarts, 'restart')}` : ''}`,
  );
  const misused = new Set<string>(MISUSES);
  const causes = listed(dropped, (cause) => !misused.has(cause));
  if (causes !== '') fact('dropped', `frames and messages: ${causes}`);
  const misuses = listed(dropped, (cause) => misused.has(cause));
  if (misuses !== '') fact('misuse', `of tuples or out, by bolts: ${misuses}`);
  const unbalanced = imbalance(result.balance, status);
  if (unbalanced !== '') fact('balance', style.yellow(unbalanced));
  for (const warning of warnings) fact('warning', style.yellow(clean(warning)));
  if (status === 'stopped' || status === 'failed') {
    fact('resume', `the next run goes on where this one ended (kept in ${state}; --fresh begins anew)`);
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

function listed(counts: Readonly<Record<string, number>>, which: (name: string) => boolean = () => true): string {
  return Object.entries(counts)
    .filter(([name, times]) => times > 0 && which(name))
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
