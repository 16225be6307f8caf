/**
 * `from`: how a bolt says which streams it takes, and how their tuples are shared among its tasks. The types find the
 * mistakes that can be seen before anything runs, and give a message where the right type would stand. A message begins
 * with ✗: compilers sort the members of a union, cut out its middle and show its ends, and ✗ comes after all names.
 */
import type { ChooseTasks } from './definition.js';
import type { Direct } from './direct.js';
import { EDGE, type EdgeDraft } from './draft.js';
import type { StreamValues } from './streams.js';

/** `{ component: declared streams }`, what the builder's type collects. */
export type Components = Readonly<Record<string, StreamValues>>;

declare const CARRIED: unique symbol;

/** One subscription: stream `N` of component `A`, which carries the values `V`. */
export interface Edge<A = unknown, N = unknown, V = unknown> {
  readonly [EDGE]: EdgeDraft;
  readonly [CARRIED]?: () => readonly [A, N, V];
}

/** `A`, or why it is no source for stream `N`. A wrong stream that is written out is reported where it stands. */
export type SourceOf<C, A extends string, N> = A extends keyof C
  ? N extends keyof C[A]
    ? 'default' extends N
      ? C[A][N] extends Direct
        ? `✗ the output of "${A}" is direct: take it by from.direct`
        : A
      : A
    : MissingOutput<A, N>
  : `✗ there is no component "${A}" before this one` | (keyof C & string);

/** `A`, or why it is no source for the direct stream `N`. */
export type DirectSourceOf<C, A extends string, N> = A extends keyof C
  ? N extends keyof C[A]
    ? 'default' extends N
      ? C[A][N] extends Direct
        ? A
        : `✗ the output of "${A}" is not direct: take it by another grouping, or declare it with direct(…)`
      : A
    : MissingOutput<A, N>
  : `✗ there is no component "${A}" before this one` | (keyof C & string);

type MissingOutput<A extends string, N> = 'default' extends N
  ? `✗ "${A}" declares no output: name one of its streams`
  : A;

/** `N`, or why it is no stream of component `A`. */
export type StreamOf<C, A extends string, N extends string> = A extends keyof C
  ? N extends keyof C[A]
    ? C[A][N] extends Direct
      ? `✗ stream "${N}" of "${A}" is direct: take it by from.direct`
      : N
    : `✗ component "${A}" declares no stream "${N}"` | (keyof C[A] & string)
  : N;

/** `N`, or why it is no direct stream of component `A`. */
export type DirectStreamOf<C, A extends string, N extends string> = A extends keyof C
  ? N extends keyof C[A]
    ? C[A][N] extends Direct
      ? N
      : `✗ stream "${N}" of "${A}" is not direct: take it by another grouping, or declare it with direct(…)`
    : `✗ component "${A}" declares no stream "${N}"` | (keyof C[A] & string)
  : N;

/** `K`, or why it is no field of stream `N` of component `A`. */
export type FieldOf<C, A extends string, N extends string, K extends string> = K extends keyof CarriedBy<C, A, N>
  ? K
  : `✗ ${StreamTitle<A, N>} has no field "${K}"` | (keyof CarriedBy<C, A, N> & string);

/** The values that stream `N` of component `A` carries; any where the names are wrong, so that it is said only once. */
export type CarriedBy<C, A, N> = A extends keyof C
  ? N extends keyof C[A]
    ? C[A][N] extends Direct<infer V>
      ? V
      : C[A][N]
    : // biome-ignore lint/suspicious/noExplicitAny: see above
      any
  : // biome-ignore lint/suspicious/noExplicitAny: see above
    any;

export type StreamTitle<A extends string, N extends string> = N extends 'default'
  ? `stream "${A}"`
  : `stream "${N}" of "${A}"`;

interface StreamOption<C, A extends string, N extends string> {
  /** default `default`: what the source declares as output */
  readonly stream?: StreamOf<C, A, N>;
}

/** A grouping that needs nothing but the stream. */
type Plain<C> = <A extends string, N extends string = 'default'>(
  source: SourceOf<C, A, N>,
  options?: StreamOption<C, A, N>,
) => Edge<A, N, CarriedBy<C, A, N>>;

/** A grouping by the values of some fields. */
type ByKeys<C> = <A extends string, K extends string, N extends string = 'default'>(
  source: SourceOf<C, A, N>,
  keys: readonly FieldOf<C, A, N, K>[],
  options?: StreamOption<C, A, N>,
) => Edge<A, N, CarriedBy<C, A, N>>;

/** The groupings. Each takes the component whose tuples it wants, and a stream of it. */
export interface From<C> {
  /** To any task, evenly: the one with the most room. */
  readonly shuffle: Plain<C>;
  /** Tuples with equal values in `keys` meet in the same task, in every process and every run. */
  readonly fields: ByKeys<C>;
  /**
   * Tuples with equal values in `keys` go to one of the same two tasks, the one with the most room: even where some
   * values are frequent. Two tasks have a part of each result, which the next bolt puts together.
   */
  readonly partialKey: ByKeys<C>;
  /** To every task. */
  readonly all: Plain<C>;
  /** To the first task only. */
  readonly global: Plain<C>;
  /** To any task, it does not matter which. */
  readonly none: Plain<C>;
  /** To any task in the emitter's own process, where there is one; otherwise like `shuffle`. */
  readonly localOrShuffle: Plain<C>;
  /** To the task that the emitter names, by `out.emitDirect`: for streams that are declared with `direct(…)`. */
  direct<A extends string, N extends string = 'default'>(
    source: DirectSourceOf<C, A, N>,
    options?: { readonly stream?: DirectStreamOf<C, A, N> },
  ): Edge<A, N, CarriedBy<C, A, N>>;
  /**
   * To the task that `choose` says, by its index from 0 to `tasks` − 1; to several, or to none with `[]`. It is called
   * in the emitter's process, and should give the same for the same values: a replay asks again.
   */
  custom<A extends string, N extends string = 'default'>(
    source: SourceOf<C, A, N>,
    choose: ChooseTasks<CarriedBy<C, A, N>>,
    options?: StreamOption<C, A, N>,
  ): Edge<A, N, CarriedBy<C, A, N>>;
}

const edge = (draft: EdgeDraft) => Object.freeze({ [EDGE]: Object.freeze(draft) });
const plain = (kind: EdgeDraft['kind']) => (source: unknown, options?: unknown) => edge({ kind, source, options });
const byKeys = (kind: EdgeDraft['kind']) => (source: unknown, keys: unknown, options?: unknown) =>
  edge({ kind, source, keys, options });

/** Notes what is asked for; `planOf` checks it. */
export const from = Object.freeze({
  shuffle: plain('shuffle'),
  fields: byKeys('fields'),
  partialKey: byKeys('partialKey'),
  all: plain('all'),
  global: plain('global'),
  none: plain('none'),
  direct: plain('direct'),
  localOrShuffle: plain('localOrShuffle'),
  custom: (source: unknown, choose: unknown, options?: unknown) => edge({ kind: 'custom', source, choose, options }),
} satisfies Record<EdgeDraft['kind'], unknown>);
