/** What the tests of what authors can express share: spouts of numbers, errors that are caught, promises that wait. */
import { isSquallError, type SquallError } from '../../core/errors.js';
import { feeder } from '../../core/testing/index.js';
import { localOf, waitsForNothingReal } from '../../core/testing/local-handle.js';
import type { TaskContext } from '../../core/topology/definition.js';
import { t as is } from '../../core/topology/fields.js';

export const NUMBER = { n: is.number };

/** `{ n: 0 }`, `{ n: 1 }` … */
export const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
/** A spout that a test fills, or gives tuples in place of. */
export const source = () => feeder(NUMBER);

/** The SquallError that `action` throws; another error, or none, fails the test. */
export function refusalOf(action: () => unknown): SquallError {
  try {
    action();
  } catch (error) {
    if (isSquallError(error)) return error;
    throw error;
  }
  throw new Error('expected a SquallError, but nothing was thrown');
}

/** Numbers in order of size. */
export const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);

/** What waits for the clock of the run, for the test or for nothing: time need not follow the real one meanwhile. */
export const virtual = (body: () => Promise<void>): Promise<void> => waitsForNothingReal(body());

/** Waits on the clock of the run. */
export function sleeper(context: TaskContext): (ms: number) => Promise<void> {
  const local = localOf(context);
  if (local === undefined) throw new Error('this is no local run');
  return (ms) => local.sleep(ms);
}

/** Promises that a test settles: what is executed is open until it says so. */
export class Gates {
  readonly #open = new Map<number, { resolve(): void; reject(error: Error): void }>();

  wait(n: number): Promise<void> {
    return waitsForNothingReal(new Promise<void>((resolve, reject) => this.#open.set(n, { resolve, reject })));
  }
  get open(): number[] {
    return sorted(this.#open.keys());
  }
  release(n: number): void {
    this.#open.get(n)?.resolve();
    this.#open.delete(n);
  }
  break(n: number, error: Error): void {
    this.#open.get(n)?.reject(error);
    this.#open.delete(n);
  }
}
