import { EVERY_TASK, type Grouping } from './grouping.js';

/** Every task of the target gets a copy. */
export class AllGrouping implements Grouping {
  readonly isFree = false;
  readonly #targets: number;

  constructor(targets: number) {
    this.#targets = targets;
  }

  choose(): number {
    return EVERY_TASK;
  }
  moveOn(): void {}
  hasRoom(roomAt: (index: number) => boolean): boolean {
    for (let index = 0; index < this.#targets; index++) if (!roomAt(index)) return false;
    return true;
  }
}
