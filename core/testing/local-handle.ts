/**
 * What the components of this package can do in a local run and nowhere else. It stands in the context of a task under
 * a registered symbol, so that two copies of this package understand each other.
 */
import type { TaskContext } from '../topology/definition.js';

const LOCAL: unique symbol = Symbol.for('squall.local');
const WAITS_FOR_NOTHING_REAL: unique symbol = Symbol.for('squall.waits-for-nothing-real');

export interface LocalHandle {
  /** Resolves after this long on the run's own clock. */
  sleep(ms: number): Promise<void>;
  /** The task's code is at work until `promise` settles. */
  waitFor(what: string, promise: PromiseLike<unknown>): void;
  /** The task's process ends, as far as it has one. */
  exit(why: string): void;
}

export function withLocal(context: TaskContext, local: LocalHandle): TaskContext {
  return Object.freeze({ ...context, [LOCAL]: local });
}

/** Undefined: this is a real run. */
export function localOf(context: TaskContext): LocalHandle | undefined {
  return (context as { readonly [LOCAL]?: LocalHandle })[LOCAL];
}

/** Marks a promise that only virtual time, or the test itself, or nobody settles: nobody needs to wait for it. */
export function waitsForNothingReal<P extends object>(promise: P): P {
  return Object.defineProperty(promise, WAITS_FOR_NOTHING_REAL, { value: true });
}

export function isForNothingReal(promise: unknown): boolean {
  return WAITS_FOR_NOTHING_REAL in (promise as object);
}
