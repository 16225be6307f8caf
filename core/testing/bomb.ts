/** `bomb`: a bolt that goes wrong now and then, in a way that the seed decides. In tests and in real topologies. */
import { setTimeout as delay } from 'node:timers/promises';
import { shown } from '../errors.js';
import { hashValues } from '../grouping/hash.js';
import { defineBolt } from '../topology/bolt.js';
import { type BoltComponent, COMPONENT, isComponent, whenMade } from '../topology/component.js';
import type { BoltDefinition, BoltInstance, BoltOut, TaskContext, Tuple } from '../topology/definition.js';
import type { Fields, Values } from '../topology/fields.js';
import { checkOptions } from '../topology/options.js';
import type { NoStreams, StreamsOf } from '../topology/streams.js';
import { localOf, waitsForNothingReal } from './local-handle.js';

/** A chance from 0 to 1, drawn for each attempt of each tuple; or a function that says which tuples it hits. */
export type Chance = number | ((tuple: Tuple) => boolean);

/** What may happen to a tuple, in the order in which it is looked at: the first that hits counts. */
export interface BombOptions {
  /** the process exits, or the worker of a local run dies; a tuple's chance is drawn anew in each successor */
  readonly exits?: Chance;
  /** execute returns a promise that never settles */
  readonly hangs?: Chance;
  /** execute throws */
  readonly throws?: Chance;
  /** execute rejects; with `ack: 'manual'` the tuple is failed */
  readonly fails?: Chance;
  /** every tuple takes this much longer, or those that `slows` hits */
  readonly slowsDownMs?: number;
  readonly slows?: Chance;
  /** default 1: another seed hits other tuples */
  readonly seed?: number;
}

const CHANCES = ['exits', 'hangs', 'throws', 'fails', 'slows'] as const;
const OPTIONS = [...CHANCES, 'slowsDownMs', 'seed'] as const satisfies readonly (keyof BombOptions)[];
const EXIT_CODE = 1;

/**
 * `bolt` as it is, but that things go wrong. Whether they do follows from the seed, the tuple's id and its attempt: the
 * same tuple meets the same fate in every run, and a replay may succeed.
 */
export function bomb<I, S extends Record<string, object>>(
  bolt: BoltComponent<I, S>,
  options: BombOptions,
): BoltComponent<I, S>;
/** A bolt that passes on the fields of `output`, or, without, takes any stream and emits nothing. */
export function bomb(options: BombOptions): BoltComponent<Record<string, unknown>, NoStreams>;
export function bomb<O extends Fields>(
  options: BombOptions & { readonly output: O },
): BoltComponent<Values<O>, StreamsOf<O, NoStreams>>;
export function bomb(first: unknown, second?: BombOptions): unknown {
  if (isComponent(first)) return wrapped(first as BoltComponent, second ?? {});
  const { output, ...options } = (first ?? {}) as BombOptions & { readonly output?: Fields };
  if (output === undefined) return wrapped(defineBolt({ execute() {} }) as BoltComponent, options);
  const pass = defineBolt({
    input: output,
    output,
    execute({ values }, out) {
      out.emit(values);
    },
  });
  return wrapped(pass as unknown as BoltComponent, options);
}

function wrapped(bolt: BoltComponent, options: BombOptions): BoltComponent {
  const mistakes = [...bolt[COMPONENT].mistakes];
  check(options, (mistake) => mistakes.push(mistake));
  return Object.freeze({
    ...bolt,
    prepare: (context: TaskContext) => whenMade(bolt.prepare(context), (inner) => armed(inner, bolt, options, context)),
    [COMPONENT]: Object.freeze({ ...bolt[COMPONENT], mistakes: Object.freeze(mistakes) }),
  });
}

function check(options: BombOptions, report: (mistake: string) => void): void {
  const given = checkOptions(options, OPTIONS, 'bomb', report);
  for (const name of CHANCES) {
    const chance = given[name];
    if (chance === undefined || typeof chance === 'function') continue;
    if (typeof chance !== 'number' || !(chance >= 0 && chance <= 1))
      report(`bomb: ${name}: expected a chance from 0 to 1, or a function, found ${shown(chance)}`);
  }
  const { slowsDownMs } = given;
  if (slowsDownMs !== undefined && !(typeof slowsDownMs === 'number' && slowsDownMs >= 0))
    report(`bomb: slowsDownMs: expected milliseconds, found ${shown(slowsDownMs)}`);
  if (given.slows !== undefined && slowsDownMs === undefined) report('bomb: slows: needs slowsDownMs');
}

function armed(inner: BoltInstance, { ack }: BoltDefinition, options: BombOptions, context: TaskContext): BoltInstance {
  const { slowsDownMs = 0, slows = 1, seed = 1 } = options;
  const where = `${context.component}[${context.task}]`;
  const local = localOf(context);
  const hits = (name: (typeof CHANCES)[number], tuple: Tuple, chance = options[name] ?? 0): boolean => {
    if (typeof chance === 'function') return chance(tuple);
    if (chance <= 0 || chance >= 1) return chance >= 1;
    // where the spout dies too, attempts begin at 1 again: without the epoch the same tuple would kill each successor
    const life = name === 'exits' ? context.epoch : 1;
    return hashValues([name, seed, tuple.id, tuple.attempt, life]) / 2 ** 32 < chance;
  };
  const never = (): Promise<void> => waitsForNothingReal(new Promise(() => {}));
  const slowed = async (tuple: Tuple, out: BoltOut): Promise<void> => {
    if (local === undefined) await delay(slowsDownMs);
    else await local.sleep(slowsDownMs);
    const executed = inner.execute(tuple, out);
    if (executed === undefined) return;
    // some thenables do their work anew with each `then`
    const promise = Promise.resolve(executed);
    local?.waitFor(`execute of ${where}`, promise);
    await promise;
  };
  return {
    execute(tuple, out) {
      if (hits('exits', tuple)) {
        if (local === undefined) process.exit(EXIT_CODE);
        local.exit('bomb');
        return never();
      }
      if (hits('hangs', tuple)) return never();
      if (hits('throws', tuple)) throw new Error(`bomb: thrown in ${where}`);
      if (hits('fails', tuple)) {
        const error = new Error(`bomb: failed in ${where}`);
        if (ack === 'auto') return Promise.reject(error);
        out.fail(tuple, error);
        return undefined;
      }
      if (slowsDownMs > 0 && hits('slows', tuple, slows)) return waitsForNothingReal(slowed(tuple, out));
      return inner.execute(tuple, out);
    },
    flush: inner.flush && (() => inner.flush?.()),
    tick: inner.tick && ((out) => inner.tick?.(out)),
    end: inner.end && ((out) => inner.end?.(out)),
    cleanup: inner.cleanup && (() => inner.cleanup?.()),
  };
}
