/** Checking what users hand in: every check reports and goes on, so that one report names all mistakes. */
import { shown } from '../errors.js';
import { nearest } from './names.js';

/** Takes one mistake: where, what was expected, what was found, what to do. */
export type Report = (mistake: string) => void;

/** A report that puts `where` before each mistake. */
export function within(where: string, report: Report): Report {
  return (mistake) => report(`${where}: ${mistake}`);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `options` as a record with known keys only; whatever is wrong is reported, and the result can be read anyway. */
export function checkOptions(
  options: unknown,
  known: readonly string[],
  what: string,
  report: Report,
): Readonly<Record<string, unknown>> {
  if (options === undefined) return {};
  if (!isRecord(options)) {
    report(`${what}: expected an object with ${known.join(', ')}, found ${shown(options)}`);
    return {};
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    report(`${what}: there is no option '${key}'${nearest(key, known)}; the options are ${known.join(', ')}`);
  }
  return options;
}

/** An integer within a range, or `fallback` where `value` is absent or wrong. */
export function checkInteger<F>(
  value: unknown,
  range: { readonly min: number; readonly max: number },
  fallback: F,
  what: string,
  report: Report,
): number | F {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= range.min && (value as number) <= range.max)
    return value as number;
  report(`${what}: expected an integer from ${range.min} to ${range.max}, found ${shown(value)}`);
  return fallback;
}

/** Are `names` in `options` functions, where they are there at all? */
export function checkFunctions(
  options: Readonly<Record<string, unknown>>,
  names: readonly string[],
  report: Report,
): void {
  for (const name of names) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'function')
      report(`${name}: expected a function, found ${shown(value)}`);
  }
}

/** Node's timers end at 2³¹ − 1 ms; a longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
