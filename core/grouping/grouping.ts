/**
 * A grouping picks, for a tuple on one edge, which of the target's tasks get it. Pure: how much room each target has
 * is an argument.
 */

/** `choose` says: every target. */
export const EVERY_TASK = -1;

export interface Grouping {
  /** index of the target task, from 0, or EVERY_TASK */
  choose(values: Record<string, unknown>): number;
  /**
   * A batch has left: a grouping that is free to choose may go on to another target. `free`: which share of what a target
   * could take is free, 1 all, ≤ 0 none.
   */
  moveOn(free: (index: number) => number): void;
  /** May a tuple leave when only some targets have room? Then `moveOn` finds one of them. */
  readonly needsEvery: boolean;
}
