/** What both suites take, checked. */

import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SquallError, shown } from '../../errors.js';
import { checkInteger, isRecord, type Report } from '../../topology/options.js';

export interface CheckOptions {
  /** the file that exports the component: `new URL('./my-spout.ts', import.meta.url)` */
  readonly module: string | URL;
  /** for an export that is a function from parameters to a component */
  readonly parameters?: Readonly<Record<string, string>>;
  /** of the component; default 1 */
  readonly tasks?: number;
  /** lives that it goes through, each with other moments; default 1. More find more. */
  readonly rounds?: number;
  /** of the moments at which processes are killed; default: another each time, which is told */
  readonly seed?: number;
  /** messages in a round; default 1500 */
  readonly count?: number;
  /** for a round; default 300 000 */
  readonly timeoutMs?: number;
  /** told the seed at the beginning; default: `console.error` */
  readonly log?: (line: string) => void;
}

export const CHECK_OPTIONS = ['module', 'parameters', 'tasks', 'rounds', 'seed', 'count', 'timeoutMs', 'log'] as const;

/** Only a round that hangs comes near this, and one on a machine that has ten other things to do. */
const TIMEOUT_MS = 300_000;
/** A quarter of a second between two faults, at some thousand messages a second. */
const COUNT = 1500;
/** Fewer leave no room between the faults; more do not fit into the memory of the process that checks. */
const COUNTS = { min: 100, max: 1_000_000 } as const;
const ROUNDS = { min: 1, max: 10_000 } as const;
const TASKS = { min: 1, max: 64 } as const;
const TIMEOUTS = { min: 1000, max: 3_600_000 } as const;
export const MAX_SEED = 2 ** 32 - 1;

export interface CheckedOptions {
  readonly module: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tasks: number;
  readonly rounds: number;
  readonly seed: number;
  readonly count: number;
  readonly timeoutMs: number;
  readonly log: (line: string) => void;
}

export function checkCommon(given: Readonly<Record<string, unknown>>, report: Report): CheckedOptions {
  const { log = (line: string) => console.error(line) } = given;
  if (typeof log !== 'function') report(`log: expected a function, found ${shown(log)}`);
  return {
    module: fileOf(given.module, report),
    parameters: checkParameters(given.parameters, 'parameters', report),
    tasks: checkInteger(given.tasks, TASKS, 1, 'tasks', report),
    rounds: checkInteger(given.rounds, ROUNDS, 1, 'rounds', report),
    seed: checkInteger(given.seed, { min: 0, max: MAX_SEED }, Math.floor(Math.random() * MAX_SEED), 'seed', report),
    count: checkInteger(given.count, COUNTS, COUNT, 'count', report),
    timeoutMs: checkInteger(given.timeoutMs, TIMEOUTS, TIMEOUT_MS, 'timeoutMs', report),
    log: log as CheckedOptions['log'],
  };
}

export function checkName(value: unknown, name: string, report: Report): string {
  if (typeof value === 'string' && value !== '') return value;
  report(`${name}: expected the name of an export of the module, found ${shown(value)}`);
  return '';
}

/** Strings by name, as `--set` gives them. */
export function checkParameters(value: unknown, name: string, report: Report): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (isRecord(value) && Object.values(value).every((one) => typeof one === 'string'))
    return value as Readonly<Record<string, string>>;
  report(`${name}: expected strings by name, found ${shown(value)}`);
  return {};
}

/** All mistakes at once. @throws SquallError ERR_SQUALL_USAGE */
export function refuse(what: string, mistakes: readonly string[]): void {
  if (mistakes.length === 0) return;
  throw new SquallError('ERR_SQUALL_USAGE', `${what}: ${mistakes.join('; ')}`, { facts: { mistakes } });
}

function fileOf(module: unknown, report: Report): string {
  if (module instanceof URL && module.protocol === 'file:') return fileURLToPath(module);
  if (typeof module === 'string' && module.startsWith('file:')) return fileURLToPath(module);
  if (typeof module === 'string' && module !== '') return fileURLToPath(pathToFileURL(resolve(module)));
  report(
    `module: expected the file that exports the component, as new URL('./my.ts', import.meta.url), found ${shown(module)}`,
  );
  return '';
}
