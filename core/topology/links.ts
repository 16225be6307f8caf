/** What goes where in a topology: its edges, checked, and the cycles that they make. */
import type { Definition } from './checks.js';
import { type Connection, connectionsOf } from './connections.js';
import { findCycles, stronglyConnected } from './cycles.js';
import type { EdgePlan } from './definition.js';
import type { ConnectionDraft } from './draft.js';
import { checkGrouping, checkInput, checkSource, checkStream, titleOf } from './edge-checks.js';
import { DEFAULT_INPUT } from './inputs.js';
import { quoted } from './names.js';
import { type Report, within } from './options.js';

/** Components by name; undefined: what was given is none. */
export type Declared = ReadonlyMap<unknown, Definition | undefined>;

/** From component to component; `edge` where everything about it is right. Without, cycles can be seen all the same. */
export interface Link {
  readonly source: string;
  readonly target: string;
  readonly feedback: boolean;
  readonly edge: Omit<EdgePlan, 'index'> | undefined;
}

/** What links go to. */
export interface Target {
  readonly name: string;
  readonly definition: Definition | undefined;
}

/** The links into `target` that a `(from) => …` of `.bolt` or `.feedback` asks for, after those that are `there`. */
export function linksInto(
  target: Target,
  connection: ConnectionDraft,
  feedback: boolean,
  declared: Declared,
  there: readonly Link[],
  report: Report,
): readonly Link[] {
  const links: Link[] = [];
  for (const wanted of connectionsOf(connection, target.definition, feedback, report)) {
    const source = checkSource(wanted.edge, declared, report);
    if (source === undefined) continue;
    const edge = checkEdge(wanted, source, declared.get(source), target, report);
    if (edge && [...there, ...links].some((link) => link.edge && isSame(link.edge, edge))) {
      const input = edge.input === DEFAULT_INPUT ? '' : ` for the input '${edge.input}'`;
      report(`takes ${titleOf(source, edge.stream)} twice${input}; remove one of them`);
    }
    links.push({ source, target: target.name, feedback, edge: edge && { ...edge, feedback } });
  }
  return links;
}

type Edge = Omit<EdgePlan, 'index' | 'feedback'>;

function isSame(a: Edge, b: Edge): boolean {
  return a.source === b.source && a.stream.name === b.stream.name && a.target === b.target && a.input === b.input;
}

function checkEdge(
  { input, edge }: Connection,
  source: string,
  definition: Definition | undefined,
  target: Target,
  report: Report,
): Edge | undefined {
  const stream = checkStream(edge, definition, report);
  if (!stream) return undefined;
  const grouping = checkGrouping(edge, source, stream, report);
  const taken = target.definition?.kind === 'bolt' && target.definition.inputs.find(({ name }) => name === input);
  if (!taken) return undefined;
  checkInput(taken.fields, source, stream, report);
  return grouping && { source, stream, target: target.name, input: taken.name, grouping };
}

/** The cycles that a topology has by right: each is closed by `.feedback`, and each `.feedback` closes one. */
export function checkCycles(
  names: readonly string[],
  links: readonly Link[],
  report: Report,
): readonly (readonly string[])[] {
  const forward = links.filter(({ feedback }) => !feedback);
  for (const cycle of findCycles(neighbours(names, forward, 'target', 'source'))) {
    const path = fromEarliest(cycle, names);
    const [first, last] = [path[0], path.at(-2)];
    const after = first === last ? 'it' : 'both';
    report(
      `${path.map(quoted).join(' → ')} is a cycle; declare the edge that closes it by ` +
        `.feedback('${first}', (from) => from.shuffle('${last}')) after ${after}, not in .bolt('${first}', …)`,
    );
  }
  const cycles = stronglyConnected(neighbours(names, links, 'source', 'target'));
  for (const { source, target } of links.filter(({ feedback }) => feedback)) {
    if (cycles.some((members) => members.includes(source) && members.includes(target))) continue;
    within(
      `feedback '${target}'`,
      report,
    )(`'${source}' gets nothing of '${target}', so this closes no cycle; take it in .bolt('${target}', …)`);
  }
  return cycles;
}

/** For each name those at the other end of its links. */
function neighbours(
  names: readonly string[],
  links: readonly Link[],
  at: 'source' | 'target',
  other: 'source' | 'target',
): ReadonlyMap<string, readonly string[]> {
  const lists = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const link of links) lists.get(link[at])?.push(link[other]);
  return lists;
}

/** A closed path, begun where it passes the name that was declared first. */
function fromEarliest(cycle: readonly string[], names: readonly string[]): readonly string[] {
  const ring = cycle.slice(1);
  const first = names.find((name) => ring.includes(name)) as string;
  const at = ring.indexOf(first);
  return [...ring.slice(at), ...ring.slice(0, at), first];
}
