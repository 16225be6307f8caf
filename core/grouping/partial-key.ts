import { type Grouping, roomAtEvery } from './grouping.js';
import { hashString, hashValues } from './hash.js';

/** Seeds of the two hashes. Fixed for good: the two tasks of a key are the same in every process, run and release. */
const FIRST_SEED = 0x5eed_0001;
const SECOND_SEED = 0x5eed_0002;

/**
 * Equal values of the keys meet in one of two tasks, whichever this sender has used less: a frequent key burdens two tasks
 * instead of one, and what comes after merges two partial results. Nasir et al., "The Power of Both Choices: Practical
 * Load Balancing for Distributed Stream Processing Engines", ICDE 2015: counts of one's own suffice, no task is asked.
 */
export class PartialKeyGrouping implements Grouping {
  readonly #targets: number;
  readonly #keys: readonly string[];
  readonly #only: string;
  /** tuples that this sender gave each target: doubles, exact up to 2^53 */
  readonly #given: Float64Array;

  constructor(targets: number, keys: readonly string[]) {
    this.#targets = targets;
    this.#keys = keys;
    this.#only = keys.length === 1 ? keys[0] : '';
    this.#given = new Float64Array(targets);
  }

  choose(values: Record<string, unknown>): number {
    const targets = this.#targets;
    if (targets === 1) return 0;
    let first: number;
    let second: number;
    const only = this.#only === '' ? undefined : values[this.#only];
    if (typeof only === 'string') {
      first = hashString(only, FIRST_SEED) % targets;
      second = hashString(only, SECOND_SEED) % targets;
    } else {
      const key = this.#keys.map((name) => values[name]);
      first = hashValues(key, FIRST_SEED) % targets;
      second = hashValues(key, SECOND_SEED) % targets;
    }
    if (second === first) second = (second + 1) % targets;
    const given = this.#given;
    const chosen = given[second] < given[first] ? second : first;
    given[chosen] += 1;
    return chosen;
  }
  moveOn(): void {}
  hasRoom(roomAt: (index: number) => boolean): boolean {
    return roomAtEvery(this.#targets, roomAt);
  }
}
