/** What a bolt's `(from) => …` may return, as types: each mistake gives a message where the right type would stand. */
import type { Edge, StreamTitle } from './from.js';
import type { NamedInputs } from './inputs.js';

/**
 * `E`, or why bolt `B`, which takes the values `I`, cannot take it. With one input: an edge or an array of edges; with
 * named inputs: a record of them with exactly these names. (Unknown where the compiler has given the call up for another
 * argument: that one is to be named, not this.)
 */
export type Accepted<B extends string, I, E> = unknown extends E
  ? E
  : [I] extends [NamedInputs<infer M>]
    ? AcceptedRecord<B, M, E, keyof M>
    : AcceptedEdges<B, I, E>;

/** The same for `.feedback`: some of the inputs are enough. */
export type AcceptedBack<B extends string, I, E> = unknown extends E
  ? E
  : [I] extends [NamedInputs<infer M>]
    ? AcceptedRecord<B, M, E, never>
    : AcceptedEdges<B, I, E>;

/** `Needed` are the inputs that may not be left out. */
type AcceptedRecord<B extends string, M, E, Needed> = [RecordProblem<B, M, E, Needed>] extends [never]
  ? E
  : RecordProblem<B, M, E, Needed>;

type RecordProblem<B extends string, M, E, Needed> = E extends Edge | readonly unknown[]
  ? { readonly [K in keyof M]: `✗ bolt "${B}" has inputs with names: say what each takes` }
  : [WrongKey<B, M, E, Needed>] extends [never]
    ? never
    : {
        readonly [K in keyof E | (Needed & string)]: K extends keyof M
          ? K extends keyof E
            ? AcceptedEdges<B, M[K], E[K]>
            : `✗ bolt "${B}" has an input "${K & string}": say what it takes`
          : `✗ bolt "${B}" has no input "${K & string}"`;
      };

type WrongKey<B extends string, M, E, Needed> =
  | {
      [K in keyof E]: K extends keyof M
        ? E[K] extends FedBackOnly
          ? never
          : [EdgesProblem<B, M[K], E[K]>] extends [never]
            ? never
            : K
        : K;
    }[keyof E]
  | Exclude<Needed, keyof E>;

/** `[]` for a named input: it takes what `.feedback` brings, and nothing else. */
type FedBackOnly = readonly never[];

/** `E`, an edge or a non-empty array of edges, or why it cannot be taken. */
type AcceptedEdges<B extends string, I, E> = [EdgesProblem<B, I, E>] extends [never] ? E : EdgesProblem<B, I, E>;

type EdgesProblem<B extends string, I, E> = E extends readonly (infer X)[]
  ? [X] extends [never]
    ? `✗ bolt "${B}" takes nothing: the array is empty`
    : EdgeProblem<B, I, X>
  : EdgeProblem<B, I, E>;

type EdgeProblem<B extends string, I, E> =
  E extends Edge<infer A extends string, infer N extends string, infer V>
    ? [V] extends [I]
      ? never
      : Refused<B, I, V, StreamTitle<A, N>>
    : '✗ return one of from.shuffle(…), from.fields(…), …, or an array of them';

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
