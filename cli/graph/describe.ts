/** What all pictures of a topology say about its parts, in the same words. */
import type { ComponentPlan, EdgePlan, GroupingSpec, TopologyPlan } from '../../core/topology/definition.js';
import { typeName } from '../../core/topology/fields.js';
import { DEFAULT_STREAM } from '../../core/topology/streams.js';
import { clean, plural } from '../format.js';

/** What a bolt's only input is called that has no name of its own. */
const DEFAULT_INPUT = 'default';

/** `sink`: a bolt that nobody takes anything from. */
export type Role = 'spout' | 'bolt' | 'sink';

export function roleOf({ definition, outputs }: ComponentPlan): Role {
  if (definition.kind === 'spout') return 'spout';
  return outputs.length === 0 ? 'sink' : 'bolt';
}

/** A field's name bare where nothing can be mistaken, and in quotes otherwise: it may be any text. */
export function fieldText(name: string): string {
  return /^[\p{L}\p{N}_$-]+$/u.test(name) ? name : clean(JSON.stringify(name));
}

/** `word: string, at: nullable(date)` */
export function fieldsText(fields: EdgePlan['stream']['fields']): string {
  return fields.map(({ name, type }) => `${fieldText(name)}: ${clean(typeName(type))}`).join(', ');
}

/** `shuffle`, `fields(word, day)` */
export function groupingText(grouping: GroupingSpec): string {
  return 'keys' in grouping ? `${grouping.kind}(${grouping.keys.map(fieldText).join(', ')})` : grouping.kind;
}

/** `lines`, or `join.errors` where it is not the default stream. */
export function sourceText({ source, stream }: EdgePlan): string {
  return stream.name === DEFAULT_STREAM ? source : `${source}.${stream.name}`;
}

/** `sink`, or `join:tx` where the input has a name. */
export function targetText({ target, input }: EdgePlan): string {
  return input === DEFAULT_INPUT ? target : `${target}:${input}`;
}

/** What stands on the arrow of a diagram: `errors, fields(card), into tx` */
export function edgeLabel({ stream, input, grouping, feedback }: EdgePlan): string {
  const parts = [groupingText(grouping)];
  if (stream.name !== DEFAULT_STREAM) parts.unshift(`stream ${stream.name}`);
  if (input !== DEFAULT_INPUT) parts.push(`into ${input}`);
  if (feedback) parts.push('feedback');
  return parts.join(', ');
}

/** `1 task`, `3 tasks` */
export function tasksText({ tasks }: ComponentPlan): string {
  return plural(tasks, 'task');
}

/** The numbers of its tasks: `4`, `4–6`. */
export function taskNumbers({ firstTask, tasks }: ComponentPlan): string {
  return tasks === 1 ? String(firstTask) : `${firstTask}–${firstTask + tasks - 1}`;
}

/** `1 spout, 3 bolts, 6 tasks, 3 edges` */
export function sizeText({ components, edges }: TopologyPlan): string {
  const spouts = components.filter(({ definition }) => definition.kind === 'spout').length;
  const tasks = components.reduce((sum, component) => sum + component.tasks, 0);
  return [
    plural(spouts, 'spout'),
    plural(components.length - spouts, 'bolt'),
    plural(tasks, 'task'),
    plural(edges.length, 'edge'),
  ].join(', ');
}
