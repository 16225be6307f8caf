/**
 * Drives virtual time, and lets real time pass where the components' own code needs it.
 *
 * - A turn runs, then every promise that can go on by itself goes on, then the next turn.
 * - Nothing is due, and no promise of the components is open: time jumps to the next timer. Nobody waits in real time.
 * - Nothing is due, but some component waits (for a server, a file, a `setTimeout` of its own): the event loop runs until
 *   it has its answer. Meanwhile virtual time follows real time, so that a hang reaches its `executeTimeoutMs`.
 * - What is not over after `timeoutMs` of real time, or stands at one instant for so long, ends with an error that names
 *   who is waited for.
 */
import type { SquallError } from '../errors.js';
import type { AuthorCode } from './author-code.js';
import { afterReal, eventLoopRound, promisesDone, realNow } from './real-time.js';
import type { Scheduler } from './scheduler.js';

export interface Pump {
  /** ends it as soon as it is true, between two turns */
  readonly until?: () => boolean;
  /** ends it as soon as it is true when nothing is due; may be expensive */
  readonly untilIdle?: () => boolean;
  /** virtual time goes on by at most so much, in milliseconds; Infinity: as far as there is something to do */
  readonly forMs: number;
  /** what took too long, where no component is to blame */
  readonly late: () => SquallError;
}

/** The event loop gets its turn at least this often. */
const YIELD_EVERY_MS = 10;
const CLOCK_EVERY_TURNS = 64;
/** Most answers come within a few rounds of the event loop; then there is a rest between looks. */
const EAGER_ROUNDS = 16;
const REST_MS = 20;

const never = (): boolean => false;

export class Driver {
  readonly #scheduler: Scheduler;
  readonly #code: AuthorCode;
  readonly #timeoutMs: number;
  /** ends a rest */
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(scheduler: Scheduler, code: AuthorCode, timeoutMs: number) {
    this.#scheduler = scheduler;
    this.#code = code;
    this.#timeoutMs = timeoutMs;
    const wake = (): void => this.#wake();
    scheduler.onDue = wake;
    code.onSettled = wake;
  }

  /** Ends when `until` is true, or when nothing is left to be done within `forMs`. One at a time, in the order of the calls. */
  pump(pump: Pump): Promise<void> {
    const pumped = this.#running.then(() => this.#pump(pump));
    this.#running = pumped.catch(() => {});
    return pumped;
  }

  /** Drives until `promise`, of the runtime's own, has settled. */
  async during<T>(promise: Promise<T>, late: Pump['late']): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
      this.#wake();
    };
    promise.then(settle, settle);
    await this.pump({ until: () => settled, forMs: Number.POSITIVE_INFINITY, late });
    return promise;
  }

  async #pump({ until = never, untilIdle = never, forMs, late }: Pump): Promise<void> {
    const scheduler = this.#scheduler;
    const to = scheduler.now + forMs;
    let startedAt = realNow();
    let yieldedAt = startedAt;
    let turns = 0;
    /** since when, on both clocks, virtual time has followed real time */
    let following: { readonly real: number; readonly virtual: number } | undefined;
    let rounds = 0;
    await promisesDone();
    while (!until()) {
      const now = realNow();
      if (now - startedAt > this.#timeoutMs) throw this.#code.overdue() ?? late();
      if (now - yieldedAt > YIELD_EVERY_MS) {
        await eventLoopRound();
        yieldedAt = realNow();
      }
      while (scheduler.runTurn()) {
        await promisesDone();
        if (until()) return;
        if (++turns % CLOCK_EVERY_TURNS === 0) break;
      }
      if (scheduler.isDue) continue;
      if (!this.#code.waits) {
        following = undefined;
        rounds = 0;
        if (untilIdle()) return;
        if (scheduler.nextAt > to) {
          if (Number.isFinite(to)) scheduler.moveTo(to);
          return;
        }
        scheduler.moveTo(scheduler.nextAt);
        // a way that has an end may be long
        if (Number.isFinite(to)) startedAt = now;
        continue;
      }
      following ??= { real: now, virtual: scheduler.now };
      scheduler.moveTo(Math.min(to, following.virtual + Math.floor(realNow() - following.real)));
      if (scheduler.isDue) continue;
      if (++rounds <= EAGER_ROUNDS) await eventLoopRound();
      else await this.#rest(Math.min(REST_MS, Math.max(1, scheduler.nextAt - scheduler.now)));
      yieldedAt = realNow();
      await promisesDone();
    }
  }

  /** Until something is due, a component's promise settles, or the time is over. */
  #rest(longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#wake = () => {};
        resolve();
      };
      const cancel = afterReal(longestMs, wake);
      this.#wake = wake;
    });
  }
}
