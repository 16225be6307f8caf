/**
 * A grouping picks, for a tuple on one edge, which of the target's tasks get it. Pure: what is on the way to each target is
 * told by its owner.
 */

/** `choose` says: every target. */
export const EVERY_TASK = -1;
/** `choose` says: those in `chosen`, which may be none. */
export const CHOSEN_TASKS = -2;

export interface Grouping {
  /** index of the target task, from 0, or EVERY_TASK, or CHOSEN_TASKS */
  choose(values: Record<string, unknown>): number;
  /** the targets of the last `choose` that returned CHOSEN_TASKS, each once: valid until the next `choose` */
  readonly chosen?: readonly number[];
  /** A batch has left: a grouping that is free to choose looks at the loads again before its next choice. */
  moveOn(): void;
  /** May a tuple come, whatever its values? One that is free to choose needs room at some of its targets, others at all. */
  hasRoom(roomAt: (index: number) => boolean): boolean;
}

/** What a sender knows of the targets of one edge, by their index from 0. */
export interface TargetLoads {
  /** tuples collected for it or on the way to it and unconfirmed; Infinity: no room, or nobody there at present */
  load(index: number): number;
  /** what it gets done, in any unit that the targets have in common; 0: not known yet, taken for the mean of the others */
  speed(index: number): number;
}

/** Room at each of `targets` tasks: what every grouping needs whose choice hangs on the values. */
export function roomAtEvery(targets: number, roomAt: (index: number) => boolean): boolean {
  for (let index = 0; index < targets; index++) if (!roomAt(index)) return false;
  return true;
}
