import type { SpoutEmitOptions, SpoutOut, TaskContext } from '../../core/topology/definition.js';

/** A task's context where the test says nothing else. */
export function contextOf(overrides: Partial<TaskContext> = {}): TaskContext {
  const silent = () => {};
  return {
    topology: 'test',
    component: 'part',
    task: 1,
    index: 0,
    tasks: 1,
    epoch: 1,
    position: undefined,
    resumed: false,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    metrics: {
      counter: () => ({ add: silent }),
      gauge: () => ({ set: silent }),
      histogram: () => ({ record: silent }),
    },
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** A spout's `out` that keeps what was emitted. */
export function recordingOut(): SpoutOut & {
  readonly emitted: [Record<string, unknown>, SpoutEmitOptions | undefined][];
} {
  const emitted: [Record<string, unknown>, SpoutEmitOptions | undefined][] = [];
  return { emitted, emit: (values, options) => void emitted.push([values, options]), reject: () => {} };
}
