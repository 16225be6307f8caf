/**
 * Tuples that may kill the process that executes them: one whose last executor died is announced before its execute, and
 * one that was announced at too many deaths is not executed any more.
 */
import { StableId } from '../tuple/stable-ids.js';
import { type Batch, META, metaReason } from '../wire/batch.js';
import type { TaskEnv } from './env.js';
import { REASONS } from './origin.js';

const WORKER_LOST = REASONS.indexOf('worker-lost');

/** What earlier deaths of its process mean for a task. */
export interface Suspicion {
  /** every tuple is announced before its execute */
  readonly announce: boolean;
  /** stable ids of tuples that are not executed */
  readonly poison: readonly string[];
}

export class Suspects {
  readonly #env: TaskEnv;
  readonly #all: boolean;
  readonly #poison: Set<string>;
  #announced = false;

  constructor(env: TaskEnv, { announce, poison }: Suspicion) {
    this.#env = env;
    this.#all = announce;
    this.#poison = new Set(poison);
  }

  /** The supervisor believes that an announced tuple is being executed. */
  get announced(): boolean {
    return this.#announced;
  }

  /** Must tuples of the group at this position be announced? */
  mustAnnounce({ groups }: Batch, at: number): boolean {
    return this.#all || (metaReason(groups[at + META]) === WORKER_LOST && groups[at] !== 0);
  }

  announce(batch: Batch, row: number): void {
    this.#announced = true;
    const root = { hi: 0, lo: 0 };
    // of several roots one will do: who executes the tuple again refuses it by its id, for all of them
    batch.forEachRootAt(batch.groupAt(row), (hi, lo) => Object.assign(root, { hi, lo }));
    this.#env.report.suspect({ ...root, id: idOf(batch, row), task: this.#env.task });
  }

  /** What was announced is over, and nobody has died of it. */
  survived(): void {
    if (!this.#announced) return;
    this.#announced = false;
    this.#env.report.suspect(undefined);
  }

  /** From now on this tuple is not executed any more: it has killed its process again and again. */
  quarantine(id: string): void {
    this.#poison.add(id);
  }

  isPoison(batch: Batch, row: number): boolean {
    return this.#poison.size > 0 && this.#poison.has(idOf(batch, row));
  }
}

function idOf(batch: Batch, row: number): string {
  return batch.stableId(row, new StableId()).toString();
}
