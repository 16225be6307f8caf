/**
 * A grouping picks, for a tuple on one edge, which of the target's tasks get it. Pure: how much room each target has
 * is an argument.
 */

/** `choose` says: every target. */
export const EVERY_TASK = -1;
/** `choose` says: those in `chosen`, which may be none. */
export const CHOSEN_TASKS = -2;

export interface Grouping {
  /** index of the target task, from 0, or EVERY_TASK, or CHOSEN_TASKS */
  choose(values: Record<string, unknown>): number;
  /** the targets of the last `choose` that returned CHOSEN_TASKS: valid until the next `choose` */
  readonly chosen?: readonly number[];
  /**
   * A batch has left: a grouping that is free to choose may go on to another target. `free`: which share of what a target
   * could take is free, 1 all, ≤ 0 none.
   */
  moveOn(free: (index: number) => number): void;
  /** May a tuple come, whatever its values? One that is free to choose needs room at some of its targets, others at all. */
  hasRoom(roomAt: (index: number) => boolean): boolean;
  /** Chooses anew when full: `moveOn` then finds a target with room, if there is one. */
  readonly isFree: boolean;
}
