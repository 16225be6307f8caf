/** Losses whose consequences a ledger has still to draw: what is unaccounted for a while after each is replayed. */
import type { Failure } from '../topology/definition.js';

/** After a loss, trees have this long to complete, and tasks to claim what they hold; then the rest is replayed. */
export const SWEEP_AFTER_MS = 600;

export interface Sweep {
  readonly reason: 'worker-lost' | 'link-lost' | 'acker-lost';
  /** attempts from before this are concerned */
  readonly lossAt: number;
  /** a claim after this spares them */
  readonly before: number;
  readonly failure: Partial<Failure>;
  /** not before this, and not before the task below is ready again */
  dueAt: number;
  readonly waitsFor: number | undefined;
}

export class Sweeps {
  #all: Sweep[] = [];

  /** Nobody is away. */
  get allBack(): boolean {
    return this.#all.every(({ dueAt }) => dueAt !== Number.POSITIVE_INFINITY);
  }

  /** A process died: once its successor is ready and had time to tell, what is unaccounted for is lost. */
  taskGone(task: number, component: string, isAcker: boolean, now: number): void {
    const reason = isAcker ? 'acker-lost' : 'worker-lost';
    const failure = { component, task };
    this.#all.push({ reason, lossAt: now, before: now, failure, dueAt: Number.POSITIVE_INFINITY, waitsFor: task });
  }

  taskReady(task: number, now: number): void {
    for (const sweep of this.#all) {
      if (sweep.waitsFor !== task) continue;
      // an acker's state is gone for certain: its roots need no time to complete
      sweep.dueAt = sweep.reason === 'acker-lost' ? now : now + SWEEP_AFTER_MS;
    }
  }

  /** Something was lost on a link. */
  linkLost(failure: Partial<Failure>, now: number): void {
    this.#all = this.#all.filter(({ reason }) => reason !== 'link-lost');
    const dueAt = now + SWEEP_AFTER_MS;
    this.#all.push({ reason: 'link-lost', lossAt: now, before: now, failure, dueAt, waitsFor: undefined });
  }

  /** Some of its attempts were spared: they are looked at again, less and less often, when everybody was asked anew. */
  again({ reason, lossAt, before, failure }: Sweep, now: number, longestMs: number): void {
    const afterMs = Math.max(SWEEP_AFTER_MS, Math.min(longestMs, (now - before) * 2));
    this.#all.push({ reason, lossAt, before: now, failure, dueAt: now + afterMs, waitsFor: undefined });
  }

  takeDue(now: number): readonly Sweep[] {
    const due = this.#all.filter(({ dueAt }) => dueAt <= now);
    if (due.length > 0) this.#all = this.#all.filter(({ dueAt }) => dueAt > now);
    return due;
  }
}
