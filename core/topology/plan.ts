/** `planOf`: checks a topology and numbers it. */
import { createHash } from 'node:crypto';
import { SquallError, shown } from '../errors.js';
import {
  checkConnection,
  checkDefinition,
  checkGrouping,
  checkInput,
  checkSource,
  checkTasks,
  type Definition,
  definitionOf,
} from './checks.js';
import { completeConfig } from './config.js';
import { findCycles } from './cycles.js';
import type { ComponentConfig, ComponentPlan, EdgePlan, TopologyConfig, TopologyPlan } from './definition.js';
import { type ComponentDraft, edgeOf, isTopology, TOPOLOGY, type Topology } from './draft.js';
import { typeName } from './fields.js';
import { checkName, quoted } from './names.js';
import { type Report, within } from './options.js';
import { completeRetry } from './retry.js';

/** Root ids carry 12 bits of task, 1 … 4095; what is left is for ackers. */
const MAX_TASKS_IN_ALL = 4000;

/**
 * The complete, checked record of a topology: everything behind the builder reads this only.
 *
 * @throws SquallError ERR_SQUALL_TOPOLOGY with every mistake as a line of the message, and in `facts.mistakes`
 */
export function planOf(topology: Topology): TopologyPlan {
  const mistakes: string[] = [];
  // One line each, whatever names and values they quote.
  const report = (mistake: string) => void mistakes.push(mistake.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '));
  if (!isTopology(topology)) {
    report(`expected a topology, found ${shown(topology)}; begin one with topology('name')`);
    throw wrong('the topology', mistakes);
  }
  const { name, components: drafts, config: settings } = topology[TOPOLOGY];
  checkName(name, within('name of the topology', report));
  const config = completeConfig(settings, report);
  const { sizes, edges } = checkComponents(drafts, report);
  if (mistakes.length > 0) throw wrong(`topology ${quoted(name)}`, mistakes);

  const plan = { name: name as string, components: numbered(drafts, sizes, edges, config), edges, cycles: [], config };
  return Object.freeze({ ...plan, hash: hashOf(plan) });
}

function wrong(what: string, mistakes: readonly string[]): SquallError {
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  return new SquallError('ERR_SQUALL_TOPOLOGY', [`${what} has ${count}:`, ...mistakes].join('\n  '), {
    facts: { mistakes: Object.freeze([...mistakes]) },
  });
}

/** Checks each component with what it takes; returns how many tasks each has, and the edges that are right. */
function checkComponents(
  drafts: readonly ComponentDraft[],
  report: Report,
): { readonly sizes: readonly number[]; readonly edges: readonly EdgePlan[] } {
  // The first of a name is the one that others mean.
  const declared = new Map<unknown, Definition | undefined>();
  for (const draft of drafts) if (!declared.has(draft.name)) declared.set(draft.name, definitionOf(draft));
  const seen = new Set<unknown>();
  const sizes: number[] = [];
  const edges: EdgePlan[] = [];
  for (const draft of drafts) {
    const here = within(`${draft.kind} ${quoted(draft.name)}`, report);
    if (checkName(draft.name, here) && seen.has(draft.name)) here('the name is declared twice; choose another');
    seen.add(draft.name);
    checkDefinition(draft, here);
    sizes.push(checkTasks(draft, here));
    const edge = checkEdge(draft, declared, edges.length, here);
    if (edge) edges.push(edge);
  }
  if (!drafts.some(({ kind }) => kind === 'spout')) report('there is no spout, so nothing would come in; add one');
  const tasks = sizes.reduce((sum, size) => sum + size, 0);
  if (tasks > MAX_TASKS_IN_ALL)
    report(`the components have ${tasks} tasks together; at most ${MAX_TASKS_IN_ALL} are possible`);
  checkCycles(drafts, report);
  return { sizes, edges: Object.freeze(edges) };
}

function checkEdge(
  draft: ComponentDraft,
  declared: ReadonlyMap<unknown, Definition | undefined>,
  index: number,
  report: Report,
): EdgePlan | undefined {
  const edge = draft.connection && checkConnection(draft.connection, report);
  const found = edge && checkSource(edge, declared, report);
  if (!edge || !found) return undefined;
  const { source, stream } = found;
  const grouping = checkGrouping(edge, source, stream, report);
  const definition = definitionOf(draft);
  if (definition?.kind !== 'bolt') return undefined;
  const [input] = definition.inputs;
  checkInput(input.fields, source, stream, report);
  // Where grouping or name are wrong there will be no plan.
  if (!grouping || typeof draft.name !== 'string') return undefined;
  return Object.freeze({ index, source, stream, target: draft.name, input: input.name, grouping, feedback: false });
}

function checkCycles(drafts: readonly ComponentDraft[], report: Report): void {
  const sources = new Map<unknown, unknown[]>();
  for (const { name, connection } of drafts) {
    const edge = connection?.kind === 'returned' ? edgeOf(connection.value) : undefined;
    sources.set(name, [...(sources.get(name) ?? []), ...(edge ? [edge.source] : [])]);
  }
  for (const cycle of findCycles(sources)) {
    report(
      `${cycle.map(quoted).join(' → ')} is a cycle, which needs .feedback(…); this version has none yet, so break it up`,
    );
  }
}

/** Gives the tasks their numbers, from 1 in declaration order. Only for what is free of mistakes. */
function numbered(
  drafts: readonly ComponentDraft[],
  sizes: readonly number[],
  edges: readonly EdgePlan[],
  config: TopologyConfig,
): readonly ComponentPlan[] {
  let firstTask = 1;
  const components = drafts.map((draft, index): ComponentPlan => {
    const name = draft.name as string;
    const component = {
      name,
      index,
      definition: definitionOf(draft) as Definition,
      firstTask,
      tasks: sizes[index],
      inputs: Object.freeze(edges.filter(({ target }) => target === name)),
      outputs: Object.freeze(edges.filter(({ source }) => source === name)),
      cycle: undefined,
      config: componentConfig(config, definitionOf(draft) as Definition),
    };
    firstTask += component.tasks;
    return Object.freeze(component);
  });
  return Object.freeze(components);
}

function componentConfig(config: TopologyConfig, definition: Definition): ComponentConfig {
  const bolt = definition.kind === 'bolt' ? definition : undefined;
  return Object.freeze({
    ...config,
    tickEveryMs: bolt?.tickEveryMs,
    executeTimeoutMs: bolt?.executeTimeoutMs ?? config.messageTimeoutMs * 10,
    concurrency: bolt?.concurrency ?? 1,
    retry: definition.kind === 'spout' ? definition.retry : DEFAULT_RETRY,
  });
}
const DEFAULT_RETRY = completeRetry(undefined, () => {});

/** Over everything structural, in declaration order; the code of the components is not in it. */
function hashOf({ name, components, edges, config }: Omit<TopologyPlan, 'hash'>): number {
  const canonical = [
    name,
    [config.maxSpoutPending, config.messageTimeoutMs, config.lingerMs],
    components.map(({ name, definition, tasks }) => [name, tasks, ...canonicalDefinition(definition)]),
    edges.map(({ source, stream, target, input, grouping }) => [
      [source, stream.name, target, input],
      [grouping.kind, grouping.kind === 'fields' ? grouping.keys : null],
    ]),
  ];
  return createHash('sha256').update(JSON.stringify(canonical)).digest().readUInt32BE(0);
}

function canonicalDefinition(definition: Definition): readonly unknown[] {
  const streams = definition.streams.map(({ name, fields }) => [name, canonicalFields(fields)]);
  if (definition.kind === 'spout') {
    const { attempts, backoff } = definition.retry;
    return ['spout', streams, [attempts, backoff.firstMs, backoff.maxMs]];
  }
  const { inputs, tickEveryMs, executeTimeoutMs, keepsState } = definition;
  return [
    'bolt',
    streams,
    inputs.map(({ name, fields }) => [name, fields ? canonicalFields(fields) : null]),
    [tickEveryMs ?? null, executeTimeoutMs ?? null, keepsState],
  ];
}

function canonicalFields(fields: Definition['streams'][number]['fields']): readonly unknown[] {
  return fields.map(({ name, type }) => [name, typeName(type)]);
}
