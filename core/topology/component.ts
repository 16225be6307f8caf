/** What `defineSpout`, `spoutFrom` and `defineBolt` return: a definition, with its types and its mistakes. */

import { SquallError, shown } from '../errors.js';
import type { BoltDefinition, SpoutDefinition } from './definition.js';
import { nearest } from './names.js';
import type { StreamValues } from './streams.js';

/** Registered, so that components made by another copy of this package are recognised. */
export const COMPONENT: unique symbol = Symbol.for('squall.component');
declare const STREAMS: unique symbol;
declare const INPUT: unique symbol;

/** What a component carries besides its definition. */
export interface ComponentMark {
  /** found while it was defined; reported with those of the topology, all at once */
  readonly mistakes: readonly string[];
  /** names of a bolt's hooks, where they can be seen: there is no `prepare` that makes them */
  readonly hooks?: readonly string[];
}

/** A spout that declares the streams `S`, for any number of topologies. */
export interface SpoutComponent<S extends StreamValues = StreamValues> extends SpoutDefinition {
  readonly [COMPONENT]: ComponentMark;
  readonly [STREAMS]?: () => S;
}

/**
 * A bolt that takes tuples with the values `I` (`NamedInputs<…>` where its inputs have names) and declares the streams `S`,
 * for any number of topologies.
 */
export interface BoltComponent<I = never, S extends StreamValues = StreamValues> extends BoltDefinition {
  readonly [COMPONENT]: ComponentMark;
  readonly [INPUT]?: (values: I) => void;
  readonly [STREAMS]?: () => S;
}

export function isComponent(value: unknown): value is SpoutComponent | BoltComponent {
  return typeof value === 'object' && value !== null && COMPONENT in value;
}

/** Anything that can be awaited. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Applies `next` to what `value` is or resolves to, at once where it is no promise. */
export function whenMade<T, R>(value: T | PromiseLike<T>, next: (value: T) => R): R | Promise<R> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value as T);
}

/**
 * `instance`, which an author's `open` or `prepare` made, where it has the functions it needs.
 *
 * @throws SquallError ERR_SQUALL_COMPONENT
 */
export function checkInstance<T extends object>(
  instance: T,
  made: string,
  component: string,
  required: keyof T & string,
  optional: readonly (keyof T & string)[],
): T {
  const wrong = (expected: string, found: unknown) =>
    new SquallError(
      'ERR_SQUALL_COMPONENT',
      `${made} of '${component}' returned something else than expected: ${expected}, found ${shown(found)}`,
      { facts: { component } },
    );
  if (typeof instance !== 'object' || instance === null) throw wrong(`an object with ${required}(…)`, instance);
  if (typeof instance[required] !== 'function') throw wrong(`a function ${required}`, instance[required]);
  for (const name of optional) {
    if (instance[name] !== undefined && typeof instance[name] !== 'function') {
      throw wrong(`a function ${name}, or none`, instance[name]);
    }
  }
  // of a class's instance the other functions are its own affair; in a plain object they may be hooks, misspelt
  if (Object.getPrototypeOf(instance) !== Object.prototype) return instance;
  const known = [required, ...optional];
  for (const [name, value] of Object.entries(instance)) {
    const meant = known.includes(name as keyof T & string) ? '' : nearest(name, known);
    if (typeof value === 'function' && meant !== '')
      throw wrong(`the functions ${known.join(', ')}`, `${name}(…)${meant}`);
  }
  return instance;
}
