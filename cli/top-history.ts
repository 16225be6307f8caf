/** What a run looked like lately, as far as it was watched. Pure: the time is an argument. */
import type { RunSnapshot } from '../core/cluster/run-types.js';
import { settled } from './component-table.js';
import { rateCounts } from './progress-lines.js';
import { Rates } from './rates.js';

/** Restarts are remembered for so long: the longest wait between two of a crash loop is below it. */
const RESTARTS_MS = 30_000;
/** Pending tuples are compared with what they were so long ago. */
const GROWTH_MS = 10_000;
/** What is looked at lasts no longer than this, four looks a second. */
const MAX_SAMPLES = 256;

interface Sample {
  readonly atMs: number;
  readonly pending: number;
  readonly restarts: number;
}

export class RunHistory {
  readonly rates = new Rates();
  #latest: RunSnapshot | undefined;
  #heardAt = 0;
  #samples: Sample[] = [];
  /** when a component's count was last seen to grow, or first seen */
  readonly #movedAt = new Map<string, number>();
  #counts: Readonly<Record<string, number>> = {};
  /** by task */
  readonly #pids = new Map<number, number>();
  /** new processes that were seen, by task's name */
  readonly #births = new Map<string, number[]>();

  get latest(): RunSnapshot | undefined {
    return this.#latest;
  }

  add(atMs: number, snapshot: RunSnapshot): void {
    // What stood still before it ran, or while it was paused, is no stall.
    if (this.#latest?.phase !== snapshot.phase) {
      this.#movedAt.clear();
      this.#samples = [];
    }
    this.#latest = snapshot;
    this.#heardAt = atMs;
    this.rates.add(atMs, rateCounts(snapshot));
    const counts = settled(snapshot);
    for (const [name, value] of Object.entries(counts)) {
      if (!this.#movedAt.has(name) || value !== this.#counts[name]) this.#movedAt.set(name, atMs);
    }
    this.#counts = counts;
    for (const { task, component, pid } of snapshot.tasks) {
      if (pid === undefined) continue;
      const before = this.#pids.get(task);
      if (before !== undefined && before !== pid) {
        const births = (this.#births.get(component) ?? []).filter((birth) => birth > atMs - RESTARTS_MS);
        this.#births.set(component, [...births, atMs]);
      }
      this.#pids.set(task, pid);
    }
    const pending = Object.values(snapshot.spouts).reduce((sum, spout) => sum + spout.pending, 0);
    this.#samples.push({ atMs, pending, restarts: snapshot.workers.restarts });
    // One that is as old as is asked for stays, to compare with.
    while (
      this.#samples.length > MAX_SAMPLES ||
      (this.#samples.length > 2 && this.#samples[1].atMs <= atMs - RESTARTS_MS)
    ) {
      this.#samples.shift();
    }
  }

  /** Since the run was last heard of. */
  silentMs(nowMs: number): number {
    return this.#latest === undefined ? 0 : nowMs - this.#heardAt;
  }

  /** For how long the component was seen to complete, or execute, nothing. */
  stillMs(component: string): number {
    return this.#heardAt - (this.#movedAt.get(component) ?? this.#heardAt);
  }

  /** How often a task's process was replaced by another lately, and was seen to be. */
  restartsOf(task: string): number {
    return (this.#births.get(task) ?? []).filter((birth) => birth > this.#heardAt - RESTARTS_MS).length;
  }

  /** Restarts of all processes while the run was watched, at most the last half minute. */
  restartsLately(): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    return first === undefined || last === undefined ? 0 : last.restarts - first.restarts;
  }

  /** Pending tuples ten seconds ago and now; undefined while it was not watched for so long. */
  pendingGrowth(): { readonly before: number; readonly now: number } | undefined {
    const last = this.#samples.at(-1);
    const before = this.#samples.findLast(({ atMs }) => last !== undefined && atMs <= last.atMs - GROWTH_MS);
    return before === undefined || last === undefined ? undefined : { before: before.pending, now: last.pending };
  }
}
