import { type Grouping, roomAtEvery } from './grouping.js';

/** The emitter names the task, with `emitDirect`: its owner looks the task up and never asks. */
export class DirectGrouping implements Grouping {
  readonly #targets: number;

  constructor(targets: number) {
    this.#targets = targets;
  }

  choose(): never {
    throw new Error('the task of a direct stream is named by emitDirect; there is nothing to choose');
  }
  moveOn(): void {}
  hasRoom(roomAt: (index: number) => boolean): boolean {
    return roomAtEvery(this.#targets, roomAt);
  }
}
