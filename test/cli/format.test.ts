import test from 'ava';
import fc from 'fast-check';
import { clean, cut, dateTime, duration, plural, time, zone } from '../../cli/format.js';

test('durations have the digits that matter', (t) => {
  const shown = [0, 0.1234, 4.16, 99.4, 999.7, 1_234, 12_345, 59_600, 65_000, 3_599_600, 3_600_000, 5_000_000].map(
    duration,
  );
  t.deepEqual(shown, [
    '0 ms',
    '0.12 ms',
    '4.2 ms',
    '99 ms',
    '1.0 s',
    '1.2 s',
    '12 s',
    '1 min',
    '1 min 5 s',
    '1 h',
    '1 h',
    '1 h 23 min',
  ]);
});

test('date, time and zone together are the moment they show', (t) => {
  const at = Date.UTC(2026, 0, 31, 22, 59, 59, 123);
  t.is(Date.parse(`${dateTime(at).replace(' ', 'T')}.123${zone(at)}`), at);
  t.is(dateTime(at).slice(11), time(at).slice(0, 8));
});

test('one of something is no plural', (t) => {
  t.deepEqual([plural(0, 'task'), plural(1, 'task'), plural(1_200, 'task')], ['0 tasks', '1 task', '1,200 tasks']);
});

test('foreign text cannot steer the terminal, and what was in it can be seen', (t) => {
  t.is(clean('a\x1b[31mred\x1b[0m\x1b[2Jb\r\x07\u2028c\td'), 'ared\\x1b[2Jb\\x0d\\x07\\u2028c    d');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => t.notRegex(clean(text), /[\p{Cc}\p{Zl}\p{Zp}]/u)));
});

test('what is cut says so, and no character is cut in half', (t) => {
  t.deepEqual(
    [cut('abcdef', 6), cut('abcdef', 4), cut('😀😀😀', 3), cut('😀😀😀', 2)],
    ['abcdef', 'abc…', '😀😀😀', '😀…'],
  );
});
