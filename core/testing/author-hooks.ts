/** A plan whose components tell the test what they do: what they emit, and what they wait for. */
import type {
  BoltDefinition,
  BoltInstance,
  BoltOut,
  ComponentPlan,
  SpoutDefinition,
  SpoutInstance,
  SpoutOut,
  TaskContext,
  TopologyPlan,
} from '../topology/definition.js';
import type { AuthorCode } from './author-code.js';
import { type LocalHandle, withLocal } from './local-handle.js';
import type { Recorder } from './recorder.js';

export interface Observed {
  readonly code: AuthorCode;
  readonly recorder: Recorder;
  local(context: TaskContext): LocalHandle;
}

/** Where a task's emits are noted. */
interface Place {
  readonly component: string;
  readonly task: number;
}

type Row = Record<string, unknown>;

/** Frames do not wait for more tuples: what is emitted at an instant arrives at that instant. */
const AT_ONCE = { lingerMs: 0 } as const;

export function observed(plan: TopologyPlan, by: Observed): TopologyPlan {
  const components = plan.components.map((component) =>
    Object.freeze({
      ...component,
      config: Object.freeze({ ...component.config, ...AT_ONCE }),
      definition: define(component, by),
    }),
  );
  const config = Object.freeze({ ...plan.config, ...AT_ONCE });
  return Object.freeze({ ...plan, config, components: Object.freeze(components) });
}

function define({ definition, config }: ComponentPlan, by: Observed): SpoutDefinition | BoltDefinition {
  if (definition.kind === 'spout') {
    return {
      ...definition,
      open: (context) =>
        made(
          context,
          'open',
          by,
          (own) => definition.open(own),
          (spout) => watchSpout(spout, context, by),
        ),
    };
  }
  return {
    ...definition,
    prepare: (context) =>
      made(
        context,
        'prepare',
        by,
        (own) => definition.prepare(own),
        (bolt) => watchBolt(bolt, context, config.executeTimeoutMs, by),
      ),
  };
}

/** What `make` makes or promises, watched. */
function made<T>(
  context: TaskContext,
  hook: string,
  by: Observed,
  make: (context: TaskContext) => T | Promise<T>,
  watch: (instance: T) => T,
): T | Promise<T> {
  const instance = by.code.returned(titleOf(context, hook), make(withLocal(context, by.local(context))));
  return instance instanceof Promise ? instance.then(watch) : watch(instance);
}

function titleOf({ component, task }: TaskContext, hook: string): string {
  return `${hook} of ${component}[${task}]`;
}

function watchSpout(spout: SpoutInstance, context: TaskContext, { code, recorder }: Observed): SpoutInstance {
  const noting = spoutOut(recorder, context);
  const watched = <T>(hook: string, result: T): T => code.returned(titleOf(context, hook), result);
  return {
    next: (out) => watched('next', spout.next(noting(out))),
    ack: spout.ack && ((id) => spout.ack?.(id)),
    fail: spout.fail && ((id, failure) => spout.fail?.(id, failure)),
    activate: spout.activate && (() => watched('activate', spout.activate?.())),
    deactivate: spout.deactivate && (() => watched('deactivate', spout.deactivate?.())),
    close: spout.close && (() => watched('close', spout.close?.())),
  };
}

function watchBolt(
  bolt: BoltInstance,
  context: TaskContext,
  executeTimeoutMs: number,
  { code, recorder }: Observed,
): BoltInstance {
  const watched = <T>(hook: string, result: T): T => code.returned(titleOf(context, hook), result, executeTimeoutMs);
  const noted = (out: BoltOut, attempt: number): BoltOut => boltOut(recorder, context, out, attempt);
  return {
    execute: (tuple, out) => watched('execute', bolt.execute(tuple, noted(out, tuple.attempt))),
    flush: bolt.flush && (() => watched('flush', bolt.flush?.())),
    tick: bolt.tick && ((out) => watched('tick', bolt.tick?.(noted(out, 1)))),
    end: bolt.end && ((out) => watched('end', bolt.end?.(noted(out, 1)))),
    cleanup: bolt.cleanup && (() => watched('cleanup', bolt.cleanup?.())),
  };
}

/** An emit is noted once it has been taken; what a ledger sends again later is no emit of the component's. */
function spoutOut(recorder: Recorder, place: Place): (out: SpoutOut) => SpoutOut {
  let inner: SpoutOut;
  const outer: SpoutOut = {
    emit(values, options) {
      const kept = recorder.copy(values);
      inner.emit(values, options);
      recorder.emitted(place, options?.stream, kept, 1);
    },
    emitDirect(task, values, options) {
      const kept = recorder.copy(values);
      inner.emitDirect(task, values, options);
      recorder.emitted(place, options?.stream, kept, 1);
    },
    ready: () => inner.ready(),
    reject: (id, error, options) => inner.reject(id, error, options),
  };
  return (out) => {
    inner = out;
    return outer;
  };
}

function boltOut(recorder: Recorder, place: Place, inner: BoltOut, attempt: number): BoltOut {
  const note = (values: Row, stream: string | undefined, emit: () => void): void => {
    const kept = recorder.copy(values);
    emit();
    recorder.emitted(place, stream, kept, attempt);
  };
  return {
    emit: (values, options) => note(values, options?.stream, () => inner.emit(values, options)),
    emitDirect: (task, values, options) => note(values, options?.stream, () => inner.emitDirect(task, values, options)),
    ready: () => inner.ready(),
    ack: (tuple) => inner.ack(tuple),
    fail: (tuple, reason) => inner.fail(tuple, reason),
  };
}
