import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { CustomGrouping } from '../../core/grouping/custom.js';
import { CHOSEN_TASKS } from '../../core/grouping/grouping.js';
import type { ChooseTasks } from '../../core/topology/definition.js';
import { holds } from '../support/property.js';

test('the function is given the values and the number of tasks, and its index is the choice', (t) => {
  const custom = new CustomGrouping(4, (values, tasks) => ((values.n as number) * 2) % tasks, 'here');
  t.deepEqual(
    [0, 1, 2, 3].map((n) => custom.choose({ n })),
    [0, 2, 0, 2],
  );
});

test('of a list every task is chosen once, in the order of the list', (t) => {
  const index = fc.integer({ min: 0, max: 4 });
  holds(
    t,
    fc.property(fc.array(fc.oneof(fc.array(index), index), { maxLength: 10 }), (answers) => {
      const custom = new CustomGrouping(5, (values) => answers[values.n as number], 'here');
      for (const [n, answer] of answers.entries()) {
        const choice = custom.choose({ n });
        if (typeof answer === 'number') assert.equal(choice, answer);
        else {
          assert.equal(choice, CHOSEN_TASKS);
          assert.deepEqual(custom.chosen, [...new Set(answer)]);
        }
      }
    }),
  );
});

test('an empty list means that nobody gets the tuple', (t) => {
  const custom = new CustomGrouping(2, (values) => (values.all === true ? [0, 1] : []), 'here');
  custom.choose({ all: true });
  t.is(custom.choose({}), CHOSEN_TASKS);
  t.deepEqual(custom.chosen, []);
});

test("what is no index of a task is refused at once, with what was expected, what came, and the edge's name", (t) => {
  const wrong: [unknown, RegExp][] = [
    [3, /it returned 3 \(number\)/],
    [-1, /it returned -1 \(number\)/],
    [-2, /it returned -2 \(number\)/],
    [1.5, /it returned 1\.5 \(number\)/],
    [Number.NaN, /it returned NaN \(number\)/],
    ['1', /it returned '1' \(string\)/],
    [1n, /it returned 1 \(bigint\)/],
    [undefined, /it returned undefined/],
    [null, /it returned null/],
    [{ 0: 1 }, /it returned \{"0":1\} \(object\)/],
    [new Uint8Array([1]), /\(object\)/],
    [[0, 3], /it returned \[0,3\] \(array\)/],
    [[0, [1]], /it returned \[0,\[1\]\] \(array\)/],
    [new Array(1), /it returned \[null\] \(array\)/],
    [Promise.resolve(1), /it returned a promise\. It cannot be async/],
  ];
  for (const [answer, message] of wrong) {
    const custom = new CustomGrouping(3, (() => answer) as ChooseTasks, 'split[2] to count');
    const error = t.throws(() => custom.choose({}), { code: 'ERR_SQUALL_GROUPING', message });
    t.regex(error?.message ?? '', /^split\[2\] to count: .* index of a task \(0 to 2\), or a list of such indexes/);
    t.is((error as unknown as { facts: { returned: unknown } }).facts.returned, answer);
  }
});

test('after a refusal the next choice counts as if nothing had been', (t) => {
  const answers: (readonly number[])[] = [
    [0, 1, 9],
    [0, 1],
  ];
  const custom = new CustomGrouping(2, () => answers.shift() ?? 0, 'here');
  t.throws(() => custom.choose({}));
  custom.choose({});
  t.deepEqual(custom.chosen, [0, 1]);
});

test('what the function throws comes out as it is', (t) => {
  const bug = new TypeError('bug');
  const custom = new CustomGrouping(
    2,
    () => {
      throw bug;
    },
    'here',
  );
  t.is(
    t.throws(() => custom.choose({})),
    bug,
  );
});
