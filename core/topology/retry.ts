/** The retry policy of a spout: its options, completed and checked. */
import type { RetryPolicyOptions } from './definition.js';
import { checkInteger, checkOptions, type Report } from './options.js';

/** What is left out takes its default: 10 attempts, again at once the first time, at most 10 s apart. */
export interface RetryOptions {
  /** how often a tuple may fail or time out before it is a dead letter, 1 … 1000 */
  readonly attempts?: number;
  readonly backoff?: {
    /** before the second attempt; doubles from then on. 0 … 86 400 000 */
    readonly firstMs?: number;
    /** the longest, at least `firstMs`, at most 86 400 000 */
    readonly maxMs?: number;
  };
}

/** Every attempt's history is kept with its tuple until it is complete. */
const ATTEMPTS = { min: 1, max: 1000 };
const DAY_MS = 86_400_000;
const DEFAULT_ATTEMPTS = 10;
const DEFAULT_MAX_MS = 10_000;

export function completeRetry(options: unknown, report: Report): RetryPolicyOptions {
  const retry = checkOptions(options, ['attempts', 'backoff'], 'retry', report);
  const backoff = checkOptions(retry.backoff, ['firstMs', 'maxMs'], 'retry.backoff', report);
  const attempts = checkInteger(retry.attempts, ATTEMPTS, DEFAULT_ATTEMPTS, 'retry.attempts', report);
  const firstMs = checkInteger(backoff.firstMs, { min: 0, max: DAY_MS }, 0, 'retry.backoff.firstMs', report);
  const maxMs = checkInteger(
    backoff.maxMs,
    { min: firstMs, max: DAY_MS },
    Math.max(firstMs, DEFAULT_MAX_MS),
    'retry.backoff.maxMs',
    report,
  );
  return Object.freeze({ attempts, backoff: Object.freeze({ firstMs, maxMs }) });
}
