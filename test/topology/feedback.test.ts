import test from 'ava';
import { defineBolt, spoutFrom, topology, t as type } from '../../core/index.js';
import { planOf } from '../../core/topology/plan.js';
import {
  type AnyFrom,
  anyBolt,
  base,
  begin,
  mistakesOf,
  oneMistake,
  pass,
  shuffle,
  shuffled,
  sink,
} from './javascript.js';

const numbers = spoutFrom({ output: { n: type.number } }, () => []);
const rank = defineBolt({
  inputs: { first: { n: type.number }, back: { n: type.number } },
  output: { n: type.number },
  execute() {},
});
/** `lines` → `a` → `b`, which nothing leads back from. */
const chain = base.bolt('a', pass, shuffle).bolt('b', pass, shuffled('a'));

test('an edge by .feedback comes after all others, and what it closes is a cycle of the plan', (t) => {
  const plan = planOf(
    topology('test')
      .spout('numbers', numbers)
      .bolt('rank', rank, (from) => ({ first: from.shuffle('numbers'), back: from.all('numbers') }))
      .bolt('spread', pass, (from) => from.shuffle('rank'))
      .feedback('rank', (from) => ({ back: from.fields('spread', ['n']) }))
      .bolt('sink', sink, (from) => from.shuffle('spread')),
  );
  t.deepEqual(
    plan.edges.map(({ index, source, target, input, feedback }) => [index, source, target, input, feedback]),
    [
      [0, 'numbers', 'rank', 'first', false],
      [1, 'numbers', 'rank', 'back', false],
      [2, 'rank', 'spread', 'default', false],
      [3, 'spread', 'sink', 'default', false],
      [4, 'spread', 'rank', 'back', true],
    ],
  );
  t.deepEqual(plan.cycles, [['rank', 'spread']]);
  t.deepEqual(
    plan.components.map(({ cycle }) => cycle),
    [undefined, 0, 0, undefined],
  );
  t.is(plan.components[1].inputs[2], plan.edges[4]);
});

test('a bolt may feed itself, and a topology may have several cycles, by their first components', (t) => {
  const plan = planOf(
    topology('test')
      .spout('numbers', numbers)
      .bolt('a', pass, (from) => from.shuffle('numbers'))
      .bolt('b', pass, (from) => from.shuffle('a'))
      .bolt('c', pass, (from) => from.shuffle('b'))
      .bolt('d', pass, (from) => from.shuffle('c'))
      .feedback('d', (from) => from.shuffle('d'))
      .feedback('a', (from) => [from.shuffle('b'), from.shuffle('a')]),
  );
  t.deepEqual(plan.cycles, [['a', 'b'], ['d']]);
  t.deepEqual(
    plan.edges.filter(({ feedback }) => feedback).map(({ source, target }) => [source, target]),
    [
      ['d', 'd'],
      ['b', 'a'],
      ['a', 'a'],
    ],
  );
  t.deepEqual(
    plan.components.map(({ cycle }) => cycle),
    [undefined, 0, 0, undefined, 1],
  );
});

test('a topology without cycle has none', (t) => {
  const plan = planOf(chain);
  t.deepEqual(plan.cycles, []);
  t.true(plan.components.every(({ cycle }) => cycle === undefined));
});

test('cycles are frozen', (t) => {
  const { cycles } = planOf(chain.feedback('a', shuffled('b')));
  t.true(Object.isFrozen(cycles) && cycles.every((names) => Object.isFrozen(names)));
});

