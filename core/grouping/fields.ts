import { type Grouping, roomAtEvery } from './grouping.js';
import { hashString, hashValues } from './hash.js';

/** Equal values of the keys meet in the same task: hash modulo the number of tasks, in every process and every run. */
export class FieldsGrouping implements Grouping {
  readonly #targets: number;
  readonly #keys: readonly string[];
  readonly #only: string;

  constructor(targets: number, keys: readonly string[]) {
    this.#targets = targets;
    this.#keys = keys;
    this.#only = keys.length === 1 ? keys[0] : '';
  }

  choose(values: Record<string, unknown>): number {
    if (this.#targets === 1) return 0;
    if (this.#only !== '') {
      const value = values[this.#only];
      return (typeof value === 'string' ? hashString(value) : hashValues([value])) % this.#targets;
    }
    return hashValues(this.#keys.map((key) => values[key])) % this.#targets;
  }
  moveOn(): void {}
  hasRoom(roomAt: (index: number) => boolean): boolean {
    return roomAtEvery(this.#targets, roomAt);
  }
}
