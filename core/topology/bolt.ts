/** `defineBolt`: a step that takes tuples and emits others. */
import { SquallError, shown } from '../errors.js';
import { type BoltComponent, COMPONENT, checkInstance, whenMade } from './component.js';
import { CONCURRENCY, TIMER } from './component-config.js';
import type { BoltDefinition, BoltInstance, TaskContext } from './definition.js';
import type { EmitterOf } from './emitters.js';
import type { Fields } from './fields.js';
import { declareInputs, type InputOf, type NotBeside, type TupleOf } from './inputs.js';
import { checkFunctions, checkInteger, checkOptions, type Report } from './options.js';
import { declareStreams, type NoStreams, type StreamFields, type StreamsOf } from './streams.js';

/** One running bolt task: takes tuples with the values `I`, may emit on the streams `S`, acks as `A` says. */
export interface BoltHooks<I, S, A = 'auto'> {
  /**
   * `ack: 'auto'`: what it emits is anchored to the tuple, which is acked when it returns or resolves, and failed when it
   * throws or rejects. `ack: 'manual'`: `out.ack` and `out.fail` say so, then or later.
   */
  execute(tuple: TupleOf<I>, out: EmitterOf<S, A>): void | Promise<void>;
  /**
   * For sinks that write many tuples at once: none of a batch of executes is acked before it has resolved. For bolts with
   * `ack: 'auto'` and a concurrency of 1.
   */
  readonly flush?: A extends 'manual' ? "✗ flush is of no use with ack: 'manual': ack what was written" : Flush;
  /** every `tickEveryMs`; what it emits starts trees of its own */
  tick?(out: EmitterOf<S, A>): void | Promise<void>;
  /** every input of this task is over; what it emits starts trees of its own */
  end?(out: EmitterOf<S, A>): void | Promise<void>;
  /** at any orderly stop */
  cleanup?(): void | Promise<void>;
}
type Flush = () => void | Promise<void>;

export interface BoltSettings<I, O, S, M = never, A = 'auto'> {
  /** the fields it takes; left out: whatever the stream carries */
  readonly input?: I & NotBeside<M>;
  /** instead of `input`: the fields of each input, by its name, which `tuple.input` says */
  readonly inputs?: M;
  /** fields of the stream `default`, `direct(fields)` for a direct stream; left out: there is no such stream */
  readonly output?: O;
  /** fields of further streams, by name */
  readonly streams?: S;
  /** `auto` (default): acked when execute has returned or resolved; `manual`: by `out.ack` and `out.fail` */
  readonly ack?: A;
  /** async executes of a task that may overlap, 1 … 1024; default 1: in order */
  readonly concurrency?: number;
  readonly tickEveryMs?: number;
  /** an async execute that lasts longer is failed; default 10 × the message time-out */
  readonly executeTimeoutMs?: number;
  /** Is what it keeps in memory lost with its process? Default: whether it has a `prepare`. */
  readonly keepsState?: boolean;
}

/** Either the hooks themselves, or a `prepare` that makes them in each task's process. */
export type BoltOptions<I, O, S, M = never, A = 'auto'> = BoltSettings<I, O, S, M, A> &
  (
    | (BoltHooks<InputOf<I, M>, StreamsOf<O, S>, A> & { readonly prepare?: undefined })
    | {
        prepare(
          context: TaskContext,
        ): BoltHooks<InputOf<I, M>, StreamsOf<O, S>, A> | Promise<BoltHooks<InputOf<I, M>, StreamsOf<O, S>, A>>;
        readonly execute?: undefined;
        readonly flush?: undefined;
        readonly tick?: undefined;
        readonly end?: undefined;
        readonly cleanup?: undefined;
      }
  );

const OPTIONAL_HOOKS = ['flush', 'tick', 'end', 'cleanup'] as const;
const HOOKS = ['execute', ...OPTIONAL_HOOKS] as const;
const SETTINGS = [
  'input',
  'inputs',
  'output',
  'streams',
  'ack',
  'concurrency',
  'tickEveryMs',
  'executeTimeoutMs',
  'keepsState',
] as const satisfies readonly (keyof BoltSettings<Fields, StreamFields, NoStreams>)[];
const OPTIONS = [...SETTINGS, 'prepare', ...HOOKS];