test(
  'a cycle without feedback',
  oneMistake,
  () => base.bolt('a', pass, shuffled('b')).bolt('b', pass, shuffled('c')).bolt('c', pass, shuffled('a')),
  /^'a' → 'c' → 'b' → 'a' is a cycle; declare the edge that closes it by \.feedback\('a', \(from\) => from\.shuffle\('b'\)\) after both, not in \.bolt\('a', …\)$/,
);
test(
  'a bolt that takes from itself',
  oneMistake,
  () => base.bolt('x', anyBolt({ output: {}, execute() {} }), shuffled('x')),
  /^'x' → 'x' is a cycle; .* by \.feedback\('x', \(from\) => from\.shuffle\('x'\)\) after it, not/,
);
test(
  'a cycle without feedback beside one that is closed by it',
  oneMistake,
  () =>
    base
      .bolt('a', pass, (from: AnyFrom) => [from.shuffle('lines'), from.shuffle('b')])
      .bolt('b', pass, shuffled('a'))
      .bolt('c', pass, shuffled('b'))
      .feedback('b', shuffled('c')),
  /^'a' → 'b' → 'a' is a cycle/,
);
test(
  'feedback into what is not there',
  oneMistake,
  () => chain.bolt('count', pass, shuffled('a')).feedback('cuont', shuffled('b')),
  /^feedback 'cuont': there is no bolt of this name \(did you mean 'count'\?\); there are a, b, count$/,
);
test(
  'feedback into a spout',
  oneMistake,
  () => chain.feedback('lines', shuffled('b')),
  /^feedback 'lines': a spout takes nothing; name the bolt that the cycle leads back to$/,
);
test(
  'feedback into what is no name',
  oneMistake,
  () => chain.feedback(sink, shuffled('b')),
  /there is no bolt of this/,
);
test(
  'feedback that closes no cycle',
  oneMistake,
  () => chain.feedback('b', shuffled('lines')),
  /^feedback 'b': 'lines' gets nothing of 'b', so this closes no cycle; take it in \.bolt\('b', …\)$/,
);
test(
  'feedback without function',
  oneMistake,
  () => chain.feedback('a'),
  /^feedback 'a': expected the function that says what it takes/,
);
test(
  'feedback from what is not there',
  oneMistake,
  () => chain.feedback('a', shuffled('c')),
  /^feedback 'a': takes from 'c', which is no component/,
);
test(
  'feedback of what the bolt takes already',
  oneMistake,
  () => chain.feedback('a', shuffled('b')).feedback('a', shuffled('b')),
  /^feedback 'a': takes stream 'b' twice; remove one of them$/,
);
test(
  'feedback into an input that is not there',
  oneMistake,
  () => ranked((from) => ({ bac: from.shuffle('b') })),
  /^feedback 'rank': its \(from\) => … names the input 'bac' \(did you mean 'back'\?\); it has first, back$/,
);
test('feedback into no input', oneMistake, () => ranked(() => ({})), /names no input; it has first, back$/);
test(
  'feedback that the input cannot take',
  oneMistake,
  () =>
    ranked((from) => ({ back: from.shuffle('c') })).bolt(
      'c',
      anyBolt({ output: { word: type.string }, execute() {} }),
      shuffled('rank'),
    ),
  /^feedback 'rank': takes field 'n', which stream 'c' does not carry; it carries word$/,
);

test('the mistakes of feedback are reported with all others', (t) => {
  const wrong = chain.bolt('c', pass, shuffled('d')).feedback('e', shuffled('b')).feedback('b', shuffled('lines'));
  t.is(mistakesOf(wrong).length, 3);
});

function ranked(back: (from: AnyFrom) => unknown) {
  return begin('test')
    .spout('numbers', numbers)
    .bolt('rank', rank, (from: AnyFrom) => ({ first: from.shuffle('numbers'), back: from.all('numbers') }))
    .bolt('b', pass, shuffled('rank'))
    .feedback('rank', back);
}

test('an input of which bolt says [] takes what feedback brings, and nothing else', (t) => {
  const page = { page: type.string };
  const rank = defineBolt({ inputs: { pages: page, mass: page }, output: page, execute() {} });
  const plan = planOf(
    topology('t')
      .spout(
        'web',
        spoutFrom({ output: page }, () => []),
      )
      .bolt('rank', rank, (from) => ({ pages: from.shuffle('web'), mass: [] }))
      .feedback('rank', (from) => ({ mass: from.fields('rank', ['page']) })),
  );
  t.deepEqual(
    plan.edges.map(({ source, input, feedback }) => [source, input, feedback]),
    [
      ['web', 'pages', false],
      ['rank', 'mass', true],
    ],
  );
});
