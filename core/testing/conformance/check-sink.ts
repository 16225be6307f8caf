/** `checkSink`: does a bolt keep the promises of a sink, whatever dies, and whenever? */
import { SquallError, shown } from '../../errors.js';
import { checkFunctions, checkOptions, isRecord } from '../../topology/options.js';
import { Seeded } from '../seeded.js';
import {
  CHECK_OPTIONS,
  type CheckedOptions,
  type CheckOptions,
  checkCommon,
  checkName,
  checkParameters,
  refuse,
} from './check-options.js';
import { type CheckPlace, Laboratory } from './place.js';
import type { SinkEvidence } from './sink-evidence.js';
import { sinkLife } from './sink-life.js';
import { repeated, sinkVerdict } from './sink-verdict.js';
import type { Kill } from './trial.js';
import { broken, type Violation } from './violations.js';

/** How the store is broken for a while, and mended. */
export interface StoreOutage {
  begin(place: CheckPlace): unknown;
  end(place: CheckPlace): unknown;
}

export interface SinkCheckOptions extends CheckOptions {
  /** name of the export: a bolt, or a function from parameters to one */
  readonly sink: string;
  /** Makes a store for each round; what it returns are parameters for the component, beside those of the options. */
  prepare?(
    place: CheckPlace,
  ): Readonly<Record<string, string>> | undefined | void | Promise<Readonly<Record<string, string>> | undefined | void>;
  /** Keys of all messages that the store holds at this moment, in its order; one that is there twice, twice. */
  read(place: CheckPlace): readonly string[] | Promise<readonly string[]>;
  /**
   * Name of an exported function from a number to the values of a tuple, the same for the same number. Default: tuples
   * `{ key: 'message-000017', n: 17 }`.
   */
  readonly values?: string;
  /** which message these values are; default: their `key` */
  keyOf?(values: Record<string, unknown>): string;
  /** it stores each message once, however often it comes; default false */
  readonly idempotent?: boolean;
  /** what one task sends is stored in the order it was sent, while nothing fails; default false */
  readonly ordered?: boolean;
  /** with it: while the store is broken tuples fail, or wait, and afterwards nothing is missing */
  readonly outage?: StoreOutage;
}

/** What a sink went through. */
export interface SinkRound {
  readonly round: number;
  readonly keys: number;
  /** in order; who, and which share of the messages was complete */
  readonly kills: readonly Kill[];
  /** tuples that were sent again, by any cause */
  readonly replays: number;
  /** in the store at the end */
  readonly stored: number;
  /** messages that are there more than once */
  readonly duplicates: number;
  /** messages that were acked when the sink was killed, and looked for then; the largest number of them */
  readonly ackedAtKill: number;
  /** the first error that a tuple failed with while the store was broken */
  readonly outageError: string | undefined;
}

export interface SinkReport {
  readonly seed: number;
  readonly rounds: readonly SinkRound[];
}

const OPTIONS = [
  ...CHECK_OPTIONS,
  'sink',
  'prepare',
  'read',
  'values',
  'keyOf',
  'idempotent',
  'ordered',
  'outage',
] as const satisfies readonly (keyof SinkCheckOptions)[];

/**
 * Runs the bolt behind numbered messages in real processes with a nats-server of its own, replays trees, kills its
 * process right after acks, kills ackers, cuts the run off and resumes it, and looks what the store holds.
 *
 * @throws SquallError ERR_SQUALL_CONFORMANCE, which names each broken promise (`facts`: `violations`, `report`);
 * ERR_SQUALL_USAGE where the options or the component cannot be used
 */
export async function checkSink(options: SinkCheckOptions): Promise<SinkReport> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(mistake);
  const given = checkOptions(options, OPTIONS, 'checkSink', report);
  const common = checkCommon(given, report);
  const sink = checkName(given.sink, 'sink', report);
  if (given.values !== undefined) checkName(given.values, 'values', report);
  if (given.read === undefined) report('read: expected a function, found none');
  checkFunctions(given, ['read', 'prepare', 'keyOf'], report);
  for (const name of ['idempotent', 'ordered'] as const)
    if (given[name] !== undefined && typeof given[name] !== 'boolean')
      report(`${name}: expected true or false, found ${shown(given[name])}`);
  if (given.outage !== undefined) {
    if (!isRecord(given.outage) || given.outage.begin === undefined || given.outage.end === undefined)
      report(`outage: expected { begin, end }, found ${shown(given.outage)}`);
    else checkFunctions(given.outage, ['begin', 'end'], report);
  }
  refuse('checkSink', mistakes);

  const { seed, rounds, log } = common;
  log(`checkSink ${sink}: seed ${seed}`);
  const laboratory = await Laboratory.open(log);
  const done: SinkRound[] = [];
  const violations: Violation[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const evidence = await oneRound(options, common, laboratory, round);
      done.push(summary(evidence, round));
      violations.push(...sinkVerdict(evidence, round));
    }
  } finally {
    await laboratory.close();
  }
  const result: SinkReport = { seed, rounds: done };
  if (violations.length > 0) throw broken(`the sink ${sink}`, violations, result);
  return result;
}

async function oneRound(
  options: SinkCheckOptions,
  { module, parameters, tasks, seed, count, timeoutMs }: CheckedOptions,
  laboratory: Laboratory,
  round: number,
): Promise<SinkEvidence> {
  const place = laboratory.place(round);
  const made = (await options.prepare?.(place)) ?? undefined;
  const mistakes: string[] = [];
  const own = checkParameters(made, 'prepare', (mistake) => mistakes.push(mistake));
  refuse('checkSink', mistakes);
  const { sink, values, idempotent = false, ordered = false, outage } = options;
  return sinkLife({
    module,
    sink,
    parameters: { ...parameters, ...own },
    values,
    keyOf: options.keyOf?.bind(options) ?? ((tuple) => String(tuple.key)),
    tasks,
    count,
    idempotent,
    ordered,
    read: async () => checkedKeys(await options.read(place)),
    outage: outage && { begin: () => outage.begin(place), end: () => outage.end(place) },
    seed,
    round,
    random: new Seeded(seed).random(`round ${round}`),
    connection: laboratory.connection,
    notes: laboratory.notes(round),
    timeoutMs,
  });
}

function checkedKeys(keys: unknown): readonly string[] {
  if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) return keys;
  throw new SquallError('ERR_SQUALL_USAGE', `checkSink: read: expected the keys as strings, found ${shown(keys)}`);
}

function summary(evidence: SinkEvidence, round: number): SinkRound {
  const { keys, kills, replays, stored, readings, outage } = evidence;
  return {
    round,
    keys: keys.length,
    kills,
    replays,
    stored: stored.length,
    duplicates: repeated(stored).length,
    ackedAtKill: Math.max(0, ...readings.map(({ acked }) => acked)),
    outageError: outage?.errors[0],
  };
}
