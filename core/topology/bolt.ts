/** `defineBolt`: a step that takes tuples and emits others. */

import { shown } from '../errors.js';
import { type BoltComponent, COMPONENT, checkInstance, whenMade } from './component.js';
import type { BoltDefinition, BoltInstance, TaskContext, Tuple } from './definition.js';
import { declareFields, type Fields, type Values } from './fields.js';
import { checkFunctions, checkInteger, checkOptions, MAX_TIMER_MS, type Report } from './options.js';
import { type BoltEmitter, declareStreams, type NoStreams, type StreamsOf } from './streams.js';

/** The input of a bolt that has one. */
const DEFAULT_INPUT = 'default';

/** The values that `input: I` takes; `I` is never where it is left out, and the bolt takes what the stream carries. */
export type InputOf<I> = [I] extends [never] ? Record<string, unknown> : Values<I>;

/** One running bolt task: takes tuples with the values `I`, may emit on the streams `S`. */
export interface BoltHooks<I, S> {
  /** What it emits is anchored to the tuple; acked when it returns or resolves, failed when it throws or rejects. */
  execute(tuple: Tuple<I>, out: BoltEmitter<S>): void | Promise<void>;
  /** for sinks that write many tuples at once: none of a batch of executes is acked before it has resolved */
  flush?(): void | Promise<void>;
  /** every `tickEveryMs`; what it emits starts trees of its own */
  tick?(out: BoltEmitter<S>): void | Promise<void>;
  /** every input of this task is over; what it emits starts trees of its own */
  end?(out: BoltEmitter<S>): void | Promise<void>;
  /** at any orderly stop */
  cleanup?(): void | Promise<void>;
}

export interface BoltSettings<I, O, S> {
  /** the fields it takes; left out: whatever the stream carries */
  readonly input?: I;
  /** fields of the stream `default`; left out: there is no such stream */
  readonly output?: O;
  /** fields of further streams, by name */
  readonly streams?: S;
  readonly tickEveryMs?: number;
  /** an async execute that lasts longer is failed; default 10 × the message time-out */
  readonly executeTimeoutMs?: number;
  /** Is what it keeps in memory lost with its process? Default: whether it has a `prepare`. */
  readonly keepsState?: boolean;
}

/** Either the hooks themselves, or a `prepare` that makes them in each task's process. */
export type BoltOptions<I, O, S> = BoltSettings<I, O, S> &
  (
    | (BoltHooks<InputOf<I>, StreamsOf<O, S>> & { readonly prepare?: undefined })
    | {
        prepare(
          context: TaskContext,
        ): BoltHooks<InputOf<I>, StreamsOf<O, S>> | Promise<BoltHooks<InputOf<I>, StreamsOf<O, S>>>;
        readonly execute?: undefined;
        readonly flush?: undefined;
        readonly tick?: undefined;
        readonly end?: undefined;
        readonly cleanup?: undefined;
      }
  );

const OPTIONAL_HOOKS = ['flush', 'tick', 'end', 'cleanup'] as const;
const SETTINGS = [
  'input',
  'output',
  'streams',
  'tickEveryMs',
  'executeTimeoutMs',
  'keepsState',
] as const satisfies readonly (keyof BoltSettings<Fields, Fields, NoStreams>)[];
const OPTIONS = [...SETTINGS, 'execute', 'prepare', ...OPTIONAL_HOOKS];
const TIMER = { min: 1, max: MAX_TIMER_MS };

/** Defines a bolt. Mistakes that only JavaScript can make are reported with those of the topology that it is in. */
export function defineBolt<
  I extends Fields = never,
  O extends Fields = never,
  S extends Readonly<Record<string, Fields>> = NoStreams,
>(options: BoltOptions<I, O, S>): BoltComponent<InputOf<I>, StreamsOf<O, S>> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(mistake);
  const given = checkOptions(options, OPTIONS, 'defineBolt', report);
  checkHooks(given, report);
  const { input, keepsState } = given;
  if (keepsState !== undefined && typeof keepsState !== 'boolean') {
    report(`keepsState: expected true or false, found ${shown(keepsState)}`);
  }
  const fields = input === undefined ? undefined : declareFields(input, 'input', report);
  const definition: BoltDefinition = {
    kind: 'bolt',
    streams: declareStreams(given.output, given.streams, report),
    inputs: Object.freeze([Object.freeze({ name: DEFAULT_INPUT, fields })]),
    tickEveryMs: checkInteger(given.tickEveryMs, TIMER, undefined, 'tickEveryMs', report),
    executeTimeoutMs: checkInteger(given.executeTimeoutMs, TIMER, undefined, 'executeTimeoutMs', report),
    ack: 'auto',
    concurrency: 1,
    keepsState: typeof keepsState === 'boolean' ? keepsState : given.prepare !== undefined,
    prepare: (context) => prepare(given as Partial<BoltInstance & Pick<BoltDefinition, 'prepare'>>, context),
  };
  return Object.freeze({ ...definition, [COMPONENT]: Object.freeze({ mistakes: Object.freeze(mistakes) }) });
}

function prepare(
  options: Partial<BoltInstance & Pick<BoltDefinition, 'prepare'>>,
  context: TaskContext,
): BoltInstance | Promise<BoltInstance> {
  if (!options.prepare) {
    const { execute, flush, tick, end, cleanup } = options as BoltInstance;
    return { execute, flush, tick, end, cleanup };
  }
  return whenMade(options.prepare(context), (instance) =>
    checkInstance(instance, 'prepare', context.component, 'execute', OPTIONAL_HOOKS),
  );
}

function checkHooks(given: Readonly<Record<string, unknown>>, report: Report): void {
  const { execute, prepare, tick, tickEveryMs } = given;
  checkFunctions(given, ['execute', 'prepare', ...OPTIONAL_HOOKS], report);
  if (execute === undefined && prepare === undefined) {
    report('defineBolt: expected execute(tuple, out), or prepare(context) that returns one; found neither');
  }
  if (prepare !== undefined) {
    for (const name of ['execute', ...OPTIONAL_HOOKS]) {
      if (given[name] !== undefined) report(`${name}: stands beside prepare; move it into what prepare returns`);
    }
  } else if (tick !== undefined && tickEveryMs === undefined) {
    report('tick: is never called without tickEveryMs; add it');
  } else if (tick === undefined && tickEveryMs !== undefined) {
    report('tickEveryMs: there is no tick(out) to call; add it');
  }
}
