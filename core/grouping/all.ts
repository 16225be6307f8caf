import { EVERY_TASK, type Grouping } from './grouping.js';

/** Every task of the target gets a copy. */
export class AllGrouping implements Grouping {
  readonly needsEvery = true;
  choose(): number {
    return EVERY_TASK;
  }
  moveOn(): void {}
}
