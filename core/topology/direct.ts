/** `direct`: marks a stream whose emitter names the task that gets each tuple. */
import type { Fields } from './fields.js';

/** Registered, so that what another copy of this package marked is recognised. */
export const DIRECT: unique symbol = Symbol.for('squall.direct');

/** `T` of a direct stream: its fields where it is declared, its values in the type of a component. */
export interface Direct<T = unknown> {
  readonly [DIRECT]: T;
}

/**
 * Declares a direct stream, as `output` or one of `streams`: `direct({ word: t.string })`. Its tuples are emitted by
 * `out.emitDirect(task, values)`, and taken by `from.direct`; `context.tasksOf(component)` has the numbers of tasks.
 */
export function direct<F extends Fields>(fields: F): Direct<F> {
  return Object.freeze({ [DIRECT]: fields });
}

export function isDirect(value: unknown): value is Direct {
  return typeof value === 'object' && value !== null && DIRECT in value;
}
