import type { Grouping, TargetLoads } from './grouping.js';

/**
 * A run lifts its target this far above the mean wait. Measured in the model of test/grouping/flow.ts: at 1.1 batches are a
 * third smaller, from 1.5 on other targets run dry meanwhile.
 */
const LIFT = 1.25;

/**
 * Any of its targets will do: shuffle, none and localOrShuffle. Evens out how long a tuple would wait, so that each target
 * gets what it can do, and a slow one holds up nobody but itself.
 *
 * The wait at a target is what this sender has on the way to it ÷ its speed. The target with the shortest gets a run of
 * tuples, so that batches are full; the run lifts its wait to a little above the mean, so it is the longer the more is on
 * the way, and where there is little, tuples are dealt one by one. Where nothing is on the way the debts decide, which
 * deals in proportion to speed: a slow target still gets its share, and so is measured again.
 */
export class ShuffleGrouping implements Grouping {
  readonly #targets: readonly number[];
  readonly #loads: TargetLoads;
  /** by position in `#targets`: what its runs were worth in time, beyond those of the target with the smallest sum */
  readonly #debts: Float64Array;
  /** scratch of `#next` */
  readonly #speeds: Float64Array;
  readonly #waits: Float64Array;
  /** position in `#targets` of the present run, and how much of it is still to come */
  #at: number;
  #left: number;
  #target: number;

  /** `targets`: indexes to choose from, at least one. `offset` spreads the first choice of several senders. */
  constructor(targets: readonly number[], offset: number, loads: TargetLoads) {
    this.#targets = targets;
    this.#loads = loads;
    this.#debts = new Float64Array(targets.length);
    this.#speeds = new Float64Array(targets.length);
    this.#waits = new Float64Array(targets.length);
    // the first choice goes one on from here
    this.#at = (offset + targets.length - 1) % targets.length;
    this.#target = targets[this.#at];
    this.#left = targets.length === 1 ? Number.POSITIVE_INFINITY : 0;
  }

  choose(): number {
    if (this.#left === 0) this.#next();
    this.#left -= 1;
    return this.#target;
  }

  moveOn(): void {
    if (this.#targets.length > 1) this.#left = 0;
  }

  hasRoom(roomAt: (index: number) => boolean): boolean {
    for (const index of this.#targets) if (roomAt(index)) return true;
    return false;
  }

  /** Begins a run at the target with the shortest wait; the next in turn where several are alike. */
  #next(): void {
    const meanWait = this.#measure();
    const waits = this.#waits;
    const speeds = this.#speeds;
    const debts = this.#debts;
    const count = waits.length;
    let best = (this.#at + 1) % count;
    for (let step = 2; step <= count; step++) {
      const at = (this.#at + step) % count;
      if (waits[at] + debts[at] < waits[best] + debts[best]) best = at;
    }
    // −Infinity where none has room
    const run = Math.max(1, Math.floor((LIFT * meanWait - waits[best]) * speeds[best]));
    this.#owe(best, run);
    this.#at = best;
    this.#left = run;
    this.#target = this.#targets[best];
  }

  /** Looks at all targets: their waits, their speeds, and the wait if all that is on the way were spread evenly. */
  #measure(): number {
    const targets = this.#targets;
    const speeds = this.#speeds;
    let known = 0;
    let sum = 0;
    for (let at = 0; at < targets.length; at++) {
      const speed = this.#loads.speed(targets[at]);
      speeds[at] = speed;
      if (speed <= 0) continue;
      known += 1;
      sum += speed;
    }
    const usual = known === 0 ? 1 : sum / known;
    let onTheWay = 0;
    let speed = 0;
    for (let at = 0; at < targets.length; at++) {
      if (speeds[at] <= 0) speeds[at] = usual;
      const load = this.#loads.load(targets[at]);
      this.#waits[at] = load / speeds[at];
      if (load === Number.POSITIVE_INFINITY) continue;
      onTheWay += load;
      speed += speeds[at];
    }
    return speed === 0 ? 0 : onTheWay / speed;
  }

  /** Debts tell targets apart that are idle: the time of one tuple at the slowest is all that takes. */
  #owe(best: number, run: number): void {
    const debts = this.#debts;
    const speeds = this.#speeds;
    debts[best] += run / speeds[best];
    let least = debts[0];
    let slowest = speeds[0];
    for (let at = 1; at < debts.length; at++) {
      if (debts[at] < least) least = debts[at];
      if (speeds[at] < slowest) slowest = speeds[at];
    }
    for (let at = 0; at < debts.length; at++) debts[at] = Math.min(debts[at] - least, 1 / slowest);
  }
}
