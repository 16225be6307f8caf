/** A plan whose components tell the test what they do: what they emit, and what they wait for. */
import type {
  BoltDefinition,
  BoltInstance,
  ComponentPlan,
  SpoutDefinition,
  SpoutInstance,
  TaskContext,
  TopologyPlan,
} from '../topology/definition.js';
import type { AuthorCode } from './author-code.js';
import { type LocalHandle, waitsForNothingReal, withLocal } from './local-handle.js';
import { notingBoltOut, notingSpoutOut, type Place } from './noting-out.js';
import type { Recorder } from './recorder.js';

export interface Observer {
  readonly code: AuthorCode;
  readonly recorder: Recorder;
  local(context: TaskContext): LocalHandle;
  /** false: the task's worker has died, with whatever its code was about to do */
  isAlive(context: TaskContext): boolean;
}

/** Frames do not wait for more tuples: what is emitted at an instant arrives at that instant. */
const AT_ONCE = { lingerMs: 0 } as const;

export function observed(plan: TopologyPlan, by: Observer): TopologyPlan {
  const components = plan.components.map((component) =>
    Object.freeze({
      ...component,
      config: Object.freeze({ ...component.config, ...AT_ONCE }),
      definition: observedDefinition(component, by),
    }),
  );
  const config = Object.freeze({ ...plan.config, ...AT_ONCE });
  return Object.freeze({ ...plan, config, components: Object.freeze(components) });
}

function observedDefinition({ definition, config }: ComponentPlan, by: Observer): SpoutDefinition | BoltDefinition {
  if (definition.kind === 'spout') {
    return {
      ...definition,
      open: (context) => {
        const task = new ObservedTask(context, Number.POSITIVE_INFINITY, by);
        return task.made('open', definition.open(task.context), (spout) => task.spout(spout));
      },
    };
  }
  return {
    ...definition,
    prepare: (context) => {
      const task = new ObservedTask(context, config.executeTimeoutMs, by);
      return task.made('prepare', definition.prepare(task.context), (bolt) => task.bolt(bolt));
    },
  };
}

class ObservedTask implements Place {
  readonly context: TaskContext;
  readonly component: string;
  readonly task: number;
  readonly #timeoutMs: number;
  readonly #by: Observer;

  /** `timeoutMs`: after this much virtual time the runtime does not wait for a hook any more */
  constructor(context: TaskContext, timeoutMs: number, by: Observer) {
    this.context = withLocal(context, by.local(context));
    this.component = context.component;
    this.task = context.task;
    this.#timeoutMs = timeoutMs;
    this.#by = by;
  }

  alive(): boolean {
    return this.#by.isAlive(this.context);
  }

  forRoom(ready: Promise<void>): Promise<void> {
    return this.#by.code.forRoom(ready);
  }

  made<T>(hook: string, instance: T | Promise<T>, observe: (instance: T) => T): T | Promise<T> {
    const made = this.#by.code.returned(this.#titleOf(hook), instance);
    return made instanceof Promise ? made.then(observe) : observe(made);
  }

  spout(spout: SpoutInstance): SpoutInstance {
    const noting = notingSpoutOut(this.#by.recorder, this);
    return {
      next: (out) => this.#call('next', () => spout.next(noting(out))),
      ack: spout.ack && ((id) => this.#call('ack', () => spout.ack?.(id))),
      fail: spout.fail && ((id, failure) => this.#call('fail', () => spout.fail?.(id, failure))),
      activate: spout.activate && (() => this.#call('activate', () => spout.activate?.())),
      deactivate: spout.deactivate && (() => this.#call('deactivate', () => spout.deactivate?.())),
      close: spout.close && (() => this.#call('close', () => spout.close?.())),
    };
  }

  bolt(bolt: BoltInstance): BoltInstance {
    const noting = (out: Parameters<BoltInstance['execute']>[1], attempt = 1) =>
      notingBoltOut(this.#by.recorder, this, out, attempt);
    return {
      execute: (tuple, out) => this.#call('execute', () => bolt.execute(tuple, noting(out, tuple.attempt))),
      flush: bolt.flush && (() => this.#call('flush', () => bolt.flush?.())),
      tick: bolt.tick && ((out) => this.#call('tick', () => bolt.tick?.(noting(out)))),
      end: bolt.end && ((out) => this.#call('end', () => bolt.end?.(noting(out)))),
      cleanup: bolt.cleanup && (() => this.#call('cleanup', () => bolt.cleanup?.())),
    };
  }

  /** The code of a dead worker is not called any more, and nobody waits for it. */
  #call<T>(hook: string, call: () => T): T {
    if (!this.alive()) return waitsForNothingReal(new Promise(() => {})) as T;
    return this.#by.code.returned(this.#titleOf(hook), call(), this.#timeoutMs);
  }

  #titleOf(hook: string): string {
    return `${hook} of ${this.component}[${this.task}]`;
  }
}
