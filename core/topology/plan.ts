/** `planOf`: checks a topology and numbers it. */
import { SquallError, shown } from '../errors.js';
import { checkDefinition, checkHooks, checkTasks, type Definition, definitionOf } from './checks.js';
import { completeComponentConfig } from './component-config.js';
import { completeConfig } from './config.js';
import { fedBackOnly } from './connections.js';
import type { ComponentConfig, ComponentPlan, EdgePlan, TopologyConfig, TopologyPlan } from './definition.js';
import { type ComponentDraft, type FeedbackDraft, isTopology, TOPOLOGY, type Topology } from './draft.js';
import { hashOf } from './hash.js';
import { areNamed } from './inputs.js';
import { checkCycles, type Declared, type Link, linksInto } from './links.js';
import { checkName, nearest, quoted } from './names.js';
import { type Report, within } from './options.js';

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
  const { name, components: drafts, feedback, config: settings } = topology[TOPOLOGY];
  checkName(name, within('name of the topology', report));
  const config = completeConfig(settings, report);
  const declared = declaredBy(drafts);
  const links: Link[] = [];
  const parts = checkComponents(drafts, config, declared, links, report);
  for (const draft of feedback) checkFeedback(draft, declared, links, report);
  for (const draft of drafts) checkFedBack(draft, links, report);
  const names = [...declared.keys()].filter((name) => typeof name === 'string');
  const cycles = checkCycles(names, links, report);
  if (mistakes.length > 0) throw wrong(`topology ${quoted(name)}`, mistakes);

  const edges = links.map(
    ({ edge }, index): EdgePlan => Object.freeze({ index, ...(edge as Omit<EdgePlan, 'index'>) }),
  );
  const plan = {
    name: name as string,
    components: numbered(parts, edges, cycles),
    edges: Object.freeze(edges),
    cycles: Object.freeze(cycles.map((members) => Object.freeze([...members]))),
    config,
  };
  return Object.freeze({ ...plan, hash: hashOf(plan) });
}

function wrong(what: string, mistakes: readonly string[]): SquallError {
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  return new SquallError('ERR_SQUALL_TOPOLOGY', [`${what} has ${count}:`, ...mistakes].join('\n  '), {
    facts: { mistakes: Object.freeze([...mistakes]) },
  });
}

/** The first of a name is the one that others mean. */
function declaredBy(drafts: readonly ComponentDraft[]): Declared {
  const declared = new Map<unknown, Definition | undefined>();
  for (const draft of drafts) if (!declared.has(draft.name)) declared.set(draft.name, definitionOf(draft));
  return declared;
}

/** A component after its checks. */
interface Part {
  readonly draft: ComponentDraft;
  readonly tasks: number;
  readonly config: ComponentConfig;
}

/** Checks each component with what it takes, which goes to `links`. */
function checkComponents(
  drafts: readonly ComponentDraft[],
  config: TopologyConfig,
  declared: Declared,
  links: Link[],
  report: Report,
): readonly Part[] {
  const seen = new Set<unknown>();
  const parts = drafts.map((draft): Part => {
    const here = within(`${draft.kind} ${quoted(draft.name)}`, report);
    if (checkName(draft.name, here) && seen.has(draft.name)) here('the name is declared twice; choose another');
    seen.add(draft.name);
    checkDefinition(draft, here);
    const part = { draft, tasks: checkTasks(draft, here), config: completeComponentConfig(draft, config, here) };
    checkHooks(draft, part.config, here);
    if (draft.connection) {
      // Where the name is wrong there will be no plan.
      const target = { name: String(draft.name), definition: definitionOf(draft) };
      links.push(...linksInto(target, draft.connection, false, declared, links, here));
    }
    return part;
  });
  if (!drafts.some(({ kind }) => kind === 'spout')) report('there is no spout, so nothing would come in; add one');
  const tasks = parts.reduce((sum, part) => sum + part.tasks, 0);
  if (tasks > MAX_TASKS_IN_ALL)
    report(`the components have ${tasks} tasks together; at most ${MAX_TASKS_IN_ALL} are possible`);
  return parts;
}

function checkFeedback({ name, connection }: FeedbackDraft, declared: Declared, links: Link[], report: Report): void {
  const here = within(`feedback ${quoted(name)}`, report);
  if (typeof name !== 'string' || !declared.has(name)) {
    const bolts = [...declared].filter(([, definition]) => definition?.kind === 'bolt').map(([bolt]) => String(bolt));
    here(`there is no bolt of this name${nearest(name, bolts)}; there are ${bolts.join(', ') || 'none'}`);
    return;
  }
  const definition = declared.get(name);
  if (definition?.kind === 'spout') {
    here('a spout takes nothing; name the bolt that the cycle leads back to');
    return;
  }
  links.push(...linksInto({ name, definition }, connection, true, declared, links, here));
}

/** An input that waits for `.feedback` must get one. */
function checkFedBack(draft: ComponentDraft, links: readonly Link[], report: Report): void {
  const { name, connection } = draft;
  const definition = definitionOf(draft);
  if (definition?.kind !== 'bolt' || !connection || !areNamed(definition.inputs)) return;
  const into = links.filter(({ target }) => target === name);
  const names = definition.inputs.map(({ name }) => name);
  for (const input of fedBackOnly(connection).filter((one) => names.includes(one))) {
    // one with a mistake may have been meant for it
    if (into.some(({ edge }) => edge === undefined || edge.input === input)) continue;
    within(
      `bolt ${quoted(name)}`,
      report,
    )(
      `its (from) => … returned an empty array for the input ${quoted(input)}; name a stream that it takes, ` +
        'or declare with .feedback what comes back to it',
    );
  }
}

/** Gives the tasks their numbers, from 1 in declaration order. Only for what is free of mistakes. */
function numbered(
  parts: readonly Part[],
  edges: readonly EdgePlan[],
  cycles: readonly (readonly string[])[],
): readonly ComponentPlan[] {
  let firstTask = 1;
  const components = parts.map(({ draft, tasks, config }, index): ComponentPlan => {
    const name = draft.name as string;
    const cycle = cycles.findIndex((members) => members.includes(name));
    const component = {
      name,
      index,
      definition: definitionOf(draft) as Definition,
      firstTask,
      tasks,
      inputs: Object.freeze(edges.filter(({ target }) => target === name)),
      outputs: Object.freeze(edges.filter(({ source }) => source === name)),
      cycle: cycle < 0 ? undefined : cycle,
      config,
    };
    firstTask += tasks;
    return Object.freeze(component);
  });
  return Object.freeze(components);
}
