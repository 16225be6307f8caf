/** The checks of `planOf` on one component or one edge: each reports what is wrong and returns what is right. */

import { shown } from '../errors.js';
import { COMPONENT, isComponent } from './component.js';
import type {
  BoltDefinition,
  FieldDeclaration,
  GroupingSpec,
  SpoutDefinition,
  StreamDeclaration,
} from './definition.js';
import { type ComponentDraft, type ConnectionDraft, type EdgeDraft, edgeOf } from './draft.js';
import { carries, typeName } from './fields.js';
import { nearest, quoted } from './names.js';
import { checkInteger, checkOptions, type Report } from './options.js';
import { DEFAULT_STREAM } from './streams.js';

/** More processes than a machine takes; `planOf` limits those of all components together. */
const TASKS = { min: 1, max: 1024 };

export type Definition = SpoutDefinition | BoltDefinition;

/** The definition that was given for a spout or bolt, whichever it is. */
export function definitionOf({ component }: ComponentDraft): Definition | undefined {
  return isComponent(component) ? component : undefined;
}

/** Is the definition there, of the declared kind, and without mistakes of its own? */
export function checkDefinition({ kind, component }: ComponentDraft, report: Report): void {
  if (!isComponent(component)) {
    const expected = kind === 'spout' ? 'what defineSpout or spoutFrom returns' : 'what defineBolt returns';
    report(`expected ${expected}, found ${shown(component)}${typeof component === 'function' ? '; call it' : ''}`);
    return;
  }
  for (const mistake of component[COMPONENT].mistakes) report(mistake);
  if (component.kind !== kind)
    report(`expected a ${kind}, found a ${component.kind}; declare it with .${component.kind}(…)`);
}

/** How many tasks the component has; 1 where that is wrong. */
export function checkTasks({ kind, options }: ComponentDraft, report: Report): number {
  if (kind === 'spout' && typeof options === 'function') {
    report('a spout takes no input, found a function; remove it, or declare a bolt');
    return 1;
  }
  const { tasks } = checkOptions(options, ['tasks'], 'options', report);
  return checkInteger(tasks, TASKS, 1, 'tasks', report);
}

/** The edge that a bolt's `(from) => …` returned. */
export function checkConnection({ kind, value }: ConnectionDraft, report: Report): EdgeDraft | undefined {
  const example = `(from) => from.shuffle('lines')`;
  const edge = kind === 'returned' ? edgeOf(value) : undefined;
  if (edge) return edge;
  if (kind === 'no function') {
    report(`expected the function that says what it takes, such as ${example}, found ${shown(value)}`);
  } else if (kind === 'threw') {
    report(
      `its (from) => … threw ${value instanceof Error ? value : shown(value)}; from has shuffle, fields, all and global`,
    );
  } else {
    const several = typeof value === 'object' && value !== null && Object.values(value).some(edgeOf);
    const advice = several ? 'this version joins a bolt to one stream' : `return an edge, as in ${example}`;
    report(`its (from) => … returned ${shown(value)}; ${advice}`);
  }
  return undefined;
}

/** The stream that an edge takes, where its source is one of the declared components and has it. */
export function checkSource(
  { source, options }: EdgeDraft,
  declared: ReadonlyMap<unknown, Definition | undefined>,
  report: Report,
): { readonly source: string; readonly stream: StreamDeclaration } | undefined {
  const { stream = DEFAULT_STREAM } = checkOptions(options, ['stream'], `from ${quoted(source)}`, report);
  if (typeof source !== 'string' || !declared.has(source)) {
    const names = [...declared.keys()].filter((name) => typeof name === 'string');
    report(
      `takes from ${quoted(source)}, which is no component${nearest(source, names)}; there are ${names.join(', ')}`,
    );
    return undefined;
  }
  const definition = declared.get(source);
  if (!definition) return undefined; // reported with the source itself
  const found = definition.streams.find(({ name }) => name === stream);
  if (found) return { source, stream: found };
  const streams = definition.streams.map(({ name }) => name);
  const there = streams.length === 0 ? 'no stream at all: give it an output' : `only ${streams.join(', ')}`;
  report(`takes stream ${quoted(stream)} of '${source}'${nearest(stream, streams)}; it declares ${there}`);
  return undefined;
}

export function checkGrouping(
  edge: EdgeDraft,
  source: string,
  stream: StreamDeclaration,
  report: Report,
): GroupingSpec | undefined {
  if (edge.kind !== 'fields') return Object.freeze({ kind: edge.kind }) as GroupingSpec;
  const { keys } = edge;
  const fields = stream.fields.map(({ name }) => name);
  if (!Array.isArray(keys) || keys.length === 0) {
    report(
      `from.fields('${source}', …): expected at least one field, such as ['${fields[0] ?? 'word'}'], found ${shown(keys)}`,
    );
    return undefined;
  }
  const lacking = keys.filter((key) => !fields.includes(key));
  for (const key of lacking) {
    report(
      `groups by field ${quoted(key)}, which ${titleOf(source, stream)} has not${nearest(key, fields)}; ` +
        `it has ${fields.join(', ') || 'none'}`,
    );
  }
  return lacking.length > 0 ? undefined : Object.freeze({ kind: 'fields', keys: Object.freeze([...keys]) });
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

function titleOf(source: string, { name }: StreamDeclaration): string {
  return name === DEFAULT_STREAM ? `stream '${source}'` : `stream '${name}' of '${source}'`;
}
