/** `defineSpout`: a source of tuples that Squall asks for more while there is room. */

import { shown } from '../errors.js';
import { COMPONENT, checkInstance, type SpoutComponent, whenMade } from './component.js';
import type { Failure, MessageId, NextResult, SpoutDefinition, SpoutInstance, TaskContext } from './definition.js';
import type { SpoutEmitter } from './emitters.js';
import { checkOptions } from './options.js';
import { completeRetry, type RetryOptions } from './retry.js';
import { declareStreams, type NoStreams, type StreamFields, type StreamsOf, type StreamValues } from './streams.js';

/** What `open` makes: one running spout task. `S` are the streams it may emit on. */
export interface SpoutHooks<S> {
  /**
   * Called while there is room for more, one call at a time; may emit any number of tuples. `'done'`: the source is
   * over; `'idle'`, or nothing at all where nothing was emitted: nothing now, ask again later.
   */
  next(out: SpoutEmitter<S>): NextResult | void | Promise<NextResult | void>;
  /** the tuple with this id is complete */
  ack?(id: MessageId): void;
  /** the tuple with this id is out of attempts, and in the dead letters; with `replay: 'source'`: it failed */
  fail?(id: MessageId, failure: Failure): void;
  activate?(): void | Promise<void>;
  deactivate?(): void | Promise<void>;
  close?(): void | Promise<void>;
}

export interface SpoutOptions<O, S> {
  /** fields of the stream `default`; `direct(fields)` for a direct stream */
  readonly output: O;
  /** fields of further streams, by name */
  readonly streams?: S;
  /**
   * Who sends a tuple again that failed or was lost. `squall` (default): Squall does, `retry` says how often. `source`:
   * `fail` is called at once, and the source decides, as a message broker does.
   */
  readonly replay?: 'squall' | 'source';
  /** of `replay: 'squall'` */
  readonly retry?: RetryOptions;
  /** Called once in each task's process. */
  open(context: TaskContext): SpoutHooks<StreamsOf<O, S>> | Promise<SpoutHooks<StreamsOf<O, S>>>;
}

const OPTIONS = ['output', 'streams', 'replay', 'retry', 'open'] as const satisfies readonly (keyof SpoutOptions<
  StreamFields,
  NoStreams
>)[];
const OPTIONAL_HOOKS = ['ack', 'fail', 'activate', 'deactivate', 'close'] as const;

/** Defines a spout. Mistakes that only JavaScript can make are reported with those of the topology that it is in. */
export function defineSpout<O extends StreamFields, S extends Readonly<Record<string, StreamFields>> = NoStreams>(
  options: SpoutOptions<O, S>,
): SpoutComponent<StreamsOf<O, S>> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(mistake);
  const given = checkOptions(options, OPTIONS, 'defineSpout', report);
  if (typeof given.open !== 'function') report(`open: expected a function open(context), found ${shown(given.open)}`);
  const open = (context: TaskContext) =>
    whenMade(options.open(context) as SpoutInstance | Promise<SpoutInstance>, (instance) =>
      checkInstance(instance, 'open', context.component, 'next', OPTIONAL_HOOKS),
    );
  return makeSpout(given, open, mistakes);
}

/** The spout of checked options and what opens it; `mistakes` are those found so far. */
export function makeSpout<S extends StreamValues>(
  given: Readonly<Record<string, unknown>>,
  open: SpoutDefinition['open'],
  mistakes: string[],
): SpoutComponent<S> {
  const report = (mistake: string) => void mistakes.push(mistake);
  if (given.output === undefined)
    report('output: expected the fields of its tuples, such as { n: t.number }, found none');
  const { replay = 'squall', retry } = given;
  if (replay !== 'squall' && replay !== 'source')
    report(`replay: expected 'squall' or 'source', found ${shown(replay)}`);
  if (replay === 'source' && retry !== undefined)
    report("retry: stands beside replay: 'source', where the source decides what is sent again; remove one of them");
  return Object.freeze({
    kind: 'spout',
    streams: declareStreams(given.output, given.streams, report),
    retry: completeRetry(retry, report),
    replay: replay === 'source' ? 'source' : 'squall',
    open,
    [COMPONENT]: Object.freeze({ mistakes: Object.freeze(mistakes) }),
  });
}
