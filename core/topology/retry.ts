/** The retry policy of a spout, and of what a bolt's `tick` and `end` emit: its options, completed and checked. */
import { shown } from '../errors.js';
import type { RetryPolicyOptions } from './definition.js';
import { checkInteger, checkOptions, type Report } from './options.js';

/** What is left out takes its default: 10 attempts, again at once the first time, at most 10 s apart. */
export interface RetryOptions {
  /** how often a tuple may fail or time out before it is a dead letter: 1 … 1000, or Infinity */
  readonly attempts?: number;
  readonly backoff?: {
    /** before the second attempt; doubles from then on. 0 … 86 400 000 */
    readonly firstMs?: number;
    /** the longest, at least `firstMs`, at most 86 400 000 */
    readonly maxMs?: number;
  };
}

/** Who counts further than this means for ever, and says so with Infinity. */
const MAX_ATTEMPTS = 1000;
const DAY_MS = 86_400_000;

export const DEFAULT_RETRY: RetryPolicyOptions = Object.freeze({
  attempts: 10,
  backoff: Object.freeze({ firstMs: 0, maxMs: 10_000 }),
});

/** What `options` leave out is as in `base`. `what` they are called in messages. */
export function completeRetry(
  options: unknown,
  report: Report,
  base: RetryPolicyOptions = DEFAULT_RETRY,
  what = 'retry',
): RetryPolicyOptions {
  const retry = checkOptions(options, ['attempts', 'backoff'], what, report);
  const backoff = checkOptions(retry.backoff, ['firstMs', 'maxMs'], `${what}.backoff`, report);
  const attempts = checkAttempts(retry.attempts, base.attempts, `${what}.attempts`, report);
  const delays = { min: 0, max: DAY_MS };
  const firstMs = checkInteger(backoff.firstMs, delays, base.backoff.firstMs, `${what}.backoff.firstMs`, report);
  const maxMs = checkInteger(
    backoff.maxMs,
    { min: firstMs, max: DAY_MS },
    Math.max(firstMs, base.backoff.maxMs),
    `${what}.backoff.maxMs`,
    report,
  );
  return Object.freeze({ attempts, backoff: Object.freeze({ firstMs, maxMs }) });
}

function checkAttempts(value: unknown, fallback: number, what: string, report: Report): number {
  if (value === undefined) return fallback;
  const isRight = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ATTEMPTS;
  if (isRight || value === Number.POSITIVE_INFINITY) return value as number;
  report(`${what}: expected an integer from 1 to ${MAX_ATTEMPTS}, or Infinity, found ${shown(value)}`);
  return fallback;
}
