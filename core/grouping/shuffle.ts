import type { Grouping } from './grouping.js';

/**
 * Any task will do. Stays with one target until its batch leaves, so that frames are full, then goes to the one with
 * the most of its window free, which is the one where a tuple waits the least; where several are as idle, the next in turn.
 */
export class ShuffleGrouping implements Grouping {
  readonly isFree = true;
  readonly #targets: number;
  #at: number;

  constructor(targets: number, offset: number) {
    this.#targets = targets;
    this.#at = offset % targets;
  }

  choose(): number {
    return this.#at;
  }

  hasRoom(roomAt: (index: number) => boolean): boolean {
    for (let index = 0; index < this.#targets; index++) if (roomAt(index)) return true;
    return false;
  }

  moveOn(free: (index: number) => number): void {
    if (this.#targets === 1) return;
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let step = 1; step <= this.#targets; step++) {
      const index = (this.#at + step) % this.#targets;
      const has = free(index);
      if (has > most) {
        best = index;
        most = has;
      }
    }
    this.#at = best;
  }
}
