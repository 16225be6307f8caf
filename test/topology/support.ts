import type { ComponentConfig, SpoutEmitOptions, SpoutOut, TaskContext } from '../../core/topology/definition.js';

/** The settings of a component where nobody said anything. */
export const DEFAULT_CONFIG: ComponentConfig = {
  maxSpoutPending: 8192,
  messageTimeoutMs: 30_000,
  lingerMs: 1,
  tickEveryMs: undefined,
  executeTimeoutMs: 300_000,
  concurrency: 1,
  retry: { attempts: 10, backoff: { firstMs: 0, maxMs: 10_000 } },
};

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
    config: DEFAULT_CONFIG,
    sources: [],
    targets: [],
    tasksOf: () => [],
    now: () => Date.now(),
    ...overrides,
  };
}

/** A spout's `out` that keeps what was emitted. */
export function recordingOut(): SpoutOut & {
  readonly emitted: [Record<string, unknown>, SpoutEmitOptions | undefined][];
} {
  const emitted: [Record<string, unknown>, SpoutEmitOptions | undefined][] = [];
  return {
    emitted,
    emit: (values, options) => void emitted.push([values, options]),
    emitDirect: (_task, values, options) => void emitted.push([values, options]),
    ready: () => Promise.resolve(),
    reject: () => {},
  };
}
