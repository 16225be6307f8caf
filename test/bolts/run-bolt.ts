import type { BoltDefinition, BoltInstance, BoltOut, TaskContext, Tuple } from '../../core/topology/definition.js';
import { taskContext } from '../spouts/run-spout.js';

export function tuple(values: Record<string, unknown>): Tuple {
  const id = '0'.repeat(32);
  return {
    values,
    input: 'default',
    source: 'from',
    stream: 'default',
    task: 1,
    id,
    attempt: 1,
    replayReason: undefined,
  };
}

/** An `out` that takes everything. */
export const OUT: BoltOut = {
  emit: () => {},
  emitDirect: () => {},
  ready: () => Promise.resolve(),
  ack: () => {},
  fail: () => {},
};

/** Executes a batch of tuples, then flushes, as the runtime does. */
export async function batch(bolt: BoltInstance, tuples: readonly Record<string, unknown>[]): Promise<void> {
  for (const values of tuples) await bolt.execute(tuple(values), OUT);
  await bolt.flush?.();
}

/** A task from its `prepare` to its end, with one batch. */
export async function runBatch(
  definition: BoltDefinition,
  tuples: readonly Record<string, unknown>[],
  context: Partial<TaskContext> = {},
): Promise<void> {
  const bolt = await definition.prepare(taskContext(context));
  await batch(bolt, tuples);
  await bolt.cleanup?.();
}
