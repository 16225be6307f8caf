/**
 * What a topology is to everything behind the builder: plain, complete, frozen records without type parameters.
 * The typed authoring layer (`fields.ts`, `component.ts`, `builder.ts`) produces them; runtime, supervisor and
 * command line read nothing else.
 */
import type { FieldType } from './fields.js';

/** Where a spout is to go on after a crash. Anything that survives JSON. */
export type Position = string | number | boolean | null | readonly Position[] | { readonly [key: string]: Position };

export type ReplayReason = 'failed' | 'timeout' | 'worker-lost' | 'link-lost' | 'acker-lost';

export type MessageId = string | number | bigint;

/** What a spout's `fail` learns about a tuple that is out of attempts. */
export interface Failure {
  readonly reason: ReplayReason | 'oversize' | 'kills-worker';
  readonly attempts: number;
  readonly component?: string;
  readonly task?: number;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
}

export interface Logger {
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void;
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface Counter {
  add(by?: number): void;
}
export interface Gauge {
  set(value: number): void;
}
export interface Histogram {
  record(value: number): void;
}
/** A component's own metrics, shown with the built-in ones. The same name gives the same instrument. */
export interface MetricRegistry {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  histogram(name: string): Histogram;
}

/** What `open` and `prepare` are given. */
export interface TaskContext {
  readonly topology: string;
  readonly component: string;
  /** number of the task in the topology, from 1 */
  readonly task: number;
  /** index of the task among the tasks of its component, from 0 */
  readonly index: number;
  /** how many tasks the component has */
  readonly tasks: number;
  /** incarnation of the task, from 1; grows at each restart of its process */
  readonly epoch: number;
  /** spouts: everything before is complete; `undefined` at the beginning */
  readonly position: Position | undefined;
  /**
   * true when this task goes on where an earlier process of it, or an earlier run that was cut off, stopped; a sink
   * appends then, and truncates otherwise
   */
  readonly resumed: boolean;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  /** aborted when the task is to end */
  readonly signal: AbortSignal;
  /** the settings that hold for this component */
  readonly config: ComponentConfig;
  /** components that this one takes from, and that take from it; each once, in declared order */
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  /** numbers of a component's tasks, for `emitDirect`; throws SquallError where there is no such component */
  tasksOf(component: string): readonly number[];
  /** milliseconds since 1970 on the clock of the run: the one that a test sets */
  now(): number;
}

/** A tuple as a bolt receives it. `values` belong to the receiver. */
export interface Tuple<V = Record<string, unknown>, Input extends string = string> {
  readonly values: V;
  /** name of the bolt's input it came on; `default` where the bolt has one */
  readonly input: Input;
  /** component, stream and task that emitted it */
  readonly source: string;
  readonly stream: string;
  readonly task: number;
  /** stable id: the same on every attempt of a deterministic topology; 32 hex digits */
  readonly id: string;
  /** 1 at first, one more with each replay */
  readonly attempt: number;
  readonly replayReason: ReplayReason | undefined;
}

export interface EmitOptions {
  readonly stream?: string;
}
export interface SpoutEmitOptions extends EmitOptions {
  /** with an id the tuple is tracked to its end; without, best effort */
  readonly id?: MessageId;
  /** where to go on once this tuple and every earlier one are complete */
  readonly position?: Position;
}

export interface BoltEmitOptions extends EmitOptions {
  /**
   * tuples that the emitted one depends on, of bolts with `ack: 'manual'`. Left out: the tuple that is being executed.
   * `[]`: none, so that nobody tracks it.
   */
  readonly anchors?: readonly Tuple[];
}

/** The erased `out` of a spout. */
export interface SpoutOut {
  emit(values: Record<string, unknown>, options?: SpoutEmitOptions): void;
  /** On a stream that is declared direct: to this task, by its number. */
  emitDirect(task: number, values: Record<string, unknown>, options?: SpoutEmitOptions): void;
  /** Resolves when there is room for more. For a `next` that emits many. */
  ready(): Promise<void>;
  /**
   * This message can never be emitted (a line too long, bytes that are no text): it goes to the dead letters with
   * `error`, counts as complete there, and `position` moves on over it.
   */
  reject(id: MessageId, error: Error, options?: { readonly position?: Position; readonly values?: unknown }): void;
}
/**
 * The erased `out` of a bolt. Valid until its execute has settled; with `ack: 'manual'` for as long as the task lives,
 * and what ends is what may be done with a tuple: once it is acked or failed, nothing more.
 */
export interface BoltOut {
  emit(values: Record<string, unknown>, options?: BoltEmitOptions): void;
  /** On a stream that is declared direct: to this task, by its number. */
  emitDirect(task: number, values: Record<string, unknown>, options?: BoltEmitOptions): void;
  /** Resolves when the output has room. For an execute that emits many. */
  ready(): Promise<void>;
  /** `ack: 'manual'` only. */
  ack(tuple: Tuple): void;
  /** `ack: 'manual'` only. `reason`: an Error, or a text. */
  fail(tuple: Tuple, reason?: unknown): void;
}

export type NextResult = 'done' | 'idle' | undefined;

export interface SpoutInstance {
  next(out: SpoutOut): NextResult | undefined | void | Promise<NextResult | undefined | void>;
  ack?(id: MessageId): void;
  fail?(id: MessageId, failure: Failure): void;
  activate?(): void | Promise<void>;
  deactivate?(): void | Promise<void>;
  close?(): void | Promise<void>;
}

export interface BoltInstance {
  execute(tuple: Tuple, out: BoltOut): void | Promise<void>;
  /**
   * For sinks that write many tuples at once: called after a batch of executes; none of the batch is acked before it
   * has resolved, and all of it fails when it rejects.
   */
  flush?(): void | Promise<void>;
  tick?(out: BoltOut): void | Promise<void>;
  end?(out: BoltOut): void | Promise<void>;
  cleanup?(): void | Promise<void>;
}

/** Field declarations of one stream, in declared order. */
export interface StreamDeclaration {
  readonly name: string;
  readonly fields: readonly FieldDeclaration[];
  /** its tuples go to the task that the emitter names: `emitDirect` and `from.direct` only */
  readonly direct: boolean;
}
export interface FieldDeclaration {
  readonly name: string;
  readonly type: FieldType;
}

export interface RetryPolicyOptions {
  /** may be Infinity */
  readonly attempts: number;
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
}

/** Subjects, `*` and `>` included, that a component itself uses on the server of the run. */
export interface Rights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** it asks and waits for answers, as whoever uses JetStream does: its user needs an inbox */
  readonly requests: boolean;
  /** it publishes elsewhere too, where only a function of the author's knows */
  readonly unknown: boolean;
}

