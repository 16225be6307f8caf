/**
 * Virtual time, and everything that is to be done in it: turns that are due now, in order, and timers. Nothing here runs
 * by itself: whoever drives it says when the next turn runs and when time goes on.
 */
import { DueQueue } from '../reliability/due-queue.js';
import type { Clock } from '../runtime/clock.js';

/** A turn that asks for the time so often is a loop that waits for its time to be over: it has lasted for TURN_MS. */
const READS_PER_TURN = 1000;
const TURN_MS = 5;

interface Timer {
  readonly action: () => void;
  cancelled: boolean;
}

export class Scheduler {
  /** called when there is a turn to run where there was none */
  onDue: () => void = () => {};
  readonly #startedAt: number;
  #now = 0;
  #reads = 0;
  #turns: (() => void)[] = [];
  #head = 0;
  readonly #timers = new DueQueue<Timer>();

  /** `startedAt`: what the wall clock shows at the beginning, in milliseconds since 1970. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  get now(): number {
    return this.#now;
  }

  /** A clock on this time. Once `alive` says no, what it was asked to do is not done any more. */
  clock(alive: () => boolean = () => true): Clock {
    const guarded = (action: () => void) => () => {
      if (alive()) action();
    };
    return {
      now: () => this.#read(),
      wall: () => this.#startedAt + this.#now,
      after: (delayMs, action) => this.after(delayMs, guarded(action)),
      every: (periodMs, action) => this.#every(periodMs, guarded(action), alive),
      soon: (action) => this.soon(guarded(action)),
    };
  }

  soon(action: () => void): void {
    this.#turns.push(action);
    if (this.#turns.length - this.#head === 1) this.onDue();
  }

  after(delayMs: number, action: () => void): () => void {
    const timer: Timer = { action, cancelled: false };
    this.#timers.push(timer, this.#now + Math.max(0, delayMs));
    return () => {
      timer.cancelled = true;
    };
  }

  #every(periodMs: number, action: () => void, alive: () => boolean): () => void {
    let cancel = () => {};
    const again = (): void => {
      if (!alive()) return;
      // before the action, which may cancel it
      cancel = this.after(periodMs, again);
      action();
    };
    cancel = this.after(periodMs, again);
    return () => cancel();
  }

  /** Runs the turn that is due next; false: none is. */
  runTurn(): boolean {
    const turn = this.#turns[this.#head];
    if (turn === undefined) return false;
    this.#head += 1;
    if (this.#head === this.#turns.length) {
      this.#turns = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#turns.length) {
      this.#turns = this.#turns.slice(this.#head);
      this.#head = 0;
    }
    this.#reads = 0;
    turn();
    return true;
  }

  get isDue(): boolean {
    return this.#head < this.#turns.length;
  }

  /** when the next timer is due; Infinity: there is none */
  get nextAt(): number {
    while (this.#timers.first?.cancelled) this.#timers.pop(Number.POSITIVE_INFINITY);
    return this.#timers.firstAt;
  }

  /** Time goes on; of the timers that are due then, the first becomes a turn. */
  moveTo(at: number): void {
    const dueAt = this.nextAt;
    this.#now = Math.max(this.#now, Math.min(at, dueAt));
    const timer = this.#timers.pop(at);
    if (timer !== undefined) this.soon(timer.action);
  }

  #read(): number {
    if (++this.#reads === READS_PER_TURN) this.#now += TURN_MS;
    return this.#now;
  }
}
