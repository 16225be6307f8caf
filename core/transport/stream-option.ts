/** The `make` option of components that use a stream: how it is made where there is none. */
import { shown } from '../errors.js';
import { checkInteger, checkOptions, MAX_TIMER_MS, type Report, within } from '../topology/options.js';
import type { StreamConfig } from './durable.js';
import { checkUserPattern } from './subject-check.js';

/** A file stream. */
export interface MakeStream {
  readonly name: string;
  /** what it stores; may have wildcards */
  readonly subjects: readonly string[];
  /** default 1 GiB; beyond it `discard` decides */
  readonly maxBytes?: number;
  /** default: for ever */
  readonly maxAgeMs?: number;
  /**
   * Of a full stream: `old` (default) drops its oldest messages, read or not; `new` refuses what comes until there is
   * room, which whoever publishes has to hear.
   */
  readonly discard?: 'old' | 'new';
  /**
   * `limits` (default): messages stay until a limit is reached, and several consumers can read them. `workqueue`: each
   * goes when it is processed, which makes room; the stream has one consumer, which begins with all.
   */
  readonly retention?: 'limits' | 'workqueue';
}

const OPTIONS = [
  'name',
  'subjects',
  'maxBytes',
  'maxAgeMs',
  'discard',
  'retention',
] as const satisfies readonly (keyof MakeStream)[];
const MAX_BYTES = 1 << 30;

export const STREAM_NAME = /^[A-Za-z0-9_-]{1,64}$/;

export function checkMakeStream(make: unknown, report: Report): StreamConfig | undefined {
  if (make === undefined) return undefined;
  const to = within('make', report);
  const { name, subjects, maxBytes, maxAgeMs, discard, retention } = checkOptions(make, OPTIONS, 'make', report);
  if (typeof name !== 'string' || !STREAM_NAME.test(name))
    to(`name: expected the name of a stream, of A-Z a-z 0-9 _ -, found ${shown(name)}`);
  if (!Array.isArray(subjects) || subjects.length === 0)
    to(`subjects: expected an array of subjects, found ${shown(subjects)}`);
  else {
    for (const subject of subjects) {
      try {
        checkUserPattern(subject as string);
      } catch (error) {
        to(`subjects: ${(error as Error).message}`);
      }
    }
  }
  if (discard !== undefined && discard !== 'old' && discard !== 'new')
    to(`discard: expected 'old' or 'new', found ${shown(discard)}`);
  if (retention !== undefined && retention !== 'limits' && retention !== 'workqueue')
    to(`retention: expected 'limits' or 'workqueue', found ${shown(retention)}`);
  const bytes = checkInteger(maxBytes, { min: 1, max: Number.MAX_SAFE_INTEGER }, MAX_BYTES, 'maxBytes', to);
  const age = checkInteger(maxAgeMs, { min: 1000, max: MAX_TIMER_MS * 1000 }, undefined, 'maxAgeMs', to);
  return {
    name: name as string,
    subjects: subjects as string[],
    maxBytes: bytes,
    ...(age === undefined ? {} : { maxAgeMs: age }),
    ...(discard === undefined ? {} : { discard: discard as 'old' | 'new' }),
    ...(retention === undefined ? {} : { retention: retention as 'limits' | 'workqueue' }),
  };
}
