/** `feeder`: a spout that a test fills, and whose tuples it can follow to their end. */
import { SquallError } from '../errors.js';
import type { SpoutComponent } from '../topology/component.js';
import type { Failure, MessageId, SpoutInstance, SpoutOut } from '../topology/definition.js';
import type { Fields, Values } from '../topology/fields.js';
import type { RetryOptions } from '../topology/retry.js';
import { makeSpout } from '../topology/spout.js';
import { waitsForNothingReal } from './local-handle.js';

/** A spout of one stream with the values `V`. One topology at a time: what is fed to it goes to whoever asks first. */
export interface Feeder<V extends object> extends SpoutComponent<{ readonly default: V }> {
  /** Returns the id: the one that was given, or 0, 1, 2, … */
  feed(values: V, id?: MessageId): MessageId;
  /** The source is over: what was fed is still emitted. */
  end(): void;
  /** complete, in order of completion */
  readonly acked: readonly MessageId[];
  /** out of attempts, and in the dead letters */
  readonly failed: readonly { readonly id: MessageId; readonly failure: Failure }[];
  /** fed, and neither acked nor failed; in order */
  readonly pending: readonly MessageId[];
}

export interface FeederOptions {
  /** of its tuples; default as any spout's */
  readonly retry?: RetryOptions;
}

interface Fed {
  readonly values: Record<string, unknown>;
  readonly id: MessageId;
}

/** A task of the feeder that has been asked and has nothing to give. */
interface WaitingTask {
  /** it is paused, or the run ends */
  held: boolean;
  giveUp(): void;
}

class Feed {
  readonly acked: MessageId[] = [];
  readonly failed: { readonly id: MessageId; readonly failure: Failure }[] = [];
  readonly pending = new Set<MessageId>();
  #queue: Fed[] = [];
  #nextId = 0;
  #ended = false;
  /** tasks that wait for more */
  readonly #waiting = new Set<() => void>();

  feed(values: Record<string, unknown>, id: MessageId = this.#nextId++): MessageId {
    if (this.#ended) {
      throw new SquallError('ERR_SQUALL_FEEDER', 'this feeder was ended: feed before end(), or make another feeder');
    }
    if (this.pending.has(id)) {
      throw new SquallError('ERR_SQUALL_FEEDER', `a tuple with the id ${String(id)} is pending; give each its own`);
    }
    this.pending.add(id);
    this.#queue.push({ values, id });
    this.#wake();
    return id;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  open(signal: AbortSignal): SpoutInstance {
    const task: WaitingTask = { held: false, giveUp: () => {} };
    const hold = (): void => {
      task.held = true;
      task.giveUp();
    };
    signal.addEventListener('abort', hold, { once: true });
    return {
      next: (out) => this.#next(out, task),
      // what is fed while it is paused waits for its next call
      deactivate: hold,
      activate: () => {
        task.held = false;
      },
      ack: (id) => {
        this.pending.delete(id);
        this.acked.push(id);
      },
      fail: (id, failure) => {
        this.pending.delete(id);
        this.failed.push({ id, failure });
      },
    };
  }

  #next(out: SpoutOut, task: WaitingTask): 'done' | undefined | Promise<'done' | undefined> {
    if (task.held) return undefined;
    const fed = this.#queue.shift();
    if (fed !== undefined) {
      out.emit(fed.values, { id: fed.id });
      return undefined;
    }
    if (this.#ended) return 'done';
    // the test is who it waits for
    return waitsForNothingReal(
      new Promise((resolve) => {
        // another task may have been quicker
        const wake = (): void => resolve(this.#next(out, task));
        this.#waiting.add(wake);
        task.giveUp = () => {
          this.#waiting.delete(wake);
          resolve(undefined);
        };
      }),
    );
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

/** A spout for a topology under test, or in place of one of its spouts: `runLocal(topology, { spouts: { lines } })`. */
export function feeder<F extends Fields>(output: F, options: FeederOptions = {}): Feeder<Values<F>> {
  const feed = new Feed();
  const spout = makeSpout<{ readonly default: Values<F> }>(
    { output, ...options },
    ({ signal }) => feed.open(signal),
    [],
  );
  const own = {
    feed: (values: Values<F>, id?: MessageId) => feed.feed(values as Record<string, unknown>, id),
    end: () => feed.end(),
    get acked() {
      return feed.acked;
    },
    get failed() {
      return feed.failed;
    },
    get pending() {
      return [...feed.pending];
    },
  };
  return Object.freeze(Object.defineProperties({ ...spout }, Object.getOwnPropertyDescriptors(own))) as Feeder<
    Values<F>
  >;
}
