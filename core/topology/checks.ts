/** The checks of `planOf` on one component: each reports what is wrong and returns what is right. */
import { shown } from '../errors.js';
import { flushProblem } from './bolt.js';
import { COMPONENT, isComponent } from './component.js';
import type { BoltDefinition, ComponentConfig, SpoutDefinition } from './definition.js';
import type { ComponentDraft } from './draft.js';
import { checkInteger, checkOptions, type Report } from './options.js';

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
  const { tasks } = checkOptions(options, ['tasks', 'config'], 'options', report);
  return checkInteger(tasks, TASKS, 1, 'tasks', report);
}

/** Do the hooks of a bolt, where they can be seen, go with its settings? */
export function checkHooks({ component }: ComponentDraft, config: ComponentConfig, report: Report): void {
  if (!isComponent(component) || component.kind !== 'bolt') return;
  const { hooks } = component[COMPONENT];
  if (!hooks) return;
  const hasTick = hooks.includes('tick');
  if (hasTick && config.tickEveryMs === undefined) report('tick: is never called without tickEveryMs; add it');
  if (!hasTick && config.tickEveryMs !== undefined) report('tickEveryMs: there is no tick(out) to call; add it');
  const problem = hooks.includes('flush') ? flushProblem(component.ack, config.concurrency) : undefined;
  if (problem) report(problem);
}