export interface ComponentName {
  readonly topology: string;
  readonly component: string;
}

export interface SpoutDefinition {
  readonly kind: 'spout';
  /** of connectors only; not part of the hash: see `withRights` */
  readonly rights?: (name: ComponentName) => Partial<Rights>;
  readonly streams: readonly StreamDeclaration[];
  readonly retry: RetryPolicyOptions;
  /** who sends a tuple again that failed, timed out or was lost: Squall, or, after `fail`, the spout's own source */
  readonly replay: 'squall' | 'source';
  open(context: TaskContext): SpoutInstance | Promise<SpoutInstance>;
}

export interface BoltDefinition {
  readonly kind: 'bolt';
  /** of connectors only; not part of the hash: see `withRights` */
  readonly rights?: (name: ComponentName) => Partial<Rights>;
  readonly streams: readonly StreamDeclaration[];
  /** `fields: undefined`: takes whatever the stream carries, `values` in the stream's declared order */
  readonly inputs: readonly { readonly name: string; readonly fields: readonly FieldDeclaration[] | undefined }[];
  readonly tickEveryMs: number | undefined;
  readonly executeTimeoutMs: number | undefined;
  readonly ack: 'auto' | 'manual';
  /** executes of a task that may overlap; 1: in order */
  readonly concurrency: number;
  /** has a `prepare`, so what it keeps in memory dies with its process; ready-made sinks say `false` */
  readonly keepsState: boolean;
  prepare(context: TaskContext): BoltInstance | Promise<BoltInstance>;
}

export type GroupingSpec =
  | { readonly kind: 'shuffle' }
  | { readonly kind: 'fields'; readonly keys: readonly string[] }
  | { readonly kind: 'partialKey'; readonly keys: readonly string[] }
  | { readonly kind: 'all' }
  | { readonly kind: 'global' }
  | { readonly kind: 'none' }
  | { readonly kind: 'direct' }
  | { readonly kind: 'localOrShuffle' }
  | { readonly kind: 'custom'; readonly choose: ChooseTasks };

/**
 * A grouping of one's own: the index of the task that gets the tuple, from 0, or several of them, or none; `tasks` is how
 * many there are.
 */
export type ChooseTasks<V = Record<string, unknown>> = (values: V, tasks: number) => number | readonly number[];

/** One subscription: a stream of a source into one input of a bolt. Numbered through the topology from 0. */
export interface EdgePlan {
  readonly index: number;
  readonly source: string;
  readonly stream: StreamDeclaration;
  readonly target: string;
  readonly input: string;
  readonly grouping: GroupingSpec;
  /** closes a cycle: declared by `.feedback` */
  readonly feedback: boolean;
}

export interface ComponentPlan {
  readonly name: string;
  readonly index: number;
  readonly definition: SpoutDefinition | BoltDefinition;
  /** its tasks are `firstTask … firstTask + tasks − 1` */
  readonly firstTask: number;
  readonly tasks: number;
  readonly inputs: readonly EdgePlan[];
  readonly outputs: readonly EdgePlan[];
  /** which of the plan's `cycles` it belongs to; undefined: none */
  readonly cycle: number | undefined;
  readonly config: ComponentConfig;
}

/** The complete record that `.config()` and defaults make. */
export interface TopologyConfig {
  /** tracked tuples a spout task may have in flight; default 8192 */
  readonly maxSpoutPending: number;
  /** T of the guarantees: a root that nobody has held for T is replayed; default 30 000 */
  readonly messageTimeoutMs: number;
  /** longest a frame waits for more tuples; default 1 */
  readonly lingerMs: number;
}

/** What holds for one component: the topology's settings, its definition's, and those it was added with, merged. */
export interface ComponentConfig extends TopologyConfig {
  /** bolts with a `tick` */
  readonly tickEveryMs: number | undefined;
  /** complete: 10 × the message time-out where nobody said otherwise */
  readonly executeTimeoutMs: number;
  readonly concurrency: number;
  /** of a spout, and of what a bolt's `tick` and `end` emit */
  readonly retry: RetryPolicyOptions;
}

/** A checked topology: what every worker builds from the same file, and compares by `hash`. */
export interface TopologyPlan {
  readonly name: string;
  readonly components: readonly ComponentPlan[];
  readonly edges: readonly EdgePlan[];
  /** names of the components that feed each other in a circle; by `ComponentPlan.cycle` */
  readonly cycles: readonly (readonly string[])[];
  readonly config: TopologyConfig;
  /** first 32 bits of a hash over names, tasks, streams, field types, groupings and config; in every frame */
  readonly hash: number;
}

/** Name of the component that acker tasks belong to; its tasks are numbered after all others. */
export const ACKER_COMPONENT = '__acker';
