/** Streams: the named sequences of tuples that a component declares, and what may be emitted on them. */

import { shown } from '../errors.js';
import type { MessageId, Position, StreamDeclaration } from './definition.js';
import { declareFields, type Values } from './fields.js';
import { checkName } from './names.js';
import { isRecord, type Report, within } from './options.js';

/** The stream that `output` declares, and that `emit` and the groupings mean where no other is named. */
export const DEFAULT_STREAM = 'default';

/** The values of each declared stream, by its name: what the types of a component carry. */
export type StreamValues = Readonly<Record<string, object>>;

/** `streams` left out. */
export type NoStreams = Record<never, never>;

/** The streams that `output: O` and `streams: S` declare; `O` is never where there is no output. */
export type StreamsOf<O, S> = S extends unknown
  ? {
      readonly [K in keyof S | ([O] extends [never] ? never : 'default')]: K extends keyof S ? Values<S[K]> : Values<O>;
    }
  : never;

/** What `emit` takes for stream `N`, or why there is nothing to take. A wrong name is reported where it stands. */
export type EmitValues<S, N> = N extends keyof S
  ? S[N]
  : 'default' extends N
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
}

/** `output` as the stream `default`, then `streams` in declared order. */
export function declareStreams(output: unknown, streams: unknown, report: Report): readonly StreamDeclaration[] {
  const declared: StreamDeclaration[] = [];
  const declare = (name: string, fields: unknown, what: string) =>
    declared.push(Object.freeze({ name, fields: declareFields(fields, what, report), direct: false }));
  if (output !== undefined) declare(DEFAULT_STREAM, output, 'output');
  if (streams !== undefined && !isRecord(streams)) {
    report(`streams: expected streams such as { errors: { text: t.string } }, found ${shown(streams)}`);
  } else {
    for (const [name, fields] of Object.entries(streams ?? {})) {
      if (name === DEFAULT_STREAM)
        report(`streams: '${DEFAULT_STREAM}' is what output declares; move its fields there`);
      else if (checkName(name, within('streams', report))) declare(name, fields, `streams.${name}`);
    }
  }
  return Object.freeze(declared);
}
