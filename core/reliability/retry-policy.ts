import type { RetryPolicyOptions } from '../topology/definition.js';

/** From the second retry on, where `firstMs` is 0: 20 ms, doubling; ten attempts then take about five seconds. */
const SECOND_MS = 20;

/**
 * How long to wait before the next attempt, in ms, when `failures` (≥ 1) attempts have failed or timed out: `firstMs`,
 * then doubling up to `maxMs`, less up to half of it by `jitter` in [0, 1), so that what failed together does not come
 * back together.
 */
export function backoffMs(retry: RetryPolicyOptions, failures: number, jitter: number): number {
  const { firstMs, maxMs } = retry.backoff;
  if (failures === 1) return firstMs * (1 - jitter / 2);
  const base = firstMs > 0 ? firstMs * 2 ** (failures - 1) : SECOND_MS * 2 ** (failures - 2);
  return Math.min(base, maxMs) * (1 - jitter / 2);
}
