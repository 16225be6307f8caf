/** A tuple that used up its attempts, with every attempt's history. What the dead-letter stream stores. */
import type { Failure } from '../topology/definition.js';

export interface DeadLetter {
  readonly topology: string;
  readonly run: string;
  readonly component: string;
  readonly task: number;
  readonly epoch: number;
  readonly stream: string;
  /** the spout's message id as text */
  readonly id: string;
  /** stable tuple id, 32 hex digits */
  readonly tuple: string;
  /** wall clock, ms since 1970 */
  readonly at: number;
  readonly reason: Failure['reason'];
  readonly values: unknown;
  readonly attempts: readonly DeadLetterAttempt[];
}

export interface DeadLetterAttempt {
  readonly attempt: number;
  /** wall clock, ms since 1970 */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure: Failure;
}
