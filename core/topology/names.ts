/** Names of topologies, components and streams: they become tokens of NATS subjects, file names and process titles. */
import { shown } from '../errors.js';
import type { Report } from './options.js';

const NAME = /^[A-Za-z0-9-][A-Za-z0-9_-]{0,63}$/;

/** A leading underscore is Squall's own, as in `__acker`. */
export function checkName(name: unknown, report: Report): name is string {
  if (typeof name === 'string' && NAME.test(name)) return true;
  report(`expected a name of 1 to 64 characters from A-Z a-z 0-9 _ - that does not begin with _, found ${shown(name)}`);
  return false;
}

/** A name as messages quote it, whatever it is. */
export function quoted(name: unknown): string {
  return typeof name === 'string' && name.length <= 64 ? `'${name}'` : shown(name);
}

/** ` (did you mean 'lines'?)` for messages, or nothing where no candidate is near. */
export function nearest(name: unknown, candidates: Iterable<string>): string {
  if (typeof name !== 'string') return '';
  let best: string | undefined;
  let bestDistance = Math.floor((name.length + 1) / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === undefined ? '' : ` (did you mean '${best}'?)`;
}

/** Levenshtein's distance, a row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
