import test from 'ava';
import fc from 'fast-check';
import { checkPattern, checkSubject, patternsOverlap, subjectMatches } from '../../core/transport/subject-check.js';

const word = fc.constantFrom('a', 'b', 'c');
const subjects = fc.array(word, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const patterns = fc
  .tuple(fc.array(fc.oneof(word, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, rest]) => [...tokens, ...(rest ? ['>'] : [])].join('.'));

/** The pattern as a regular expression: another way to the same answer. */
function expression(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace('>', '.+')}$`);
}

test('a pattern matches what its regular expression matches', (t) => {
  fc.assert(
    fc.property(patterns, subjects, (pattern, subject) => {
      t.is(subjectMatches(pattern, subject), expression(pattern).test(subject), `${pattern} on ${subject}`);
    }),
  );
});

test('patterns overlap where one subject matches both', (t) => {
  fc.assert(
    fc.property(patterns, patterns, subjects, (one, other, subject) => {
      t.is(patternsOverlap(one, other), patternsOverlap(other, one));
      if (subjectMatches(one, subject) && subjectMatches(other, subject)) t.true(patternsOverlap(one, other));
    }),
  );
  t.true(patternsOverlap('a.*.c', 'a.b.*'));
  t.true(patternsOverlap('a.>', 'a.b.c'));
  t.false(patternsOverlap('a.>', 'a'));
  t.false(patternsOverlap('a.*', 'a.b.c'));
  t.false(patternsOverlap('a.b', 'a.c'));
});

test('whatever passes the check has neither space nor line end nor an empty token', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), subjects, patterns), (text) => {
      try {
        checkPattern(text);
      } catch (error) {
        t.is((error as { code?: string }).code, 'ERR_SQUALL_BAD_SUBJECT');
        return;
      }
      t.regex(text, /^[A-Za-z0-9_*>.-]+$/);
      t.true(text.split('.').every((part) => part !== ''));
    }),
    { numRuns: 1000 },
  );
});

test('the error shows line ends as escapes, on one line', (t) => {
  const error = t.throws(() => checkSubject('a\r\nPUB b 0\r\n'), { code: 'ERR_SQUALL_BAD_SUBJECT' });
  t.false(error?.message.includes('\n'));
  t.true(error?.message.includes(String.raw`"a\r\nPUB b 0\r\n"`));
});
