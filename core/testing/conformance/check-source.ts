/** `checkSource`: does a spout keep the promises of a source, whatever dies, and whenever? */
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
import type { KeyOf, SourceEvidence } from './source-evidence.js';
import { sourceLife } from './source-life.js';
import { repeatedAfter, sourceVerdict } from './source-verdict.js';
import type { Kill } from './trial.js';
import { broken, type Violation } from './violations.js';

/** What `fill` has put into the source. */
export interface FilledSource {
  /** of all messages, each another */
  readonly keys: readonly string[];
  /** further messages that can never be emitted: the source must reject them; default 0 */
  readonly rejects?: number;
  /** for the component, beside those of the options */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface SourceCheckOptions extends CheckOptions {
  /** name of the export: a spout, or a function from parameters to one */
  readonly spout: string;
  /** Puts about so many messages into a source of its own for each round, before anybody reads them. */
  fill(place: CheckPlace & { readonly count: number }): FilledSource | Promise<FilledSource>;
  /** which message a tuple is */
  readonly keyOf: KeyOf;
}

/** What a source went through. */
export interface SourceRound {
  readonly round: number;
  readonly keys: number;
  /** in order; who, and which share of the messages had come through */
  readonly kills: readonly Kill[];
  readonly emitted: number;
  readonly arrived: number;
  /** messages that arrived more than once, by how much in all */
  readonly repeats: number;
  readonly rejected: number;
  /** emitted again after an orderly stop, though they were complete */
  readonly repeatsAfterDrain: number;
  /** share of a processor that the source took while it had nothing; undefined: it was over by then */
  readonly idleShare: number | undefined;
}

export interface SourceReport {
  readonly seed: number;
  readonly rounds: readonly SourceRound[];
}

const OPTIONS = [...CHECK_OPTIONS, 'spout', 'fill', 'keyOf'] as const satisfies readonly (keyof SourceCheckOptions)[];

/**
 * Runs the spout in real processes with a nats-server of its own, kills its process, bolts and ackers, cuts the run off,
 * drains and resumes it, and looks whether each message came through under the same id, and what came again.
 *
 * @throws SquallError ERR_SQUALL_CONFORMANCE, which names each broken promise (`facts`: `violations`, `report`);
 * ERR_SQUALL_USAGE where the options or the component cannot be used
 */
export async function checkSource(options: SourceCheckOptions): Promise<SourceReport> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(mistake);
  const given = checkOptions(options, OPTIONS, 'checkSource', report);
  const common = checkCommon(given, report);
  const spout = checkName(given.spout, 'spout', report);
  for (const name of ['fill', 'keyOf'] as const)
    if (given[name] === undefined) report(`${name}: expected a function, found none`);
  checkFunctions(given, ['fill', 'keyOf'], report);
  refuse('checkSource', mistakes);

  const { seed, rounds, log } = common;
  log(`checkSource ${spout}: seed ${seed}`);
  const laboratory = await Laboratory.open(log);
  const done: SourceRound[] = [];
  const violations: Violation[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const evidence = await oneRound(options, common, laboratory, round);
      done.push(summary(evidence, round));
      violations.push(...sourceVerdict(evidence, round));
    }
  } finally {
    await laboratory.close();
  }
  const result: SourceReport = { seed, rounds: done };
  if (violations.length > 0) throw broken(`the source ${spout}`, violations, result);
  return result;
}

async function oneRound(
  { spout, fill, keyOf }: SourceCheckOptions,
  { module, parameters, tasks, seed, count, timeoutMs }: CheckedOptions,
  laboratory: Laboratory,
  round: number,
): Promise<SourceEvidence> {
  const filled = await fill({ ...laboratory.place(round), count });
  checkFilled(filled);
  return sourceLife({
    module,
    spout,
    parameters: { ...parameters, ...filled.parameters },
    tasks,
    keys: filled.keys,
    rejects: filled.rejects ?? 0,
    keyOf,
    seed,
    round,
    random: new Seeded(seed).random(`round ${round}`),
    connection: laboratory.connection,
    notes: laboratory.notes(round),
    timeoutMs,
  });
}

/** Messages of the same key could not be told apart, and one that is lost would not be missed. */
function checkFilled(filled: unknown): void {
  const mistakes: string[] = [];
  const { keys, rejects, parameters } = isRecord(filled) ? filled : {};
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every((key) => typeof key === 'string'))
    mistakes.push(`expected { keys: [string, …] } of the messages, found ${shown(filled)}`);
  else if (new Set(keys).size < keys.length)
    mistakes.push(`expected another key for each message, found ${keys.length - new Set(keys).size} repeated ones`);
  if (rejects !== undefined && !(Number.isInteger(rejects) && (rejects as number) >= 0))
    mistakes.push(`rejects: expected a number of messages, found ${shown(rejects)}`);
  checkParameters(parameters, 'parameters', (mistake) => mistakes.push(mistake));
  if (mistakes.length > 0) throw new SquallError('ERR_SQUALL_USAGE', `checkSource: fill: ${mistakes.join('; ')}`);
}

function summary(evidence: SourceEvidence, round: number): SourceRound {
  const { keys, kills, acts, arrivals, starts, idleShare } = evidence;
  const ids = (of: string) => acts.filter(({ what }) => what === of);
  const drained = starts.findIndex(({ how }) => how === 'drained');
  return {
    round,
    keys: keys.length,
    kills,
    emitted: ids('emit').length,
    arrived: new Set(arrivals.map(({ key }) => key)).size,
    repeats: arrivals.length - new Set(arrivals.map(({ key }) => key)).size,
    rejected: new Set(ids('reject').map(({ id }) => id)).size,
    repeatsAfterDrain: drained < 0 ? 0 : repeatedAfter(acts, drained).length,
    idleShare,
  };
}
