/** What the tests of what authors can express have in common: spouts of numbers, and errors that are caught. */
import { isSquallError, type SquallError } from '../../core/errors.js';
import { feeder } from '../../core/testing/index.js';
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
