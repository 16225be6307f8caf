/** What a bolt's `(from) => …` returned: which edges, into which of its inputs. */
import { shown } from '../errors.js';
import type { Definition } from './checks.js';
import { type ConnectionDraft, type EdgeDraft, edgeOf } from './draft.js';
import { from } from './from.js';
import { areNamed } from './inputs.js';
import { nearest } from './names.js';
import { isRecord, type Report } from './options.js';

/** One edge, and the input it is for; undefined where that cannot be told, which is a mistake that is reported. */
export interface Connection {
  readonly input: string | undefined;
  readonly edge: EdgeDraft;
}

const EXAMPLE = `(from) => from.shuffle('lines')`;

/** `partial`: not every input needs an edge. */
export function connectionsOf(
  { kind, value }: ConnectionDraft,
  definition: Definition | undefined,
  partial: boolean,
  report: Report,
): readonly Connection[] {
  if (kind === 'no function') {
    report(`expected the function that says what it takes, such as ${EXAMPLE}, found ${shown(value)}`);
    return [];
  }
  if (kind === 'threw') {
    const groupings = Object.keys(from).join(', ');
    report(`its (from) => … threw ${value instanceof Error ? value : shown(value)}; from has ${groupings}`);
    return [];
  }
  // Of what is no bolt, and is reported as such, everything may be an edge.
  if (definition?.kind !== 'bolt') return everyEdge(value).map((edge) => ({ input: undefined, edge }));
  if (areNamed(definition.inputs)) {
    const names = definition.inputs.map(({ name }) => name);
    return names.length === 0 ? [] : ofRecord(value, names, partial, report);
  }
  if (isRecord(value) && !edgeOf(value) && Object.values(value).some(edgeOf)) {
    report('its (from) => … returned edges by name, but it has one input only: return an array, or declare inputs');
    return [];
  }
  return ofInput(definition.inputs[0].name, value, '', report);
}

function ofRecord(value: unknown, names: readonly string[], partial: boolean, report: Report): readonly Connection[] {
  if (!isRecord(value) || edgeOf(value)) {
    const found = edgeOf(value) ? 'an edge' : shown(value);
    report(`its (from) => … returned ${found}; it has the inputs ${names.join(', ')}: return { ${names[0]}: from… }`);
    return everyEdge(value).map((edge) => ({ input: undefined, edge }));
  }
  const connections: Connection[] = [];
  for (const [name, edges] of Object.entries(value)) {
    if (isFedBackOnly(edges) && !partial && names.includes(name)) continue;
    if (names.includes(name)) {
      connections.push(...ofInput(name, edges, ` for the input '${name}'`, report));
    } else {
      report(`its (from) => … names the input '${name}'${nearest(name, names)}; it has ${names.join(', ')}`);
      connections.push(...everyEdge(edges).map((edge) => ({ input: undefined, edge })));
    }
  }
  const missing = names.filter((name) => !Object.hasOwn(value, name));
  if (!partial) {
    for (const name of missing) report(`its (from) => … says nothing of the input '${name}'; add ${name}: from…`);
  } else if (Object.keys(value).length === 0) {
    report(`its (from) => … names no input; it has ${names.join(', ')}`);
  }
  return connections;
}

/** `[]` says of a named input that only `.feedback` brings it something. */
function isFedBackOnly(edges: unknown): boolean {
  return Array.isArray(edges) && edges.length === 0;
}

/** Named inputs of which a `(from) => …` of `.bolt` says that. */
export function fedBackOnly({ kind, value }: ConnectionDraft): readonly string[] {
  if (kind !== 'returned' || !isRecord(value) || edgeOf(value)) return [];
  return Object.keys(value).filter((name) => isFedBackOnly(value[name]));
}

/** The edges of one input; messages call it `which`. */
function ofInput(input: string, value: unknown, which: string, report: Report): readonly Connection[] {
  const found = (what: string, advice: string) => report(`its (from) => … returned ${what}${which}; ${advice}`);
  const edge = edgeOf(value);
  if (edge) return [{ input, edge }];
  if (!Array.isArray(value)) {
    found(shown(value), `return an edge, as in ${EXAMPLE}`);
    return [];
  }
  if (value.length === 0) found('an empty array', 'name a stream that it takes');
  return value.flatMap((one) => {
    const edge = edgeOf(one);
    if (edge) return [{ input, edge }];
    found(`an array with ${shown(one)}`, 'expected edges only');
    return [];
  });
}

/** The edges in a value of whatever shape: itself, its members, theirs. */
function everyEdge(value: unknown, depth = 2): readonly EdgeDraft[] {
  const edge = edgeOf(value);
  if (edge) return [edge];
  if (depth === 0 || typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((member) => everyEdge(member, depth - 1));
}
