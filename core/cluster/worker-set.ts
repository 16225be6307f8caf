/** The workers of a run: who is there, and who is to be told what. */
import type { PeerState, ToWorker, WorkerError } from '../runtime/protocol.js';
import type { TopologyPlan } from '../topology/definition.js';
import type { WorkerPlace } from './assignment.js';
import { executeTimeoutMs } from './place-facts.js';
import { RestartPolicy } from './restart-policy.js';
import type { WorkerProcess } from './worker-process.js';

/** A worker, in its present incarnation. */
export interface WorkerState {
  readonly place: WorkerPlace;
  readonly policy: RestartPolicy;
  process: WorkerProcess | undefined;
  epoch: number;
  state: 'starting' | 'ready' | 'gone' | 'stopped';
  readyAt: number;
  fatal: WorkerError | undefined;
  restartTimer: NodeJS.Timeout | undefined;
  /** on the monotonic clock, ms */
  restartAt: number;
  /** what its process died of last, and how often */
  died: { readonly message: string; readonly at: number; readonly count: number } | undefined;
}

export class WorkerSet {
  readonly all: readonly WorkerState[];

  constructor(places: readonly WorkerPlace[]) {
    this.all = places.map((place) => ({
      place,
      policy: new RestartPolicy(),
      process: undefined,
      epoch: 0,
      state: 'gone',
      readyAt: 0,
      fatal: undefined,
      restartTimer: undefined,
      restartAt: 0,
      died: undefined,
    }));
  }

  get allReady(): boolean {
    return this.all.every(({ state }) => state === 'ready');
  }
  get allExited(): boolean {
    return this.all.every(({ process }) => process === undefined || process.exited);
  }

  /** Tells everybody; `tasks`: those who host one of them. */
  tell(message: ToWorker, tasks?: readonly number[]): void {
    for (const worker of this.all) if (tasks === undefined || hosts(worker, tasks)) worker.process?.send(message);
  }

  /** The tasks that are ready. */
  peers(): PeerState[] {
    return this.all.filter(({ state }) => state === 'ready').flatMap((worker) => statesOf(worker, 'ready'));
  }

  /** Tells all others that this worker's tasks have come or gone. */
  broadcast(about: WorkerState, state: PeerState['state']): void {
    const peers = statesOf(about, state);
    for (const worker of this.all) {
      if (worker !== about && (worker.state === 'ready' || worker.state === 'starting'))
        worker.process?.send({ type: 'peers', peers });
    }
  }

  /** Ends processes whose event loop has not turned for longer than an execute of theirs may last. */
  killBlocked(plan: TopologyPlan): void {
    for (const { process, place } of this.all) {
      if (process === undefined || process.exited || process.blockedMs === 0) continue;
      const limitMs = executeTimeoutMs(plan, place);
      if (process.blockedMs > limitMs)
        process.kill(`its event loop was blocked for more than executeTimeoutMs = ${limitMs}`);
    }
  }
}

export function hosts({ place }: WorkerState, tasks: readonly number[]): boolean {
  return place.tasks.some(({ task }) => tasks.includes(task));
}

function statesOf({ place, epoch }: WorkerState, state: PeerState['state']): PeerState[] {
  return place.tasks.map(({ task }) => ({ task, epoch, state }));
}
