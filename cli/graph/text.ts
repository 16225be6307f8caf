/** `--format text`: for people, in 80 columns. */
import type { ComponentPlan, TopologyPlan } from '../../core/topology/definition.js';
import {
  fieldsText,
  groupingText,
  roleOf,
  sizeText,
  sourceText,
  targetText,
  taskNumbers,
  tasksText,
} from './describe.js';
import { inFlowOrder } from './order.js';
import { wrap } from './wrap.js';

const MARKS = { spout: '▶', bolt: '●', sink: '■' } as const;

/** A paragraph for each component, in the direction of the tuples: what it takes, and the streams that it declares. */
export function textGraph(plan: TopologyPlan): string {
  const blocks = inFlowOrder(plan).map((component) => componentLines(component).join('\n'));
  const cycles = plan.cycles.map((names, at) =>
    wrap(`cycle ${at + 1}: `, `${names.join(', ')} ${names.length === 1 ? 'feeds itself' : 'feed each other'}`).join(
      '\n',
    ),
  );
  const head = wrap('', `${plan.name}: ${sizeText(plan)}`).join('\n');
  return `${[head, ...blocks, ...(cycles.length > 0 ? [cycles.join('\n')] : [])].join('\n\n')}\n`;
}

function componentLines(component: ComponentPlan): string[] {
  const { name, definition, inputs, outputs, cycle } = component;
  const role = roleOf(component);
  const numbers =
    component.tasks === 1 ? `task ${taskNumbers(component)}` : `${tasksText(component)} (${taskNumbers(component)})`;
  const lines = wrap(
    `${MARKS[role]} `,
    `${name}  ${role}, ${numbers}${cycle === undefined ? '' : `, in cycle ${cycle + 1}`}`,
  );

  for (const edge of inputs) {
    const into = edge.input === 'default' ? '' : `  into ${edge.input}`;
    const arrow = edge.feedback ? '    ⇠ ' : '    ← ';
    lines.push(
      ...wrap(
        arrow,
        `${sourceText(edge)}  ${groupingText(edge.grouping)}${into}${edge.feedback ? '  (feedback)' : ''}`,
      ),
    );
  }
  for (const { name: stream, fields, direct } of definition.streams) {
    const taken = outputs.some((edge) => edge.stream.name === stream);
    const notes = [...(direct ? ['direct'] : []), ...(taken ? [] : ['not taken by anyone'])];
    lines.push(...wrap(`    ${stream}  `, `${fieldsText(fields)}${notes.length > 0 ? `  (${notes.join(', ')})` : ''}`));
  }
  for (const edge of outputs) {
    if (edge.feedback) lines.push(...wrap('    ⇢ ', `back to ${targetText(edge)}`));
  }
  return lines;
}
