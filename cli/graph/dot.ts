/** `--format dot`: Graphviz, as in `squall graph FILE --format dot | dot -Tsvg`. */
import type { TopologyPlan } from '../../core/topology/definition.js';
import { edgeLabel, roleOf, tasksText } from './describe.js';
import { inFlowOrder } from './order.js';

const SHAPES = { spout: 'ellipse', bolt: 'box', sink: 'cylinder' } as const;

/** Dashed arrows are feedback; they do not pull their target behind their source. */
export function dotGraph(plan: TopologyPlan): string {
  const lines = [`digraph ${quote(plan.name)} {`, '  rankdir=LR;'];
  for (const component of inFlowOrder(plan)) {
    const role = roleOf(component);
    const label = `${escaped(component.name)}\\n${role}, ${tasksText(component)}`;
    lines.push(`  ${quote(component.name)} [shape=${SHAPES[role]}, label="${label}"];`);
  }
  for (const edge of plan.edges) {
    const style = edge.feedback ? ', style=dashed, constraint=false' : '';
    lines.push(`  ${quote(edge.source)} -> ${quote(edge.target)} [label="${escaped(edgeLabel(edge))}"${style}];`);
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

/** Names of the plan: nothing in them needs more than quotes. */
function quote(name: string): string {
  return `"${name}"`;
}

/** In a label `\N` is the node's name and `&lt;` a character. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('&', '&amp;');
}
