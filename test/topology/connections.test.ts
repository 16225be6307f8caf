import test from 'ava';
import { defineBolt, defineSpout, direct, spoutFrom, topology, t as type } from '../../core/index.js';
import type { EdgePlan } from '../../core/topology/definition.js';
import { planOf } from '../../core/topology/plan.js';
import {
  type AnyFrom,
  anyBolt,
  base,
  begin,
  lines,
  mistakesOf,
  oneMistake,
  shuffled,
  sink,
  split,
} from './javascript.js';

const rows = spoutFrom({ output: { key: type.string, n: type.number } }, () => []);
const join = defineBolt({
  inputs: { left: { key: type.string, n: type.number }, right: { key: type.string } },
  output: { key: type.string },
  execute() {},
});
const routing = defineSpout({
  output: { n: type.number },
  streams: { routed: direct({ n: type.number }) },
  open: () => ({ next: () => 'done' as const }),
});
const two = begin('test').spout('a', rows).spout('b', rows);

function told({ index, source, stream, target, input, grouping }: EdgePlan): readonly unknown[] {
  return [index, source, stream.name, target, input, grouping.kind];
}

// Inputs.

test('each input has its edges, several where it says so, in the order they were declared', (t) => {
  const plan = planOf(
    topology('test')
      .spout('a', rows)
      .spout('b', rows)
      .bolt('join', join, (from) => ({
        right: [from.all('b'), from.global('a')],
        left: from.fields('a', ['key']),
      }))
      .bolt('sink', sink, (from) => [from.shuffle('join'), from.none('a')]),
  );
  t.deepEqual(plan.edges.map(told), [
    [0, 'b', 'default', 'join', 'right', 'all'],
    [1, 'a', 'default', 'join', 'right', 'global'],
    [2, 'a', 'default', 'join', 'left', 'fields'],
    [3, 'join', 'default', 'sink', 'default', 'shuffle'],
    [4, 'a', 'default', 'sink', 'default', 'none'],
  ]);
  t.true(plan.edges.every(({ feedback }) => !feedback));
  t.deepEqual(plan.components[2].inputs, plan.edges.slice(0, 3));
});

test('one stream may go to two inputs of a bolt', (t) => {
  const both = (from: AnyFrom) => ({ left: from.shuffle('a'), right: from.shuffle('a') });
  t.deepEqual(mistakesOf(two.bolt('join', join, both)), []);
});

test(
  'an input that is missing',
  oneMistake,
  () => two.bolt('x', join, (from: AnyFrom) => ({ left: from.shuffle('a') })),
  /bolt 'x': its \(from\) => … says nothing of the input 'right'; add right: from…/,
);
test(
  'an input that is undefined',
  oneMistake,
  () => two.bolt('x', join, (from: AnyFrom) => ({ left: from.shuffle('a'), right: undefined })),
  /bolt 'x': its \(from\) => … returned undefined for the input 'right'; return an edge/,
);
test(
  'an input that is not there',
  oneMistake,
  () => two.bolt('x', join, (from: AnyFrom) => ({ ...leftAndRight(from), rigt: from.shuffle('b') })),
  /bolt 'x': its \(from\) => … names the input 'rigt' \(did you mean 'right'\?\); it has left, right/,
);
test(
  'an empty array for an input',
  oneMistake,
  () => two.bolt('x', join, (from: AnyFrom) => ({ ...leftAndRight(from), right: [] })),
  /bolt 'x': its \(from\) => … returned an empty array for the input 'right'; name a stream that it takes, or declare with \.feedback/,
);
test('an empty array', oneMistake, () => base.bolt('x', sink, () => []), /returned an empty array; name a stream/);
test(
  'an array with something else',
  oneMistake,
  () => base.bolt('x', sink, (from: AnyFrom) => [from.shuffle('lines'), 'lines']),
  /returned an array with 'lines' \(string\); expected edges only/,
);
test(
  'an edge for a bolt with named inputs',
  oneMistake,
  () => two.bolt('x', join, shuffled('a')),
  /returned an edge; it has the inputs left, right: return \{ left: from… \}/,
);
test(
  'an array for a bolt with named inputs',
  oneMistake,
  () => two.bolt('x', join, (from: AnyFrom) => [from.shuffle('a')]),
  /returned \[\{\}\] \(array\); it has the inputs left, right/,
);
test(
  'a record for a bolt with one input',
  oneMistake,
  () => base.bolt('x', split, (from: AnyFrom) => ({ left: from.shuffle('lines') })),
  /returned edges by name, but it has one input only: return an array, or declare inputs/,
);
test(
  'a stream twice for one input',
  oneMistake,
  () => base.bolt('x', sink, (from: AnyFrom) => [from.shuffle('lines'), from.all('lines')]),
  /bolt 'x': takes stream 'lines' twice; remove one of them/,
);
test(
  'a stream twice for a named input',
  oneMistake,
  () => two.bolt('x', join, (from: AnyFrom) => ({ ...leftAndRight(from), left: [from.all('a'), from.shuffle('a')] })),
  /takes stream 'a' twice for the input 'left'/,
);
test(
  'an input whose fields the stream lacks',
  oneMistake,
  () =>
    two
      .bolt('m', join, leftAndRight)
      .bolt('x', join, (from: AnyFrom) => ({ ...leftAndRight(from), left: from.all('m') })),
  /bolt 'x': takes field 'n', which stream 'm' does not carry; it carries key/,
);

