/**
 * Which promises of the components' own code are open: while it waits for the real world, virtual time must not run away.
 */
import { SquallError } from '../errors.js';
import { isForNothingReal } from './local-handle.js';
import { realNow } from './real-time.js';
import type { Scheduler } from './scheduler.js';

interface Open {
  /** `execute of split[2]` */
  readonly what: string;
  /** on the real clock */
  readonly since: number;
  /** on the virtual clock: from then on the runtime has given it up */
  readonly givenUpAt: number;
}

export class AuthorCode {
  /** called when one of them settles */
  onSettled: () => void = () => {};
  readonly #scheduler: Scheduler;
  readonly #open = new Set<Open>();
  #forRoom = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /**
   * What a hook of a component returned; where it is a promise, it is waited for, for `timeoutMs` of virtual time. A
   * thenable becomes a promise: some of them do their work anew with each `then`.
   */
  returned<T>(what: string, result: T, timeoutMs = Number.POSITIVE_INFINITY): T {
    if (typeof (result as { then?: unknown } | undefined)?.then !== 'function' || isForNothingReal(result))
      return result;
    const promise = Promise.resolve(result);
    const open: Open = { what, since: realNow(), givenUpAt: this.#scheduler.now + timeoutMs };
    this.#open.add(open);
    const settled = (): void => {
      this.#open.delete(open);
      this.onSettled();
    };
    promise.then(settled, settled);
    return promise as T;
  }

  /** What `out.ready()` returned: a hook that waits for room waits for the run itself, and for nothing real. */
  forRoom(ready: Promise<void>): Promise<void> {
    this.#forRoom += 1;
    const over = (): void => {
      this.#forRoom -= 1;
    };
    ready.then(over, over);
    return ready;
  }

  /** Is any of them waiting for something real? */
  get waits(): boolean {
    for (const open of this.#open) if (this.#scheduler.now >= open.givenUpAt) this.#open.delete(open);
    return this.#open.size > this.#forRoom;
  }

  /** The promise that has been open for the longest time did not settle in time. */
  overdue(): SquallError | undefined {
    if (!this.waits) return undefined;
    const [{ what, since }] = this.#open;
    const more = this.#open.size === 1 ? '' : `, nor have ${this.#open.size - 1} others`;
    const seconds = ((realNow() - since) / 1000).toFixed(1);
    const advice = what.startsWith('next')
      ? 'If its source has nothing, give the spout tuples of yours, in spouts, or a feeder'
      : 'If it waits for a server, give it one that answers; if it is meant to hang, see bomb({ hangs })';
    return new SquallError(
      'ERR_SQUALL_LOCAL_TIMEOUT',
      `${what} has not settled for ${seconds} s${more}. ${advice}; if it needs that long, raise timeoutMs.`,
      { facts: { what, open: [...this.#open].map((one) => one.what) } },
    );
  }
}
