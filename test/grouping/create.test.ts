import test from 'ava';
import { createGrouping } from '../../core/grouping/create.js';
import { EVERY_TASK } from '../../core/grouping/grouping.js';

test('all: every task gets a copy, and every one must have room', (t) => {
  const all = createGrouping({ kind: 'all' }, 3, 1);
  t.is(all.choose({}), EVERY_TASK);
  all.moveOn(() => 0);
  t.is(all.choose({}), EVERY_TASK);
  t.true(all.needsEvery);
});

test('global: the task with the lowest number gets everything, whatever room others have', (t) => {
  const global = createGrouping({ kind: 'global' }, 3, 2);
  t.is(global.choose({}), 0);
  global.moveOn((index) => index);
  t.is(global.choose({}), 0);
});

test('fields: chooses by the declared keys alone', (t) => {
  const fields = createGrouping({ kind: 'fields', keys: ['word'] }, 16, 3);
  const chosen = new Set(Array.from({ length: 100 }, (_, n) => fields.choose({ word: 'moon', n })));
  t.is(chosen.size, 1);
});

test('shuffle: senders with different offsets begin at different tasks', (t) => {
  const first = [0, 1, 2, 3].map((offset) => createGrouping({ kind: 'shuffle' }, 3, offset).choose({}));
  t.deepEqual(first, [0, 1, 2, 0]);
});
