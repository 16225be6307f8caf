import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import { sized } from './long.js';

/** So many times the runs of a property in the long form; fast-check's own number is 100. */
const MORE = sized(1, 20);
const RUNS = 100;

/**
 * Checks a property whose predicate throws (node:assert) where it does not hold. The report has fast-check's seed and
 * path, the smallest counterexample and the assertion that failed; AVA's own assertions inside a predicate would
 * report the first failure and hide all of that.
 */
export function holds<Ts>(
  t: ExecutionContext,
  property: fc.IRawProperty<Ts>,
  parameters: fc.Parameters<Ts> = {},
): void {
  t.notThrows(() =>
    fc.assert(property, { includeErrorInReport: true, ...parameters, numRuns: (parameters.numRuns ?? RUNS) * MORE }),
  );
}
