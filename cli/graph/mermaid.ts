/** `--format mermaid`: a flowchart, which GitHub and others draw from a ```mermaid block. */
import type { TopologyPlan } from '../../core/topology/definition.js';
import { edgeLabel, roleOf, tasksText } from './describe.js';
import { inFlowOrder } from './order.js';

/** Opening and closing of the shapes. */
const SHAPES = { spout: ['([', '])'], bolt: ['[', ']'], sink: ['[(', ')]'] } as const;

/** Dotted arrows are feedback. Nodes are called by their number: `end` and `style` are words of the language. */
export function mermaidGraph(plan: TopologyPlan): string {
  const ids = new Map(plan.components.map(({ name, index }) => [name, `c${index}`]));
  const lines = ['flowchart LR'];
  for (const component of inFlowOrder(plan)) {
    const role = roleOf(component);
    const [open, close] = SHAPES[role];
    const label = `${escaped(component.name)}<br/>${role}, ${tasksText(component)}`;
    lines.push(`  ${ids.get(component.name)}${open}"${label}"${close}`);
  }
  for (const edge of plan.edges) {
    const arrow = edge.feedback ? '-.->' : '-->';
    lines.push(`  ${ids.get(edge.source)} ${arrow}|"${escaped(edgeLabel(edge))}"| ${ids.get(edge.target)}`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Everything that means something to Mermaid, to its Markdown or to HTML as a character's number, which it decodes when
 * it has parsed: quotes, #, ;, `, \, *, <, &, and what nobody has thought of.
 */
function escaped(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} _,.()-]/gu, (char) => `#${char.codePointAt(0)};`);
}
