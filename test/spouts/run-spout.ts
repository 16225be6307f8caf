import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type {
  MessageId,
  Position,
  SpoutDefinition,
  SpoutInstance,
  TaskContext,
} from '../../core/topology/definition.js';
import { contextOf, recordingOut } from '../topology/support.js';

export interface Emitted {
  readonly line: string | undefined;
  readonly id: MessageId | undefined;
  readonly position: Position | undefined;
  /** of a rejected line */
  readonly error?: Error;
  readonly values?: unknown;
}

/** A folder of this test's own. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'squall-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function taskContext(given: Partial<TaskContext> = {}): TaskContext {
  return contextOf({ component: 'lines', ...given });
}

/** Calls `next` until `limit` lines came, or it is done (`ended`) or threw (`error`). */
export async function drain(spout: SpoutInstance, limit = Number.POSITIVE_INFINITY) {
  const lines: Emitted[] = [];
  let waits = 0;
  while (lines.length < limit) {
    try {
      const result = spout.next({
        ...recordingOut(),
        emit: (values, options) => {
          lines.push({ line: values.line as string, id: options?.id, position: options?.position });
        },
        reject: (id, error, options) => {
          lines.push({ line: undefined, id, position: options?.position, error, values: options?.values });
        },
      });
      if (typeof result === 'object') waits += 1;
      if ((await result) === 'done') return { lines, waits, ended: true, error: undefined };
    } catch (error) {
      return { lines, waits, ended: false, error: error as Error & { code: string; facts: Record<string, unknown> } };
    }
  }
  return { lines, waits, ended: false, error: undefined };
}

/** A task from its `open` to its end. */
export async function runTask(definition: SpoutDefinition, context: Partial<TaskContext> = {}) {
  const spout = await definition.open(taskContext(context));
  try {
    return await drain(spout);
  } finally {
    await spout.close?.();
  }
}
