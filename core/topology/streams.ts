/** Streams: the named sequences of tuples that a component declares. */
import { shown } from '../errors.js';
import type { StreamDeclaration } from './definition.js';
import { DIRECT, type Direct, isDirect } from './direct.js';
import { declareFields, type Fields, type Values } from './fields.js';
import { checkName } from './names.js';
import { isRecord, type Report, within } from './options.js';

/** The stream that `output` declares, and that `emit` and the groupings mean where no other is named. */
export const DEFAULT_STREAM = 'default';

/** What declares a stream: its fields, or `direct(fields)`. */
export type StreamFields = Fields | Direct<Fields>;

/** The values of each declared stream, by its name, `Direct<…>` for a direct one: what the types of a component carry. */
export type StreamValues = Readonly<Record<string, object>>;

/** `streams` left out. */
export type NoStreams = Record<never, never>;

/** The streams that `output: O` and `streams: S` declare; `O` is never where there is no output. */
export type StreamsOf<O, S> = S extends unknown
  ? {
      readonly [K in keyof S | ([O] extends [never] ? never : 'default')]: K extends keyof S
        ? StreamOfFields<S[K]>
        : StreamOfFields<O>;
    }
  : never;
type StreamOfFields<F> = F extends Direct<infer G> ? Direct<Values<G>> : Values<F>;

/** `output` as the stream `default`, then `streams` in declared order. */
export function declareStreams(output: unknown, streams: unknown, report: Report): readonly StreamDeclaration[] {
  const declared: StreamDeclaration[] = [];
  const declare = (name: string, given: unknown, what: string) => {
    const direct = isDirect(given);
    declared.push(Object.freeze({ name, fields: declareFields(direct ? given[DIRECT] : given, what, report), direct }));
  };
  if (output !== undefined) declare(DEFAULT_STREAM, output, 'output');
  if (streams !== undefined && !isRecord(streams)) {
    report(`streams: expected streams such as { errors: { text: t.string } }, found ${shown(streams)}`);
  } else if (isDirect(streams)) {
    report('streams: direct(…) stands around all streams; put it around the fields of each that is to be direct');
  } else {
    for (const [name, fields] of Object.entries(streams ?? {})) {
      if (name === DEFAULT_STREAM)
        report(`streams: '${DEFAULT_STREAM}' is what output declares; move its fields there`);
      else if (checkName(name, within('streams', report))) declare(name, fields, `streams.${name}`);
    }
  }
  return Object.freeze(declared);
}
