/** A dead letter as a row, as JSON, and in full. */
import { inspect } from 'node:util';
import type { DeadLetter, DeadLetterAttempt } from '../core/inspect/dead-letter.js';
import type { StoredLetter, UnreadableLetter } from '../core/inspect/stored-letter.js';
import type { Failure } from '../core/topology/definition.js';
import { clean, count, dateTime, duration, plural, time, zone } from './format.js';
import type { Style } from './style.js';
import type { Column } from './table.js';

export const LETTER_COLUMNS: readonly Column[] = [
  { title: 'n', align: 'right', keep: 9 },
  { title: 'when', align: 'left', keep: 3 },
  { title: 'from', align: 'left', keep: 5 },
  { title: 'id', align: 'left', keep: 8 },
  { title: 'attempts', align: 'right', keep: 2 },
  { title: 'reason', align: 'left', keep: 6 },
  { title: 'error', align: 'left', keep: 7 },
];

/** Behind how many letters cannot be read. */
export const WHOSE =
  'cannot be read: broken, of another version, or put there by somebody who may publish to the subject of dead letters';
/** A screen full of bytes tells what they are. */
const HEAD_BYTES = 512;

type Stored = StoredLetter | UnreadableLetter;

export function letterRow(stored: Stored): string[] {
  const { seq, letter } = stored;
  if (letter === undefined)
    return [String(seq), dateTime(stored.storedAt), '-', '-', '-', 'unreadable', clean(stored.why)];
  const { component, task, id, at, attempts, reason } = letter;
  const failure = attempts.at(-1)?.failure;
  return [
    String(seq),
    dateTime(at),
    clean(`${component}[${task}]`),
    clean(id),
    count(attempts.length),
    clean(reason),
    failure?.error === undefined ? '' : clean(errorTitle(failure.error).split('\n')[0]),
  ];
}

/** In one line. A bigint becomes its digits, bytes become base64. */
export function letterJson(stored: Stored): string {
  const { seq, letter } = stored;
  const { storedAt, why, bytes } = stored as Partial<UnreadableLetter>;
  return JSON.stringify(
    { number: seq, ...(letter ?? { unreadable: why, storedAt, bytes }) },
    function (this: Record<string, unknown>, key: string, value: unknown) {
      // Bytes know how to become JSON, and have done so to `value`.
      const original = this[key];
      if (original instanceof Uint8Array) return Buffer.from(original).toString('base64');
      return typeof value === 'bigint' ? String(value) : value;
    },
  );
}

export function letterLines(stored: Stored, style: Style): string[] {
  const { seq, letter } = stored;
  if (letter === undefined) return unreadableLines(stored, style);
  const { topology, run, component, task, epoch, stream, id, tuple, at, reason, values, attempts } = letter;
  const field = (name: string, text: string) => `${style.dim(name.padEnd(8))} ${clean(text)}`;
  return [
    style.bold(clean(`dead letter ${seq} of ${topology}`)),
    field('id', id),
    field('tuple', tuple),
    field('from', `${component}[${task}], stream ${stream}, epoch ${epoch}`),
    field('died', `${dateTime(at)} ${zone(at)}, after ${plural(attempts.length, 'attempt')}${spanOf(letter)}`),
    field('reason', reason),
    field('run', run),
    style.dim('values'),
    ...indented(valueLines(values)),
    ...attempts.flatMap((attempt) => ['', ...attemptLines(attempt, style)]),
  ];
}

function unreadableLines({ seq, storedAt, why, bytes }: UnreadableLetter, style: Style): string[] {
  const more = bytes.length > HEAD_BYTES ? ` and ${plural(bytes.length - HEAD_BYTES, 'more byte')}` : '';
  return [
    style.bold(`dead letter ${seq}`),
    `It ${WHOSE}.`,
    ...indented([
      `stored ${dateTime(storedAt)} ${zone(storedAt)}: ${why}`,
      `${valueText(bytes.subarray(0, HEAD_BYTES))}${more}`,
    ]),
  ];
}

function spanOf({ attempts }: DeadLetter): string {
  const [first, last] = [attempts[0], attempts.at(-1)];
  return first === undefined || last === undefined
    ? ''
    : ` in ${duration(Math.max(0, last.endedAt - first.startedAt))}`;
}

function attemptLines({ attempt, startedAt, endedAt, failure }: DeadLetterAttempt, style: Style): string[] {
  const { reason, component, task, error } = failure;
  const where = component === undefined ? '' : ` in ${component}${task === undefined ? '' : `[${task}]`}`;
  const took = duration(Math.max(0, endedAt - startedAt));
  return [
    `${style.bold(`attempt ${attempt}`)}  ${time(startedAt)} to ${time(endedAt)} (${took}): ${style.red(clean(reason))}${clean(where)}`,
    ...(error === undefined ? [] : indented(errorLines(error))),
  ];
}

type FailureError = NonNullable<Failure['error']>;

function errorTitle({ name, message }: FailureError): string {
  return `${name}: ${message}`;
}

/** A stack begins with name and message, unless the message was changed since. */
function errorLines(error: FailureError): string[] {
  const { message, stack } = error;
  if (stack === undefined) return errorTitle(error).split('\n');
  return (stack.includes(message) ? stack : `${errorTitle(error)}\n${stack}`).split('\n');
}

/** Fields one below the other, each in full. */
function valueLines(values: unknown): string[] {
  if (typeof values !== 'object' || values === null) return valueText(values).split('\n');
  const entries = Object.entries(values);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.flatMap(([name, value]) => {
    const [first, ...rest] = valueText(value).split('\n');
    return [`${name.padEnd(width)}  ${first}`, ...rest.map((line) => `${' '.repeat(width + 2)}${line}`)];
  });
}

function valueText(value: unknown): string {
  if (value instanceof Uint8Array) return `${plural(value.length, 'byte')} ${Buffer.from(value).toString('hex')}`;
  const all = Number.POSITIVE_INFINITY;
  return inspect(value, { depth: all, maxArrayLength: all, maxStringLength: all, breakLength: 100 });
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${clean(line)}`);
}

/** For a topology that has none; also where it has never run. */
export function none(topology: string): string {
  return `${topology} has no dead letters\n`;
}
