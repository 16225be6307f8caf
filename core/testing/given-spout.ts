/** Spouts whose tuples a test gives: in place of those that a topology has. */
import { SquallError, shown } from '../errors.js';
import { COMPONENT, isComponent } from '../topology/component.js';
import type {
  ComponentPlan,
  SpoutDefinition,
  SpoutInstance,
  StreamDeclaration,
  TaskContext,
  TopologyPlan,
} from '../topology/definition.js';
import { typeName } from '../topology/fields.js';
import { nearest } from '../topology/names.js';
import { DEFAULT_STREAM } from '../topology/streams.js';
import { RowLayout } from '../wire/layout.js';

type Row = Record<string, unknown>;

/** A tuple and the stream it goes to. */
interface Given {
  readonly stream: string;
  readonly values: Row;
}

/**
 * The plan with the spouts named in `given` replaced: by tuples of the stream `default`, by tuples by stream, or by
 * another spout.
 *
 * @throws SquallError ERR_SQUALL_LOCAL_SPOUT where there is no such spout, or what is given does not fit its streams
 */
export function withGivenSpouts(plan: TopologyPlan, given: Readonly<Record<string, unknown>>): TopologyPlan {
  const spouts = plan.components.filter(({ definition }) => definition.kind === 'spout');
  const replaced = new Map<string, ComponentPlan>();
  for (const [name, what] of Object.entries(given)) {
    if (what === undefined) continue;
    const spout = spouts.find((one) => one.name === name);
    if (spout === undefined) {
      const names = spouts.map((one) => one.name);
      const bolt = plan.components.some((one) => one.name === name)
        ? `'${name}' is a bolt`
        : `there is no spout '${name}'`;
      throw refusal(name, `${bolt}${nearest(name, names)}; the spouts of '${plan.name}' are ${names.join(', ')}`);
    }
    replaced.set(name, Object.freeze(replacement(spout, what)));
  }
  const components = plan.components.map((component) => replaced.get(component.name) ?? component);
  return Object.freeze({ ...plan, components: Object.freeze(components) });
}

function refusal(spout: string, why: string): SquallError {
  return new SquallError('ERR_SQUALL_LOCAL_SPOUT', `spouts.${spout}: ${why}`, { facts: { spout } });
}

function replacement(component: ComponentPlan, what: unknown): ComponentPlan {
  const { name, config } = component;
  const original = component.definition as SpoutDefinition;
  if (isComponent(what)) {
    if (what.kind !== 'spout') throw refusal(name, 'expected a spout in its place, found a bolt');
    const { mistakes } = what[COMPONENT];
    if (mistakes.length > 0) throw refusal(name, mistakes.join('; '));
    for (const stream of original.streams) mustDeclare(name, stream, what);
    return { ...component, definition: what, config: Object.freeze({ ...config, retry: what.retry }) };
  }
  const tuples = tuplesOf(name, original.streams, what);
  return { ...component, definition: { ...original, replay: 'squall', open: (context) => dealt(tuples, context) } };
}

/** Tuples dealt round the tasks of a spout; a task that starts again goes on where it had come to. */
function dealt(tuples: readonly Given[], { index, tasks, position }: TaskContext): SpoutInstance {
  let at = typeof position === 'number' ? position : index;
  return {
    next(out) {
      const tuple = tuples[at];
      if (tuple === undefined) return 'done';
      const id = at;
      at += tasks;
      out.emit(tuple.values, { id, stream: tuple.stream, position: at });
      return undefined;
    },
  };
}

/** The runtime goes by the streams of the plan: what takes the spout's place must have the same. */
function mustDeclare(name: string, { name: stream, fields }: StreamDeclaration, spout: SpoutDefinition): void {
  const found = spout.streams.find((one) => one.name === stream);
  const wanted = titleOf(fields);
  if (found !== undefined && titleOf(found.fields) === wanted) return;
  const there = found === undefined ? 'it declares no such stream' : `it declares ${titleOf(found.fields)}`;
  throw refusal(name, `what takes its place must declare the stream '${stream}' as ${wanted}; ${there}`);
}

function titleOf(fields: StreamDeclaration['fields']): string {
  return `{ ${fields.map(({ name, type }) => `${name}: ${typeName(type)}`).join(', ')} }`;
}

function tuplesOf(spout: string, streams: readonly StreamDeclaration[], given: unknown): readonly Given[] {
  if (Array.isArray(given)) {
    if (!streams.some(({ name }) => name === DEFAULT_STREAM)) {
      const names = streams.map(({ name }) => name);
      throw refusal(spout, `it has no stream 'default': write { ${names[0] ?? 'stream'}: [ … ] } to say which one`);
    }
    return rowsOf(spout, streams, DEFAULT_STREAM, given);
  }
  if (typeof given !== 'object' || given === null) {
    throw refusal(spout, `expected an array of its tuples, tuples by stream, or a spout, found ${shown(given)}`);
  }
  return Object.entries(given).flatMap(([stream, rows]) => rowsOf(spout, streams, stream, rows));
}

function rowsOf(spout: string, streams: readonly StreamDeclaration[], stream: string, rows: unknown): readonly Given[] {
  const declaration = streams.find(({ name }) => name === stream);
  const where = stream === DEFAULT_STREAM ? '' : `.${stream}`;
  if (declaration === undefined) {
    const names = streams.map(({ name }) => name);
    throw refusal(spout, `it has no stream '${stream}'${nearest(stream, names)}; it declares ${names.join(', ')}`);
  }
  if (declaration.direct)
    throw refusal(spout, `'${stream}' is a direct stream, for which a test needs a spout of its own`);
  if (!Array.isArray(rows)) throw refusal(spout, `expected an array of tuples for '${stream}', found ${shown(rows)}`);
  const layout = new RowLayout(declaration);
  return rows.map((values: Row, at) => {
    const title = `spouts.${spout}${where}[${at}]`;
    const error = layout.fits(values) ? layout.undeclared(values, title) : layout.refusal(values, title);
    if (error !== undefined)
      throw new SquallError('ERR_SQUALL_LOCAL_SPOUT', error.message, { facts: { spout, ...error.facts } });
    return { stream, values };
  });
}