/** Defines a bolt. Mistakes that only JavaScript can make are reported with those of the topology that it is in. */
export function defineBolt<
  I extends Fields = never,
  O extends StreamFields = never,
  S extends Readonly<Record<string, StreamFields>> = NoStreams,
  M extends Readonly<Record<string, Fields>> = never,
  A extends BoltDefinition['ack'] = 'auto',
>(options: BoltOptions<I, O, S, M, A>): BoltComponent<InputOf<I, M>, StreamsOf<O, S>> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(mistake);
  const given = checkOptions(options, OPTIONS, 'defineBolt', report);
  checkHooks(given, report);
  const { ack = 'auto', keepsState } = given;
  if (ack !== 'auto' && ack !== 'manual') report(`ack: expected 'auto' or 'manual', found ${shown(ack)}`);
  if (keepsState !== undefined && typeof keepsState !== 'boolean') {
    report(`keepsState: expected true or false, found ${shown(keepsState)}`);
  }
  const definition: BoltDefinition = {
    kind: 'bolt',
    streams: declareStreams(given.output, given.streams, report),
    inputs: declareInputs(given.input, given.inputs, report),
    tickEveryMs: checkInteger(given.tickEveryMs, TIMER, undefined, 'tickEveryMs', report),
    executeTimeoutMs: checkInteger(given.executeTimeoutMs, TIMER, undefined, 'executeTimeoutMs', report),
    ack: ack === 'manual' ? 'manual' : 'auto',
    concurrency: checkInteger(given.concurrency, CONCURRENCY, 1, 'concurrency', report),
    keepsState: typeof keepsState === 'boolean' ? keepsState : given.prepare !== undefined,
    prepare: (context) => prepare(given as Partial<BoltInstance & BoltDefinition>, context),
  };
  // Hooks that are none are reported as such, not for what they lack.
  const visible = given.prepare === undefined && given.execute !== undefined;
  const hooks = visible ? Object.freeze(HOOKS.filter((name) => given[name] !== undefined)) : undefined;
  return Object.freeze({ ...definition, [COMPONENT]: Object.freeze({ mistakes: Object.freeze(mistakes), hooks }) });
}

function prepare(
  options: Partial<BoltInstance & BoltDefinition>,
  context: TaskContext,
): BoltInstance | Promise<BoltInstance> {
  if (!options.prepare) {
    const { execute, flush, tick, end, cleanup } = options as BoltInstance;
    return { execute, flush, tick, end, cleanup };
  }
  return whenMade(options.prepare(context), (instance) => {
    checkInstance(instance, 'prepare', context.component, 'execute', OPTIONAL_HOOKS);
    const { concurrency, tickEveryMs } = context.config;
    const flush = instance.flush && flushProblem(options.ack, concurrency);
    const tick =
      instance.tick && tickEveryMs === undefined && 'tick, which is never called without tickEveryMs; add it';
    if (!flush && !tick) return instance;
    throw new SquallError('ERR_SQUALL_COMPONENT', `prepare of '${context.component}' returned a ${flush || tick}`, {
      facts: { component: context.component },
    });
  });
}

/** Why a bolt cannot have a `flush`, if so. Only executes in order, acked for the author, make a batch. */
export function flushProblem(ack: BoltDefinition['ack'] | undefined, concurrency: number): string | undefined {
  if (ack === 'manual') return "flush beside ack: 'manual'; remove one of them: out.ack may wait until all is written";
  if (concurrency > 1)
    return `flush beside concurrency: ${concurrency}; remove one of them: a batch is executed in order`;
  return undefined;
}

function checkHooks(given: Readonly<Record<string, unknown>>, report: Report): void {
  const { execute, prepare } = given;
  checkFunctions(given, ['prepare', ...HOOKS], report);
  if (execute === undefined && prepare === undefined) {
    report('defineBolt: expected execute(tuple, out), or prepare(context) that returns one; found neither');
  }
  if (prepare === undefined) return;
  for (const name of HOOKS) {
    if (given[name] !== undefined) report(`${name}: stands beside prepare; move it into what prepare returns`);
  }
}
