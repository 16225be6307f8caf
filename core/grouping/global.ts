import type { Grouping } from './grouping.js';

/** The task with the lowest number gets everything. */
export class GlobalGrouping implements Grouping {
  readonly needsEvery = true;
  choose(): number {
    return 0;
  }
  moveOn(): void {}
}
