import type { Grouping } from './grouping.js';

/** The task with the lowest number gets everything. */
export class GlobalGrouping implements Grouping {
  choose(): number {
    return 0;
  }
  moveOn(): void {}
  hasRoom(roomAt: (index: number) => boolean): boolean {
    return roomAt(0);
  }
}
