/** The checks of `planOf` on one edge: each reports what is wrong and returns what is right. */
import { shown } from '../errors.js';
import type { Definition } from './checks.js';
import type { ChooseTasks, FieldDeclaration, GroupingSpec, StreamDeclaration } from './definition.js';
import type { EdgeDraft } from './draft.js';
import { carries, typeName } from './fields.js';
import { nearest, quoted } from './names.js';
import { checkOptions, type Report } from './options.js';
import { DEFAULT_STREAM } from './streams.js';

/** Is the source one of the declared components? */
export function checkSource(
  { source }: EdgeDraft,
  declared: ReadonlyMap<unknown, Definition | undefined>,
  report: Report,
): string | undefined {
  if (typeof source === 'string' && declared.has(source)) return source;
  const names = [...declared.keys()].filter((name) => typeof name === 'string');
  report(`takes from ${quoted(source)}, which is no component${nearest(source, names)}; there are ${names.join(', ')}`);
  return undefined;
}

/** The stream that an edge takes. */
export function checkStream(
  { kind, source, options }: EdgeDraft,
  definition: Definition | undefined,
  report: Report,
): StreamDeclaration | undefined {
  const { stream: name = DEFAULT_STREAM } = checkOptions(options, ['stream'], `from ${quoted(source)}`, report);
  if (!definition) return undefined; // reported with the source itself
  const stream = definition.streams.find((stream) => stream.name === name);
  if (!stream) {
    const streams = definition.streams.map(({ name }) => name);
    const there = streams.length === 0 ? 'no stream at all: give it an output' : `only ${streams.join(', ')}`;
    report(`takes stream ${quoted(name)} of '${source}'${nearest(name, streams)}; it declares ${there}`);
    return undefined;
  }
  const title = titleOf(source as string, stream);
  if (stream.direct && kind !== 'direct') {
    report(`takes ${title}, which is direct, by from.${kind}; take it by from.direct`);
  } else if (!stream.direct && kind === 'direct') {
    report(
      `takes ${title}, which is not direct, by from.direct; take it by another grouping, or declare it with direct(…)`,
    );
  }
  return stream;
}

export function checkGrouping(
  edge: EdgeDraft,
  source: string,
  stream: StreamDeclaration,
  report: Report,
): GroupingSpec | undefined {
  const { kind } = edge;
  if (kind === 'fields' || kind === 'partialKey') {
    const keys = checkKeys(edge, source, stream, report);
    return keys && Object.freeze({ kind, keys });
  }
  if (kind !== 'custom') return Object.freeze({ kind });
  if (typeof edge.choose === 'function') return Object.freeze({ kind, choose: edge.choose as ChooseTasks });
  report(`from.custom('${source}', …): expected a function (values, tasks) => index, found ${shown(edge.choose)}`);
  return undefined;
}

function checkKeys(
  { kind, keys }: EdgeDraft,
  source: string,
  stream: StreamDeclaration,
  report: Report,
): readonly string[] | undefined {
  const fields = stream.fields.map(({ name }) => name);
  if (!Array.isArray(keys) || keys.length === 0) {
    const example = `['${fields[0] ?? 'word'}']`;
    report(`from.${kind}('${source}', …): expected at least one field, such as ${example}, found ${shown(keys)}`);
    return undefined;
  }
  const lacking = keys.filter((key) => !fields.includes(key));
  for (const key of lacking) {
    report(
      `groups by field ${quoted(key)}, which ${titleOf(source, stream)} has not${nearest(key, fields)}; ` +
        `it has ${fields.join(', ') || 'none'}`,
    );
  }
  return lacking.length > 0 ? undefined : Object.freeze([...keys]);
}

/** Does the stream carry the fields that the bolt takes? */
export function checkInput(
  taken: readonly FieldDeclaration[] | undefined,
  source: string,
  stream: StreamDeclaration,
  report: Report,
): void {
  const given = new Map(stream.fields.map(({ name, type }) => [name, type]));
  for (const { name, type } of taken ?? []) {
    const found = given.get(name);
    if (!found) {
      const fields = [...given.keys()];
      report(
        `takes field '${name}', which ${titleOf(source, stream)} does not carry${nearest(name, fields)}; ` +
          `it carries ${fields.join(', ') || 'nothing'}`,
      );
    } else if (!carries(found, type)) {
      report(
        `takes field '${name}' as ${typeName(type)}, which ${titleOf(source, stream)} carries as ${typeName(found)}; ` +
          'declare them alike',
      );
    }
  }
}

export function titleOf(source: string, { name }: StreamDeclaration): string {
  return name === DEFAULT_STREAM ? `stream '${source}'` : `stream '${name}' of '${source}'`;
}