test('what inputs declares is checked', (t) => {
  const execute = () => {};
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ execute, inputs: {} }, /inputs: expected inputs by name, such as .*, found \{\}/],
    [{ execute, inputs: [] }, /inputs: expected inputs by name, such as .*, found \[\]/],
    [{ execute, inputs: { a: 3 } }, /inputs\.a: expected fields such as/],
    [{ execute, inputs: { _a: {} } }, /inputs: expected a name of 1 to 64 characters/],
    [{ execute, inputs: { default: {} } }, /inputs: 'default' is the name of what input declares; choose another/],
    [{ execute, inputs: { a: direct({}) } }, /inputs\.a: direct\(…\) is not possible here/],
    [{ execute, input: {}, inputs: { a: {} } }, /input: stands beside inputs; move it in there/],
  ];
  for (const [options, expected] of wrong) {
    const one = (from: AnyFrom) => ({ a: from.shuffle('lines') });
    const [mistake, ...more] = mistakesOf(base.bolt('x', anyBolt(options), one));
    t.regex(mistake ?? '', expected);
    t.deepEqual(more, [], mistake);
  }
});

test('mistakes in all edges of a bolt are in one report', (t) => {
  const wrong = two.bolt('x', join, (from: AnyFrom) => ({
    left: [from.shuffle('aa'), from.fields('a', ['k'])],
    rigth: from.shuffle('c'),
  }));
  t.deepEqual(mistakesOf(wrong), [
    "bolt 'x': its (from) => … names the input 'rigth' (did you mean 'right'?); it has left, right",
    "bolt 'x': its (from) => … says nothing of the input 'right'; add right: from…",
    "bolt 'x': takes from 'aa', which is no component (did you mean 'a'?); there are a, b, x",
    "bolt 'x': groups by field 'k', which stream 'a' has not; it has key, n",
    "bolt 'x': takes from 'c', which is no component; there are a, b, x",
  ]);
});

// Groupings and direct streams.

test('each grouping is noted with what it needs', (t) => {
  const choose = (values: { n: number }, tasks: number) => values.n % tasks;
  const plan = planOf(
    topology('test')
      .spout('routing', routing)
      .bolt('a', sink, (from) => from.partialKey('routing', ['n']))
      .bolt('b', sink, (from) => from.none('routing'))
      .bolt('c', sink, (from) => from.direct('routing', { stream: 'routed' }))
      .bolt('d', sink, (from) => from.localOrShuffle('routing'))
      .bolt('e', sink, (from) => from.custom('routing', choose)),
  );
  t.deepEqual(
    plan.edges.map(({ grouping }) => grouping),
    [
      { kind: 'partialKey', keys: ['n'] },
      { kind: 'none' },
      { kind: 'direct' },
      { kind: 'localOrShuffle' },
      { kind: 'custom', choose: choose as never },
    ],
  );
  t.deepEqual(
    plan.components[0].definition.streams.map(({ name, direct }) => [name, direct]),
    [
      ['default', false],
      ['routed', true],
    ],
  );
});

test('an output may be direct', (t) => {
  const bolt = defineBolt({ output: direct({ n: type.number }), execute() {} });
  t.deepEqual(bolt.streams, [{ name: 'default', fields: [{ name: 'n', type: type.number }], direct: true }]);
});

test(
  'a direct stream by another grouping',
  oneMistake,
  () =>
    begin('test')
      .spout('r', routing)
      .bolt('x', sink, shuffled('r', { stream: 'routed' })),
  /bolt 'x': takes stream 'routed' of 'r', which is direct, by from\.shuffle; take it by from\.direct/,
);
test(
  'a stream that is not direct by from.direct',
  oneMistake,
  () => base.bolt('x', sink, (from: AnyFrom) => from.direct('lines')),
  /bolt 'x': takes stream 'lines', which is not direct, by from\.direct; take it by another grouping, or declare it/,
);
test(
  'a custom grouping without function',
  oneMistake,
  () => base.bolt('x', sink, (from: AnyFrom) => from.custom('lines', { stream: 'default' })),
  /from\.custom\('lines', …\): expected a function \(values, tasks\) => index, found \{"stream":"default"\}/,
);
test(
  'a partial key that is not there',
  oneMistake,
  () => base.bolt('x', sink, (from: AnyFrom) => from.partialKey('lines', ['lin'])),
  /groups by field 'lin', which stream 'lines' has not \(did you mean 'line'\?\)/,
);
test(
  'a partial key grouping on no field',
  oneMistake,
  () => base.bolt('x', sink, (from: AnyFrom) => from.partialKey('lines')),
  /from\.partialKey\('lines', …\): expected at least one field, such as \['line'\], found undefined/,
);
test(
  'a stream of a bolt that is none is not said to be missing',
  oneMistake,
  () => {
    return begin('test').spout('lines', lines).bolt('x', {}, shuffled('lines')).bolt('y', sink, shuffled('x'));
  },
  /bolt 'x': expected what defineBolt returns/,
);

function leftAndRight(from: AnyFrom): Record<string, unknown> {
  return { left: from.shuffle('a'), right: from.shuffle('b') };
}
