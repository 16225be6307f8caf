/**
 * `from`: how a bolt says which streams it takes, and how their tuples are shared among its tasks. The types find the
 * mistakes that can be seen before anything runs, and give a message where the right type would stand. A message begins
 * with ✗: compilers sort the members of a union, cut out its middle and show its ends, and ✗ comes after all names.
 */
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
    ? A
    : 'default' extends N
      ? `✗ "${A}" declares no output: name one of its streams`
      : A
  : `✗ there is no component "${A}" before this one` | (keyof C & string);

/** `N`, or why it is no stream of component `A`. */
export type StreamOf<C, A extends string, N extends string> = A extends keyof C
  ? N extends keyof C[A]
    ? N
    : `✗ component "${A}" declares no stream "${N}"` | (keyof C[A] & string)
  : N;

/** `K`, or why it is no field of stream `N` of component `A`. */
export type FieldOf<C, A extends string, N extends string, K extends string> = K extends keyof CarriedBy<C, A, N>
  ? K
  : `✗ ${StreamTitle<A, N>} has no field "${K}"` | (keyof CarriedBy<C, A, N> & string);

/** The values that stream `N` of component `A` carries; any where the names are wrong, so that it is said only once. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type CarriedBy<C, A, N> = A extends keyof C ? (N extends keyof C[A] ? C[A][N] : any) : any;

type StreamTitle<A extends string, N extends string> = N extends 'default'
  ? `stream "${A}"`
  : `stream "${N}" of "${A}"`;

interface StreamOption<C, A extends string, N extends string> {
  /** default `default`: what the source declares as output */
  readonly stream?: StreamOf<C, A, N>;
}

/** The groupings. Each takes the component whose tuples it wants, and a stream of it. */
export interface From<C> {
  /** To any task, evenly: the one with the most room. */
  shuffle<A extends string, N extends string = 'default'>(
    source: SourceOf<C, A, N>,
    options?: StreamOption<C, A, N>,
  ): Edge<A, N, CarriedBy<C, A, N>>;
  /** Tuples with equal values in `keys` meet in the same task, in every process and every run. */
  fields<A extends string, K extends string, N extends string = 'default'>(
    source: SourceOf<C, A, N>,
    keys: readonly FieldOf<C, A, N, K>[],
    options?: StreamOption<C, A, N>,
  ): Edge<A, N, CarriedBy<C, A, N>>;
  /** To every task. */
  all<A extends string, N extends string = 'default'>(
    source: SourceOf<C, A, N>,
    options?: StreamOption<C, A, N>,
  ): Edge<A, N, CarriedBy<C, A, N>>;
  /** To the first task only. */
  global<A extends string, N extends string = 'default'>(
    source: SourceOf<C, A, N>,
    options?: StreamOption<C, A, N>,
  ): Edge<A, N, CarriedBy<C, A, N>>;
}

/** The edge `E`, or why bolt `B`, which takes the values `I`, cannot take it. */
export type Accepted<B extends string, I, E> =
  E extends Edge<infer A extends string, infer N extends string, infer V>
    ? [V] extends [I]
      ? E
      : Refused<B, I, V, StreamTitle<A, N>>
    : '✗ return one of from.shuffle(…), from.fields(…), from.all(…), from.global(…)';

type Refused<B extends string, I, V, S extends string> =
  Exclude<keyof I, keyof V> extends infer Lacking
    ? [Lacking] extends [never]
      ? { [K in keyof I & keyof V & string]: [V[K]] extends [I[K]] ? never : Mistyped<B, K, I[K], V[K], S> }[keyof I &
          keyof V &
          string]
      : `✗ bolt "${B}" takes field "${Lacking & string}", which ${S} does not carry`
    : never;

type Mistyped<
  B extends string,
  K extends string,
  Taken,
  Given,
  S extends string,
> = `✗ bolt "${B}" takes field "${K}" as ${TypeTitle<Taken>}, which ${S} carries as ${TypeTitle<Given>}`;

/** A word for a type, since messages are template literals. */
type TypeTitle<T> = null extends T ? `${PlainTitle<Exclude<T, null>>} or null` : PlainTitle<T>;
type PlainTitle<T> = [T] extends [string]
  ? 'string'
  : [T] extends [number]
    ? 'number'
    : [T] extends [bigint]
      ? 'bigint'
      : [T] extends [boolean]
        ? 'boolean'
        : [T] extends [Uint8Array]
          ? 'bytes'
          : [T] extends [Date]
            ? 'date'
            : 'another type';

const edge = (draft: EdgeDraft) => Object.freeze({ [EDGE]: Object.freeze(draft) });

/** Notes what is asked for; `planOf` checks it. */
export const from = Object.freeze({
  shuffle: (source: unknown, options?: unknown) => edge({ kind: 'shuffle', source, options }),
  fields: (source: unknown, keys: unknown, options?: unknown) => edge({ kind: 'fields', source, keys, options }),
  all: (source: unknown, options?: unknown) => edge({ kind: 'all', source, options }),
  global: (source: unknown, options?: unknown) => edge({ kind: 'global', source, options }),
});
