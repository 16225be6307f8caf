import { type Assignment, assign } from '../../core/cluster/assignment.js';
import type { ComponentPlan, TopologyPlan } from '../../core/topology/definition.js';

/** A plan, as it is going to be run. */
export interface Setting {
  readonly plan: TopologyPlan;
  readonly workers: 'task' | number;
  readonly ackers: number;
  readonly assignment: Assignment;
  component(name: string): ComponentPlan;
  /** number of the process that hosts this task */
  workerOf(task: number): number;
}

export function settingOf(plan: TopologyPlan, workers: 'task' | number, ackers: number): Setting {
  const assignment = assign(plan, ackers, workers);
  const components = new Map(plan.components.map((component) => [component.name, component]));
  const hosts = new Map(assignment.workers.flatMap(({ worker, tasks }) => tasks.map(({ task }) => [task, worker])));
  return {
    plan,
    workers,
    ackers,
    assignment,
    component: (name) => components.get(name) as ComponentPlan,
    workerOf: (task) => hosts.get(task) as number,
  };
}

/** All numbers of a component's tasks. */
export function tasksOf({ firstTask, tasks }: ComponentPlan): readonly number[] {
  return Array.from({ length: tasks }, (_, index) => firstTask + index);
}
