/** Checks of what a run has left, for the end-to-end tests. */
import { readFileSync } from 'node:fs';
import type { RunResult } from '../../core/index.js';

/** What is used of AVA's assertions. */
export interface Checks {
  is(actual: unknown, expected: unknown, message?: string): unknown;
  deepEqual(actual: unknown, expected: unknown, message?: string): unknown;
}

/** created = consumed + failed + written off + in flight, nothing is in flight, and nothing was lost without a cause. */
export function balanceCloses(t: Checks, { balance, spouts }: RunResult): void {
  const { created, consumed, failed, writtenOff, inFlight, mismatches, causes } = balance;
  t.is(created, consumed + failed + writtenOff + inFlight, `the balance closes: ${JSON.stringify(balance)}`);
  t.is(inFlight, 0, 'nothing is in flight');
  t.is(mismatches, 0, 'no edge was lost or doubled in silence');
  t.is(
    writtenOff,
    Object.values(causes).reduce((sum, count) => sum + count, 0),
    'what was written off has causes',
  );
  for (const [name, { pending }] of Object.entries(spouts)) t.is(pending, 0, `nothing of ${name} is pending`);
}

export interface Found {
  /** lines that are none of 0 … count − 1 */
  readonly strange: readonly string[];
  readonly missing: readonly number[];
  /** lines beyond the first of their number */
  readonly repeats: number;
}

/** What a sink wrote of the numbers 0 … count − 1, each the first column of a line. */
export function numbersIn(file: string, count: number): Found {
  const lines = readFileSync(file, 'utf8').split('\n');
  const torn = lines.pop();
  const seen = new Uint8Array(count);
  const strange = torn === '' ? [] : [`torn: ${torn}`];
  let repeats = 0;
  for (const line of lines) {
    const [text] = line.split('\t', 1);
    const number = Number(text);
    if (text === '' || !Number.isInteger(number) || number < 0 || number >= count) strange.push(line);
    else if (seen[number]++ > 0) repeats += 1;
  }
  const missing: number[] = [];
  for (let number = 0; number < count; number++) if (seen[number] === 0) missing.push(number);
  return { strange, missing, repeats };
}

/** The highest number at the beginning of a line. */
export function highestIn(file: string): number {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .reduce((highest, line) => Math.max(highest, Number.parseInt(line, 10)), -1);
}

/** Every number is there, and nothing else; returns how many lines there were too many. */
export function allPresent(t: Checks, file: string, count: number, except: readonly number[] = []): number {
  const { strange, missing, repeats } = numbersIn(file, count);
  t.deepEqual(strange.slice(0, 5), [], 'no line is torn or foreign');
  t.deepEqual(missing.slice(0, 5), except.slice(0, 5), `all numbers are there (${missing.length} are not)`);
  return repeats;
}

/** Independent of the engine: the words of a text and how often each comes. */
export function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  addWords(counts, text);
  return counts;
}
export function addWords(counts: Map<string, number>, text: string): void {
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
}

/** What word count wrote. A word that two tasks counted would be two lines, and is an error. */
export function countsIn(file: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [word, count] = line.split('\t');
    if (counts.has(word)) throw new Error(`"${word}" is there twice`);
    counts.set(word, Number(count));
  }
  return counts;
}

/** The first few words whose counts differ: `word: found, expected`. */
export function differences(found: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): string[] {
  const words = new Set([...found.keys(), ...expected.keys()]);
  return [...words]
    .filter((word) => found.get(word) !== expected.get(word))
    .slice(0, 5)
    .map((word) => `${word}: found ${found.get(word)}, expected ${expected.get(word)}`);
}
