/**
 * The last check before a subject reaches a network. The NATS client passes any string on: with a CRLF in it the server
 * reads a second command.
 */
import { SquallError } from '../errors.js';

/** A subject and its sizes must fit the server's control line (4096 bytes); ours have at most nine tokens. */
export const SUBJECT_LIMIT = 512;

const SUBJECT = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const PATTERN = /^(?:(?:[A-Za-z0-9_-]+|\*)\.)*(?:[A-Za-z0-9_-]+|\*|>)$/;

/** Throws ERR_SQUALL_BAD_SUBJECT unless `subject` may be published to. */
export function checkSubject(subject: string): void {
  if (subject.length > SUBJECT_LIMIT || !SUBJECT.test(subject))
    refuse(subject, 'tokens of A-Z a-z 0-9 _ - joined by dots');
}

/** Throws ERR_SQUALL_BAD_SUBJECT unless `pattern` may be subscribed to. */
export function checkPattern(pattern: string): void {
  if (pattern.length > SUBJECT_LIMIT || !PATTERN.test(pattern)) {
    refuse(pattern, 'tokens of A-Z a-z 0-9 _ - or *, joined by dots, the last may be >');
  }
}

/** Of users' own subjects: whatever NATS takes that cannot end a line of its protocol. */
const USER_SUBJECT = /^[^\s.*>\p{Cc}]+(?:\.[^\s.*>\p{Cc}]+)*$/u;
const USER_PATTERN = /^(?:(?:[^\s.*>\p{Cc}]+|\*)\.)*(?:[^\s.*>\p{Cc}]+|\*|>)$/u;

/** As `checkSubject`, of a subject that is not Squall's own. */
export function checkUserSubject(subject: string): void {
  if (typeof subject !== 'string' || subject.length > SUBJECT_LIMIT || !USER_SUBJECT.test(subject))
    refuse(String(subject), 'tokens joined by dots, without white space, * and >');
}

/** As `checkPattern`, of a subject that is not Squall's own. */
export function checkUserPattern(pattern: string): void {
  if (typeof pattern !== 'string' || pattern.length > SUBJECT_LIMIT || !USER_PATTERN.test(pattern))
    refuse(String(pattern), 'tokens without white space, or *, joined by dots, the last may be >');
}

/** Whether a message on `subject` reaches a subscription to `pattern`. Both are checked. */
export function subjectMatches(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  for (const [index, want] of wanted.entries()) {
    if (want === '>') return tokens.length > index;
    if (tokens[index] === undefined || (want !== '*' && want !== tokens[index])) return false;
  }
  return wanted.length === tokens.length;
}

/** Whether some subject matches both patterns. */
export function patternsOverlap(one: string, other: string): boolean {
  const a = one.split('.');
  const b = other.split('.');
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return false;
    if (left === '>' || right === '>') return true;
    if (left !== '*' && right !== '*' && left !== right) return false;
  }
  return true;
}

function refuse(subject: string, expected: string): never {
  // As JSON, cut: what is refused here may hold line ends, and the message is one line.
  const got = JSON.stringify(subject.slice(0, 80));
  throw new SquallError(
    'ERR_SQUALL_BAD_SUBJECT',
    `Expected a subject of at most ${SUBJECT_LIMIT} characters: ${expected}; got ${got}`,
    { facts: { subject } },
  );
}
