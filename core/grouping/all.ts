import { EVERY_TASK, type Grouping, roomAtEvery } from './grouping.js';

/** Every task of the target gets a copy. */
export class AllGrouping implements Grouping {
  readonly #targets: number;

  constructor(targets: number) {
    this.#targets = targets;
  }

  choose(): number {
    return EVERY_TASK;
  }
  moveOn(): void {}
  hasRoom(roomAt: (index: number) => boolean): boolean {
    return roomAtEvery(this.#targets, roomAt);
  }
}
