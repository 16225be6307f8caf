/** What a suite found broken, and how it says so. */
import { SquallError } from '../../errors.js';

/** A promise that was not kept. */
export interface Violation {
  /** `nothing-lost`, `stable-ids` …: see docs/own-connectors.md */
  readonly promise: string;
  /** from 1 */
  readonly round: number;
  /** what was promised, what was found, and with which messages */
  readonly message: string;
}

const MAX_EXAMPLES = 5;

/** `3, 17, 20 and 4 more` */
export function examples(keys: readonly string[]): string {
  const shown = keys.slice(0, MAX_EXAMPLES).join(', ');
  return keys.length > MAX_EXAMPLES ? `${shown} and ${keys.length - MAX_EXAMPLES} more` : shown;
}

/** ERR_SQUALL_CONFORMANCE; `facts`: `violations` and `report`. */
export function broken(what: string, violations: readonly Violation[], report: { readonly seed: number }): SquallError {
  const list = violations.map(({ promise, round, message }) => `  ${promise} (round ${round}): ${message}`);
  const names = [...new Set(violations.map(({ promise }) => promise))].join(', ');
  return new SquallError(
    'ERR_SQUALL_CONFORMANCE',
    `${what} breaks ${names}:\n${list.join('\n')}\nThe same moments again: { seed: ${report.seed} }`,
    { facts: { violations, report } },
  );
}
