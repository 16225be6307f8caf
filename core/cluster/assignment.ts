/** Which process hosts which tasks. Pure. */
import { ACKER_COMPONENT, type TopologyPlan } from '../topology/definition.js';

/** Processes of one run; more than a machine takes. */
export const MAX_WORKERS = 1024;
/** Root ids carry twelve bits of task, so together with all others an acker's number stays below. */
export const MAX_ACKERS = 64;

export interface TaskPlace {
  readonly task: number;
  readonly component: string;
  readonly index: number;
}

export interface WorkerPlace {
  readonly worker: number;
  readonly tasks: readonly TaskPlace[];
  /** `squall <topology> <component>[<task>],…`: what `ps` shows */
  readonly title: string;
}

export interface Assignment {
  readonly workers: readonly WorkerPlace[];
  /** task numbers of the ackers, after all others */
  readonly ackers: readonly number[];
  readonly tasks: readonly TaskPlace[];
}

/**
 * 'task': a process for each. A number: tasks are dealt round, so that the tasks of one component are spread and
 * neighbours in the graph often share a process.
 */
export function assign(plan: TopologyPlan, ackerCount: number, workers: 'task' | number): Assignment {
  const tasks: TaskPlace[] = [];
  for (const { name, firstTask, tasks: count } of plan.components) {
    for (let index = 0; index < count; index++) tasks.push({ task: firstTask + index, component: name, index });
  }
  const ackers: number[] = [];
  for (let index = 0; index < ackerCount; index++) {
    const task = tasks.length + 1;
    tasks.push({ task, component: ACKER_COMPONENT, index });
    ackers.push(task);
  }
  const count = workers === 'task' ? tasks.length : Math.min(workers, tasks.length);
  const places = Array.from({ length: count }, (_, worker) => {
    const own = tasks.filter((_task, at) => at % count === worker);
    const names = own.map(({ component, task }) => `${component}[${task}]`);
    return { worker, tasks: own, title: `squall ${plan.name} ${names.join(',')}` };
  });
  return { workers: places, ackers, tasks };
}
