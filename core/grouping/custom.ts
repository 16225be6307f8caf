import { SquallError, shown } from '../errors.js';
import { isPromise } from '../topology/component.js';
import type { ChooseTasks } from '../topology/definition.js';
import { CHOSEN_TASKS, type Grouping, roomAtEvery } from './grouping.js';

/**
 * The author's function chooses: one task, several, or none. What it throws comes out of `choose`; so does a SquallError
 * where it returned something else.
 */
export class CustomGrouping implements Grouping {
  readonly chosen: number[] = [];
  readonly #targets: number;
  readonly #chooseTasks: ChooseTasks;
  readonly #where: string;
  /** by target: number of the last list it was in, which tells what a list names twice */
  readonly #listed: Float64Array;
  #lists = 0;

  /** `where`: the edge, for errors. */
  constructor(targets: number, chooseTasks: ChooseTasks, where: string) {
    this.#targets = targets;
    this.#chooseTasks = chooseTasks;
    this.#where = where;
    this.#listed = new Float64Array(targets);
  }

  choose(values: Record<string, unknown>): number {
    const answer: unknown = this.#chooseTasks(values, this.#targets);
    if (this.#isIndex(answer)) return answer;
    if (!Array.isArray(answer)) throw this.#refusal(answer);
    this.chosen.length = 0;
    this.#lists += 1;
    for (const index of answer as unknown[]) {
      if (!this.#isIndex(index)) throw this.#refusal(answer);
      if (this.#listed[index] === this.#lists) continue;
      this.#listed[index] = this.#lists;
      this.chosen.push(index);
    }
    return CHOSEN_TASKS;
  }
  moveOn(): void {}
  hasRoom(roomAt: (index: number) => boolean): boolean {
    return roomAtEvery(this.#targets, roomAt);
  }

  #isIndex(answer: unknown): answer is number {
    return Number.isInteger(answer) && (answer as number) >= 0 && (answer as number) < this.#targets;
  }

  #refusal(answer: unknown): SquallError {
    const range = this.#targets === 1 ? 'the only one is 0' : `0 to ${this.#targets - 1}`;
    const promise = isPromise(answer);
    return new SquallError(
      'ERR_SQUALL_GROUPING',
      `${this.#where}: a custom grouping's function must return the index of a task (${range}), or a list of such indexes, ` +
        `which may be empty; it returned ${promise ? 'a promise. It cannot be async' : shown(answer)}.`,
      { facts: { returned: answer, tasks: this.#targets, where: this.#where } },
    );
  }
}
