/** What a local run has done, as a test looks at it. */
import type { Balance, BoltResult, SpoutResult } from '../cluster/run-types.js';
import { SquallError } from '../errors.js';
import type { DeadLetter } from '../inspect/dead-letter.js';
import type { TopologyPlan } from '../topology/definition.js';
import type { Direct } from '../topology/direct.js';
import { nearest } from '../topology/names.js';
import { DEFAULT_STREAM } from '../topology/streams.js';
import type { LocalCluster } from './local-cluster.js';
import type { Emission, Recorder } from './recorder.js';

/** Of a topology whose types are not known. */
// biome-ignore lint/suspicious/noExplicitAny: its values are whatever its author declared
export type AnyComponents = Readonly<Record<string, Readonly<Record<string, any>>>>;

/**
 * completed: all acked. dead-letters: all acked or dead-lettered. incomplete: a bolt's state was lost with its worker.
 * running: not over yet. stopped: by `stop()`, before it was over.
 */
export type LocalStatus = 'completed' | 'dead-letters' | 'incomplete' | 'running' | 'stopped';

/** The values of a stream, direct or not. */
export type EmittedValues<V> = V extends Direct<infer D> ? D : V;

export interface LocalResult<C = AnyComponents> {
  readonly topology: string;
  readonly status: LocalStatus;
  /** milliseconds on the run's own clock */
  readonly elapsedMs: number;
  /**
   * The values that each component's code emitted, on all its streams, in order. What Squall sent again by itself is not
   * in it; what a bolt emitted again because its input came again is.
   */
  readonly emitted: { readonly [K in keyof C]: readonly EmittedValues<C[K][keyof C[K]]>[] };
  /** Those on one stream; left out: `default`. */
  emittedOn<K extends keyof C & string, N extends keyof C[K] & string>(
    component: K,
    stream?: N,
  ): readonly EmittedValues<C[K][N]>[];
  /** The same with stream, task and attempt. */
  emissions(component: keyof C & string): readonly Emission[];
  /** tuples of spouts that are complete */
  readonly acked: number;
  readonly deadLetters: readonly DeadLetter[];
  readonly spouts: Readonly<Record<string, SpoutResult>>;
  readonly bolts: Readonly<Record<string, BoltResult>>;
  readonly balance: Balance;
  /** frames that were refused, late, stale or came twice, and what bolts did wrong with tuples and `out`, by cause */
  readonly dropped: Readonly<Record<string, number>>;
  /** workers that died and were started again */
  readonly restarts: number;
  readonly warnings: readonly string[];
}

export function resultOf<C>(
  plan: TopologyPlan,
  cluster: LocalCluster,
  recorder: Recorder,
  state: 'running' | 'finished' | 'stopped',
  elapsedMs: number,
): LocalResult<C> {
  const names = plan.components.map(({ name }) => name);
  // as of now: the run may go on
  const emissions = new Map(names.map((name) => [name, [...(recorder.of(name) ?? [])]]));
  const of = (component: string): readonly Emission[] => {
    const found = emissions.get(component);
    if (found !== undefined) return found;
    throw new SquallError(
      'ERR_SQUALL_LOCAL_OPTION',
      `there is no component '${component}'${nearest(component, names)}; there are ${names.join(', ')}`,
    );
  };
  const { accounts } = cluster;
  const { spouts, bolts } = accounts.counts();
  const result: LocalResult = {
    topology: plan.name,
    status: state === 'finished' ? ending(cluster) : state,
    elapsedMs,
    emitted: Object.fromEntries(names.map((name) => [name, of(name).map(({ values }) => values)])),
    emittedOn: (component: string, stream: string = DEFAULT_STREAM) =>
      of(component)
        .filter((emission) => emission.stream === streamOf(plan, component, stream))
        .map(({ values }) => values),
    emissions: of,
    acked: Object.values(spouts).reduce((sum, { acked }) => sum + acked, 0),
    deadLetters: [...cluster.deadLetters],
    spouts,
    bolts,
    balance: accounts.balance(),
    dropped: accounts.dropped(),
    restarts: cluster.restarts,
    warnings: cluster.warnings,
  };
  return result as unknown as LocalResult<C>;
}

function ending({ incomplete, deadLetters }: LocalCluster): LocalStatus {
  if (incomplete) return 'incomplete';
  return deadLetters.length > 0 ? 'dead-letters' : 'completed';
}

/** A misspelt stream has no tuples, which a test could take for an answer. */
function streamOf(plan: TopologyPlan, component: string, stream: string): string {
  const streams =
    plan.components.find(({ name }) => name === component)?.definition.streams.map(({ name }) => name) ?? [];
  if (streams.includes(stream)) return stream;
  throw new SquallError(
    'ERR_SQUALL_LOCAL_OPTION',
    `'${component}' declares no stream '${stream}'${nearest(stream, streams)}; it declares ${streams.join(', ') || 'none'}`,
  );
}
