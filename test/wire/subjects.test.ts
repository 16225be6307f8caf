import test from 'ava';
import fc from 'fast-check';
import { checkToken, Subjects } from '../../core/wire/subjects.js';

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

test('the subjects of a run are those of the wire format', (t) => {
  const subjects = new Subjects('word-count', 'r7');
  t.is(subjects.data(3, 2), 'squall.word-count.r7.t.3.2');
  t.is(subjects.acks(9, 1), 'squall.word-count.r7.a.9.1');
  t.is(subjects.ledger(1, 4), 'squall.word-count.r7.s.1.4');
  t.is(subjects.credit(3), 'squall.word-count.r7.c.3');
  t.is(subjects.everyone, 'squall.word-count.r7.c.all');
  t.is(subjects.metrics(0), 'squall.word-count.r7.m.0');
  t.is(subjects.metrics('w-1'), 'squall.word-count.r7.m.w-1');
  t.is(subjects.everything, 'squall.word-count.r7.>');
  t.is(new Subjects('t', 'r', 'prod').base, 'prod.t.r');
});

test('whatever the names, the subject of a task begins with its run and has six tokens', (t) => {
  fc.assert(
    fc.property(token, token, fc.nat(), fc.nat(), (topology, run, task, epoch) => {
      const subjects = new Subjects(topology, run);
      for (const subject of [subjects.data(task, epoch), subjects.acks(task, epoch), subjects.ledger(task, epoch)]) {
        t.deepEqual(subject.split('.').slice(0, 3), ['squall', topology, run]);
        t.is(subject.split('.').length, 6);
      }
    }),
  );
});

test('a name that is no token is refused, and the error says which and what it was', (t) => {
  const bad = ['', 'a.b', 'a b', 'a\r\nPUB x 0', '*', '>', 'ü', 'x'.repeat(65), undefined, 7];
  for (const name of bad) {
    const expected = { code: 'ERR_SQUALL_BAD_SUBJECT', message: /topology/ };
    t.throws(() => new Subjects(name as string, 'r'), expected, String(name));
    t.throws(() => checkToken('run', name), { code: 'ERR_SQUALL_BAD_SUBJECT', message: /run/ });
  }
  const subjects = new Subjects('t', 'r');
  for (const number of [-1, 1.5, Number.NaN, 2 ** 53, '1' as unknown as number]) {
    t.throws(() => subjects.data(number, 1), { code: 'ERR_SQUALL_BAD_SUBJECT', message: /task/ });
    t.throws(() => subjects.data(1, number), { code: 'ERR_SQUALL_BAD_SUBJECT', message: /epoch/ });
  }
});
