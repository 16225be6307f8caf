/** `spoutFrom`: a spout from a generator, tracked with automatic ids. */

import { SquallError, shown } from '../errors.js';
import type { SpoutComponent } from './component.js';
import type { SpoutInstance, SpoutOut, TaskContext } from './definition.js';
import { isDirect } from './direct.js';
import type { Fields, Values } from './fields.js';
import { checkOptions } from './options.js';
import type { RetryOptions } from './retry.js';
import { makeSpout } from './spout.js';

export interface SpoutFromOptions<O> {
  /** fields of what the generator yields */
  readonly output: O;
  readonly retry?: RetryOptions;
}

/** A generator function, or any function to an iterable, of what `output` declares. */
export type Generate<V> = (context: TaskContext) => AsyncIterable<V> | Iterable<V>;

/** Nothing, or a message where `G` yields a field that `V` has not. (Yields have no check of excess properties.) */
export type OnlyDeclared<V, G> = G extends (context: TaskContext) => AsyncIterable<infer Y> | Iterable<infer Y>
  ? [Undeclared<V, Y>] extends [never]
    ? unknown
    : `✗ field "${Undeclared<V, Y> & string}" is not declared in output`
  : unknown;
type Undeclared<V, Y> = Y extends unknown ? (string extends keyof Y ? never : Exclude<keyof Y, keyof V>) : never;

const OPTIONS = ['output', 'retry'] as const satisfies readonly (keyof SpoutFromOptions<Fields>)[];

/**
 * Defines a spout from a generator, async or not (or a function that returns another iterable): each value it yields
 * is a tuple, tracked with the ids 0, 1, 2, …; its return means that the source is over. It is asked for the next value
 * only while there is room. `context.signal` tells one that waits for something that the task is to end.
 */
export function spoutFrom<O extends Fields, G extends Generate<Values<O>>>(
  options: SpoutFromOptions<O>,
  generate: G & OnlyDeclared<Values<O>, G>,
): SpoutComponent<{ readonly default: Values<O> }> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(mistake);
  const given = checkOptions(options, OPTIONS, 'spoutFrom', report);
  if (isDirect(given.output))
    report('output: what a generator yields names no task; use defineSpout for a direct stream');
  if (typeof generate !== 'function') {
    report(`spoutFrom: expected a generator function as second argument, found ${shown(generate)}`);
  }
  return makeSpout(given, (context) => instanceOf(generate(context), context), mistakes);
}

function instanceOf(source: unknown, context: TaskContext): SpoutInstance {
  const iterable = source as Partial<AsyncIterable<Row> & Iterable<Row>>;
  if (typeof source === 'object' && source !== null) {
    const asyncIterator = iterable[Symbol.asyncIterator]?.();
    if (asyncIterator) return asyncInstance(asyncIterator, context);
    const iterator = iterable[Symbol.iterator]?.();
    if (iterator) return syncInstance(iterator);
  }
  throw new SquallError(
    'ERR_SQUALL_COMPONENT',
    `the function given to spoutFrom for '${context.component}' returned ${shown(source)}; ` +
      'expected a generator: write async function* (context) { … yield { … }; }',
    { facts: { component: context.component } },
  );
}

type Row = Record<string, unknown>;

function syncInstance(iterator: Iterator<Row>): SpoutInstance {
  let id = 0;
  return {
    next(out: SpoutOut) {
      const step = iterator.next();
      if (step.done) return 'done';
      out.emit(step.value, { id: id++ });
      return undefined;
    },
    close() {
      iterator.return?.();
    },
  };
}

function asyncInstance(iterator: AsyncIterator<Row>, context: TaskContext): SpoutInstance {
  let id = 0;
  let waiting = false;
  return {
    async next(out: SpoutOut) {
      waiting = true;
      const step = await iterator.next().finally(() => {
        waiting = false;
      });
      if (step.done) return 'done';
      out.emit(step.value, { id: id++ });
      return undefined;
    },
    async close() {
      const returned = iterator.return?.();
      // A generator that waits for its source returns only when that has answered, which may be never.
      if (!waiting) await returned;
      else returned?.catch((error: unknown) => context.log.warn('the generator failed while it was closed', { error }));
    },
  };
}
