/** The `out` that authors see: what may be emitted, typed by the streams that the component declares. */
import type { MessageId, Position, Tuple } from './definition.js';
import type { Direct } from './direct.js';

/** What `emit` takes for stream `N`, or why there is nothing to take. A wrong name is reported where it stands. */
export type EmitValues<S, N> = N extends keyof S
  ? S[N] extends Direct
    ? `✗ stream "${N & string}" is direct: use out.emitDirect(task, values)`
    : S[N]
  : Undeclared<N>;

/** What `emitDirect` takes for stream `N`, or why there is nothing to take. */
export type EmitDirectValues<S, N> = N extends keyof S
  ? S[N] extends Direct<infer V>
    ? V
    : `✗ stream "${N & string}" is not direct: declare it with direct(…), or use out.emit(values)`
  : Undeclared<N>;

type Undeclared<N> = 'default' extends N
  ? '✗ there is no stream "default" here: declare an output, or name one of the streams'
  : object;

/** `N`, or why it is wrong. */
export type DeclaredStream<S, N extends string> = N extends keyof S
  ? N
  : `✗ there is no stream "${N}" here: declare it in streams` | (keyof S & string);

/** The `out` of a spout that declares the streams `S`. */
export interface SpoutEmitter<S> {
  /** With `id` the tuple is tracked to its end; without, best effort. `position`: where to go on after it. */
  emit<N extends string = 'default'>(
    values: EmitValues<S, N>,
    options?: { readonly id?: MessageId; readonly position?: Position; readonly stream?: DeclaredStream<S, N> },
  ): void;
  /** On a direct stream: to the task with this number, one of `context.tasksOf(component)`. */
  emitDirect<N extends string = 'default'>(
    task: number,
    values: EmitDirectValues<S, N>,
    options?: { readonly id?: MessageId; readonly position?: Position; readonly stream?: DeclaredStream<S, N> },
  ): void;
  /** Resolves when there is room for more: for a `next` that emits many. */
  ready(): Promise<void>;
  /** This message can never be emitted: it goes to the dead letters with `error`, and counts as complete there. */
  reject(id: MessageId, error: Error, options?: { readonly position?: Position; readonly values?: unknown }): void;
}

/** The `out` of a bolt that declares the streams `S`. Valid until its execute has settled. */
export interface BoltEmitter<S> {
  /** Anchored to the tuple that is being executed. */
  emit<N extends string = 'default'>(
    values: EmitValues<S, N>,
    options?: { readonly stream?: DeclaredStream<S, N> },
  ): void;
  /** On a direct stream: to the task with this number, one of `context.tasksOf(component)`. */
  emitDirect<N extends string = 'default'>(
    task: number,
    values: EmitDirectValues<S, N>,
    options?: { readonly stream?: DeclaredStream<S, N> },
  ): void;
  /** Resolves when the output has room: for an execute that emits many. */
  ready(): Promise<void>;
}

/** The `out` of a bolt with `ack: 'manual'`. Valid as long as its task lives. */
export interface ManualBoltEmitter<S> {
  /**
   * `anchors`: the tuples that the emitted one depends on; left out: the tuple that is being executed; `[]`: none, so
   * nobody tracks it.
   */
  emit<N extends string = 'default'>(
    values: EmitValues<S, N>,
    options?: { readonly stream?: DeclaredStream<S, N>; readonly anchors?: readonly AnyTuple[] },
  ): void;
  /** On a direct stream: to the task with this number, one of `context.tasksOf(component)`. */
  emitDirect<N extends string = 'default'>(
    task: number,
    values: EmitDirectValues<S, N>,
    options?: { readonly stream?: DeclaredStream<S, N>; readonly anchors?: readonly AnyTuple[] },
  ): void;
  /** Resolves when the output has room: for an execute that emits many. */
  ready(): Promise<void>;
  /** Once for each tuple, at any time; nothing can be anchored to it from then on. */
  ack(tuple: AnyTuple): void;
  /** In place of `ack`: the tuple of the spout is replayed, with this reason in its history. */
  fail(tuple: AnyTuple, reason?: Error | string): void;
}

/** With whatever values. */
type AnyTuple = Tuple<object>;

/** The `out` of a bolt with `ack: A`. */
export type EmitterOf<S, A> = A extends 'manual' ? ManualBoltEmitter<S> : BoltEmitter<S>;
