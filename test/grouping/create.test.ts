import test from 'ava';
import { createGrouping, type GroupingContext } from '../../core/grouping/create.js';
import { EVERY_TASK, type Grouping } from '../../core/grouping/grouping.js';
import type { GroupingSpec } from '../../core/topology/definition.js';

const context: GroupingContext = { where: 'here', offset: 1, isLocal: () => false };

function create(spec: GroupingSpec, targets: number, more: Partial<GroupingContext> = {}): Grouping {
  return createGrouping(spec, targets, { ...context, ...more });
}
function first(grouping: Grouping, tuples: number): number[] {
  return Array.from({ length: tuples }, () => grouping.choose({}));
}

test('all: every task gets a copy', (t) => {
  const all = create({ kind: 'all' }, 3);
  t.is(all.choose({}), EVERY_TASK);
  all.moveOn();
  t.is(all.choose({}), EVERY_TASK);
});

test('global: the task with the lowest number gets everything, and its room alone counts', (t) => {
  const global = create({ kind: 'global' }, 3);
  t.is(global.choose({}), 0);
  global.moveOn();
  t.is(global.choose({}), 0);
  t.true(global.hasRoom((index) => index === 0));
  t.false(global.hasRoom((index) => index !== 0));
});

test('a grouping whose choice hangs on the values, or is made by others, needs room at every task', (t) => {
  const specs: GroupingSpec[] = [
    { kind: 'all' },
    { kind: 'fields', keys: ['word'] },
    { kind: 'partialKey', keys: ['word'] },
    { kind: 'direct' },
    { kind: 'custom', choose: () => 0 },
  ];
  for (const spec of specs) {
    const grouping = create(spec, 3);
    t.true(
      grouping.hasRoom(() => true),
      spec.kind,
    );
    for (const full of [0, 1, 2]) {
      t.false(
        grouping.hasRoom((index) => index !== full),
        spec.kind,
      );
    }
  }
});

test('fields and partialKey choose by the declared keys alone', (t) => {
  for (const [kind, tasks] of [['fields', 1] as const, ['partialKey', 2] as const]) {
    const grouping = create({ kind, keys: ['word'] }, 16);
    const chosen = new Set(Array.from({ length: 100 }, (_, n) => grouping.choose({ word: 'moon', n })));
    t.is(chosen.size, tasks, kind);
  }
});

test('shuffle and none: senders with different offsets begin at different tasks', (t) => {
  for (const kind of ['shuffle', 'none'] as const) {
    const starts = [0, 1, 2, 3].map((offset) => create({ kind }, 3, { offset }).choose({}));
    t.deepEqual(starts, [0, 1, 2, 0], kind);
  }
});

test('shuffle and none use every task, wherever it is', (t) => {
  for (const kind of ['shuffle', 'none'] as const) {
    t.deepEqual(first(create({ kind }, 3, { isLocal: (index) => index === 2 }), 4), [1, 2, 0, 1], kind);
  }
});

test("localOrShuffle deals among the tasks of the sender's process", (t) => {
  const local = create({ kind: 'localOrShuffle' }, 5, { isLocal: (index) => index === 1 || index === 4, offset: 0 });
  t.deepEqual(first(local, 4), [1, 4, 1, 4]);
  t.true(local.hasRoom((index) => index === 4));
  t.false(
    local.hasRoom((index) => index !== 1 && index !== 4),
    'room elsewhere is of no use',
  );
});

test('localOrShuffle deals among all tasks where none is in the process', (t) => {
  const anywhere = create({ kind: 'localOrShuffle' }, 3);
  t.deepEqual(first(anywhere, 4), [1, 2, 0, 1]);
  t.true(anywhere.hasRoom((index) => index === 2));
});

test('shuffle, none and localOrShuffle choose by the loads they are given', (t) => {
  for (const kind of ['shuffle', 'none', 'localOrShuffle'] as const) {
    const loads = { load: (index: number) => 100 - index, speed: () => 1 };
    t.is(create({ kind }, 4, { loads, isLocal: (index) => index < 3 }).choose({}), kind === 'localOrShuffle' ? 2 : 3);
  }
});

test('direct: nothing asks it to choose', (t) => {
  t.throws(() => create({ kind: 'direct' }, 3).choose({}), { message: /emitDirect/ });
});
