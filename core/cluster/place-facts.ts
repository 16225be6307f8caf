/** What a worker's tasks mean for those who watch over its process. */
import { ACKER_COMPONENT, type TopologyPlan } from '../topology/definition.js';
import type { WorkerPlace } from './assignment.js';

/** The longest that its event loop may be blocked. */
export function executeTimeoutMs({ components, config }: TopologyPlan, { tasks }: WorkerPlace): number {
  const limits = tasks.map(({ component }) =>
    component === ACKER_COMPONENT
      ? config.messageTimeoutMs * 10
      : (components.find(({ name }) => name === component)?.config.executeTimeoutMs ?? Number.POSITIVE_INFINITY),
  );
  return Math.min(...limits);
}

/** Numbers of its tasks that are spouts. */
export function spoutsIn({ components }: TopologyPlan, { tasks }: WorkerPlace): readonly number[] {
  const spouts = components.filter(({ definition }) => definition.kind === 'spout').map(({ name }) => name);
  return tasks.filter(({ component }) => spouts.includes(component)).map(({ task }) => task);
}
