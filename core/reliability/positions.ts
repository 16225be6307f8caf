/**
 * How far everything is complete: tuples are numbered as they are emitted, complete in any order, and the position is
 * that of the last one before the first gap.
 */
import type { Position } from '../topology/definition.js';

/** Completed tuples behind one slow tuple: beyond this the spout waits. 9 bytes each while they wait. */
export const MAX_UNSTORED = 1 << 20;

export class Positions {
  /** everything before is complete; undefined until something with a position is */
  position: Position | undefined;
  /** `position` has changed since `take` */
  changed = false;

  #done = new Uint8Array(1024);
  #positions: (Position | undefined)[] = new Array(1024);
  /** number of the first tuple that is not complete, and of the next to be emitted */
  #head = 0;
  #next = 0;

  constructor(position: Position | undefined) {
    this.position = position;
  }

  get full(): boolean {
    return this.#next - this.#head >= MAX_UNSTORED;
  }

  /** The next tuple was emitted, with the position behind it if it has one; returns its number, from 0. */
  emitted(position: Position | undefined): number {
    const mask = this.#done.length - 1;
    if (this.#next - this.#head === this.#done.length) {
      this.#grow();
      return this.emitted(position);
    }
    const at = this.#next & mask;
    this.#done[at] = 0;
    this.#positions[at] = position;
    return this.#next++;
  }

  completed(number: number): void {
    const mask = this.#done.length - 1;
    this.#done[number & mask] = 1;
    while (this.#head < this.#next && this.#done[this.#head & mask] === 1) {
      const position = this.#positions[this.#head & mask];
      this.#positions[this.#head & mask] = undefined;
      if (position !== undefined) {
        this.position = position;
        this.changed = true;
      }
      this.#head += 1;
    }
  }

  #grow(): void {
    const size = this.#done.length;
    const done = new Uint8Array(size * 2);
    const positions: (Position | undefined)[] = new Array(size * 2);
    for (let number = this.#head; number < this.#next; number++) {
      done[number & (size * 2 - 1)] = this.#done[number & (size - 1)];
      positions[number & (size * 2 - 1)] = this.#positions[number & (size - 1)];
    }
    this.#done = done;
    this.#positions = positions;
  }
}
