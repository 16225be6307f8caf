/**
 * What the stream of dead letters holds, read. Whoever may publish to its subject can put anything there, so nothing is
 * believed: what is not a letter through and through is told as unreadable.
 */
import { unpack } from 'msgpackr';
import type { Failure } from '../topology/definition.js';
import type { DurableRecord } from '../transport/durable.js';
import type { DeadLetter, DeadLetterAttempt } from './dead-letter.js';

export interface StoredLetter {
  readonly seq: number;
  readonly letter: DeadLetter;
}

/** Broken, forged, or of another version. */
export interface UnreadableLetter {
  readonly seq: number;
  readonly letter?: undefined;
  /** wall clock of the server when it was stored, ms since 1970 */
  readonly storedAt: number;
  readonly why: string;
  readonly bytes: Uint8Array;
}

/** Beyond it a Date is invalid. */
const MAX_TIME_MS = 8.64e15;

export function readStored({ seq, bytes, timeMs }: DurableRecord): StoredLetter | UnreadableLetter {
  try {
    return { seq, letter: letterIn(unpack(bytes as Buffer)) };
  } catch (error) {
    return { seq, storedAt: timeMs, why: (error as Error).message, bytes };
  }
}

/** With the fields of a letter and no others. Throws where one is missing or of another type. */
function letterIn(value: unknown): DeadLetter {
  const given = fields(value, 'a letter');
  return {
    topology: text(given, 'topology'),
    run: text(given, 'run'),
    component: text(given, 'component'),
    task: figure(given, 'task'),
    epoch: figure(given, 'epoch'),
    stream: text(given, 'stream'),
    id: text(given, 'id'),
    tuple: text(given, 'tuple'),
    at: time(given, 'at'),
    reason: text(given, 'reason') as Failure['reason'],
    values: given.values,
    attempts: list(given, 'attempts').map(attemptIn),
  };
}

function attemptIn(value: unknown): DeadLetterAttempt {
  const given = fields(value, 'an attempt');
  const failure = fields(given.failure, 'failure');
  text(failure, 'reason');
  if (failure.component !== undefined) text(failure, 'component');
  if (failure.task !== undefined) figure(failure, 'task');
  if (failure.error !== undefined) {
    const error = fields(failure.error, 'error');
    text(error, 'name');
    text(error, 'message');
    if (error.stack !== undefined) text(error, 'stack');
  }
  return {
    attempt: figure(given, 'attempt'),
    startedAt: time(given, 'startedAt'),
    endedAt: time(given, 'endedAt'),
    failure: failure as unknown as Failure,
  };
}

type Given = Readonly<Record<string, unknown>>;

function fields(value: unknown, what: string): Given {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`it is not ${what}`);
  return value as Given;
}

function text(given: Given, name: string): string {
  const value = given[name];
  if (typeof value !== 'string') throw new Error(`its ${name} is no text`);
  return value;
}

function figure(given: Given, name: string): number {
  const value = given[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`its ${name} is no number`);
  return value;
}

function time(given: Given, name: string): number {
  const value = figure(given, name);
  if (Math.abs(value) > MAX_TIME_MS) throw new Error(`its ${name} is no time`);
  return value;
}

function list(given: Given, name: string): readonly unknown[] {
  const value = given[name];
  if (!Array.isArray(value)) throw new Error(`its ${name} are no list`);
  return value;
}
