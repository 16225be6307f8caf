import type { ComponentPlan, TopologyPlan } from '../../core/topology/definition.js';

/**
 * The components, sources before what takes from them, feedback edges aside; where that leaves a choice, as declared.
 * (Kahn's algorithm; plans are small, so each step looks for the first that is ready.)
 */
export function inFlowOrder({ components, edges }: TopologyPlan): readonly ComponentPlan[] {
  const ordered: ComponentPlan[] = [];
  const placed = new Set<string>();
  const isReady = ({ name }: ComponentPlan) =>
    edges.every(({ source, target, feedback }) => feedback || target !== name || placed.has(source));
  while (ordered.length < components.length) {
    const left = components.filter(({ name }) => !placed.has(name));
    // No plan has a cycle without a feedback edge; one that had would still be drawn.
    const next = left.find(isReady) ?? left[0];
    ordered.push(next);
    placed.add(next.name);
  }
  return ordered;
}
