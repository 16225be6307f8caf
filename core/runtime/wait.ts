/** Waits for promises of authors' code: each settles once, as its promise does, or when its time is up. */
import { SquallError } from '../errors.js';
import type { Clock } from './clock.js';

/**
 * Calls `settled` once: with undefined when `promise` resolves, with an error when it rejects or has not settled within
 * `limitMs`. One that was given up and ends after all ends nothing.
 */
export function waitFor(
  promise: PromiseLike<unknown>,
  what: string,
  limitMs: number,
  clock: Clock,
  settled: (error: unknown) => void,
): void {
  let over = false;
  const settle = (error: unknown): void => {
    if (over) return;
    over = true;
    cancel();
    settled(error);
  };
  const cancel = clock.after(limitMs, () =>
    settle(
      new SquallError('ERR_SQUALL_EXECUTE_TIMEOUT', `${what} did not settle within executeTimeoutMs = ${limitMs}`),
    ),
  );
  Promise.resolve(promise).then(
    () => settle(undefined),
    (error: unknown) => settle(error ?? new Error(`${what} rejected with ${String(error)}`)),
  );
}
