import test from 'ava';
import {
  defineBolt,
  SquallError,
  type Topology,
  topology,
  t as type,
  direct as typedDirect,
} from '../../core/index.js';
import { planOf } from '../../core/topology/plan.js';
import {
  type AnyFrom,
  anyBolt,
  anySpout,
  anySpoutFrom,
  base,
  begin,
  type Connect,
  lines,
  mistakesOf,
  oneMistake,
  shuffle,
  shuffled,
  sink,
  split,
} from './javascript.js';

// What a plan is.

test('tasks are numbered from 1 in declaration order, edges from 0', (t) => {
  const plan = planOf(
    topology('word-count')
      .spout('lines', lines, { tasks: 2 })
      .bolt('split', split, (from) => from.shuffle('lines'), { tasks: 3 })
      .bolt('log', sink, (from) => from.all('lines'))
      .bolt('sink', sink, (from) => from.fields('split', ['word']), { tasks: 4 }),
  );
  t.is(plan.name, 'word-count');
  t.deepEqual(
    plan.components.map(({ name, index, firstTask, tasks }) => [name, index, firstTask, tasks]),
    [
      ['lines', 0, 1, 2],
      ['split', 1, 3, 3],
      ['log', 2, 6, 1],
      ['sink', 3, 7, 4],
    ],
  );
  t.deepEqual(
    plan.edges.map(({ index, source, stream, target, input, grouping }) => [
      index,
      source,
      stream.name,
      target,
      input,
      grouping,
    ]),
    [
      [0, 'lines', 'default', 'split', 'default', { kind: 'shuffle' }],
      [1, 'lines', 'default', 'log', 'default', { kind: 'all' }],
      [2, 'split', 'default', 'sink', 'default', { kind: 'fields', keys: ['word'] }],
    ],
  );
  const [first, second, third] = plan.edges;
  t.deepEqual(
    plan.components.map(({ inputs }) => inputs),
    [[], [first], [second], [third]],
  );
  t.deepEqual(
    plan.components.map(({ outputs }) => outputs),
    [[first, second], [third], [], []],
  );
  t.is(plan.components[1].definition, split);
});

test('a named stream is taken by its name', (t) => {
  const failing = defineBolt({
    input: { line: type.string },
    streams: { errors: { text: type.string } },
    execute() {},
  });
  const plan = planOf(
    topology('test')
      .spout('lines', lines)
      .bolt('failing', failing, (from) => from.global('lines'))
      .bolt('log', sink, (from) => from.shuffle('failing', { stream: 'errors' })),
  );
  t.is(plan.edges[1].stream, failing.streams[0]);
});

test('settings that are left out take their defaults; a later config replaces an earlier one, key by key', (t) => {
  t.deepEqual(planOf(base).config, { maxSpoutPending: 8192, messageTimeoutMs: 30_000, lingerMs: 1 });
  const config = planOf(base.config({ lingerMs: 0, maxSpoutPending: 1 }).config({ maxSpoutPending: 500_000 })).config;
  t.deepEqual(config, { maxSpoutPending: 500_000, messageTimeoutMs: 30_000, lingerMs: 0 });
});

test('a plan is frozen throughout', (t) => {
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
  t.true(frozen(planOf(base.bolt('sink', sink, (from: AnyFrom) => from.fields('lines', ['line'])))));
});

test('steps make new topologies: a beginning can be shared, a definition used twice', (t) => {
  const one = base.bolt('a', split, shuffle);
  const two = base.bolt('a', split, shuffle).bolt('b', split, shuffle);
  t.deepEqual(
    planOf(base).components.map(({ name }) => name),
    ['lines'],
  );
  t.deepEqual(
    planOf(one).components.map(({ name }) => name),
    ['lines', 'a'],
  );
  t.deepEqual(
    planOf(two).components.map(({ name }) => name),
    ['lines', 'a', 'b'],
  );
});

test('a source may be declared after what takes from it', (t) => {
  const plan = planOf(begin('test').bolt('split', split, shuffle).spout('lines', lines));
  t.deepEqual(
    plan.edges.map(({ source, target }) => [source, target]),
    [['lines', 'split']],
  );
});

// What is refused.

test('all mistakes are in one report, a line each, and as a list', (t) => {
  const wrong = begin('my topology')
    .spout('lines', anySpout({ ouput: {} }))
    .bolt('split', split, (from: AnyFrom) => from.shuffle('li\nnes'), { tasks: 0 })
    .config({ lingerMs: -1 });
  const error = t.throws(() => planOf(wrong), { instanceOf: SquallError, code: 'ERR_SQUALL_TOPOLOGY' });
  const [title, ...listed] = error?.message.split('\n') ?? [];
  t.is(title, "topology 'my topology' has 7 mistakes:");
  t.deepEqual(
    listed.map((line) => line.trim()),
    (error as SquallError).facts.mistakes,
  );
  t.deepEqual(listed, [
    "  name of the topology: expected a name of 1 to 64 characters from A-Z a-z 0-9 _ - that does not begin with _, found 'my topology' (string)",
    '  config.lingerMs: expected an integer from 0 to 1000, found -1 (number)',
    "  spout 'lines': defineSpout: there is no option 'ouput' (did you mean 'output'?); the options are output, streams, replay, retry, open",
    "  spout 'lines': open: expected a function open(context), found undefined",
    "  spout 'lines': output: expected the fields of its tuples, such as { n: t.number }, found none",
    "  bolt 'split': tasks: expected an integer from 1 to 1024, found 0 (number)",
    "  bolt 'split': takes from 'li nes', which is no component (did you mean 'lines'?); there are lines, split",
  ]);
});

test('what is wrong with a field is not said again of those that take it', (t) => {
  const spout = anySpout({ output: { line: 'string' }, open() {} });
  t.is(mistakesOf(begin('test').spout('lines', spout).bolt('split', split, shuffle)).length, 1);
});

test('names have 1 to 64 of the allowed characters and no leading underscore', (t) => {
  for (const name of ['a', 'A-z_0', '-', '9', 'x'.repeat(64)])
    t.deepEqual(mistakesOf(begin(name).spout(name, lines)), [], name);
  for (const name of [
    '',
    '_a',
    '__acker',
    'a b',
    'a.b',
    'a\r\nPUB',
    'ä',
    'x'.repeat(65),
    3,
    undefined,
    null,
    Symbol('x'),
  ]) {
    t.is(mistakesOf(begin(name).spout('lines', lines)).length, 1, String(name));
    t.is(mistakesOf(begin('test').spout(name, lines)).length, 1, String(name));
    t.is(mistakesOf(base.bolt(name, sink, shuffle)).length, 1, String(name));
  }
  const streams = anySpout({ output: {}, streams: { _a: {}, 'a b': {}, default: {} }, open() {} });
  const mistakes = mistakesOf(begin('test').spout('lines', streams));
  t.is(mistakes.length, 3);
  t.regex(mistakes[2], /spout 'lines': streams: 'default' is what output declares/);
});

test('what is no topology is refused', (t) => {
  for (const value of [undefined, null, 3, {}, () => base, [base]]) {
    t.regex(
      mistakesOf(value as unknown as Topology).join(),
      /^expected a topology, found .*; begin one with topology\('name'\)$/,
    );
  }
});

test('no spout', oneMistake, () => begin('test'), /there is no spout/);
test('a name twice', oneMistake, () => base.spout('lines', lines), /spout 'lines': the name is declared twice/);
test(
  'a bolt with the name of a spout',
  oneMistake,
  () => base.bolt('lines', sink, shuffled('more')).spout('more', lines),
  /bolt 'lines': the name is declared twice/,
);
test(
  'a spout that is none',
  oneMistake,
  () => base.spout('x', { open() {} }),
  /spout 'x': expected what defineSpout or spoutFrom returns, found \{\} \(object\)/,
);
test(
  'a spout that was not called',
  oneMistake,
  () => base.spout('x', function feed() {}),
  /found function feed; call it/,
);
test(
  'a bolt that is none',
  oneMistake,
  () => base.bolt('x', undefined, shuffle),
  /bolt 'x': expected what defineBolt returns, found undefined/,
);
test(
  'a bolt as spout',
  oneMistake,
  () => base.spout('x', split),
  /spout 'x': expected a spout, found a bolt; declare it with \.bolt/,
);
test(
  'a spout as bolt',
  oneMistake,
  () => base.bolt('x', lines, shuffle),
  /bolt 'x': expected a bolt, found a spout; declare it with \.spout/,
);
test(
  'a spout with an input',
  oneMistake,
  () => base.spout('x', lines, shuffle),
  /spout 'x': a spout takes no input, found a function/,
);
test(
  'a bolt without input',
  oneMistake,
  () => base.bolt('x', sink),
  /bolt 'x': expected the function that says what it takes.*found undefined/,
);
test('options in the place of the input', oneMistake, () => base.bolt('x', sink, { tasks: 2 }), /found \{"tasks":2\}/);
test(
  'an input function that returns nothing',
  oneMistake,
  () => base.bolt('x', sink, () => {}),
  /returned undefined; return an edge/,
);
test(
  'an input function that throws',
  oneMistake,
  () => base.bolt('x', sink, ((from) => from.shufle('lines')) satisfies Connect),
  /threw TypeError: .*shufle.*from has shuffle, fields, partialKey, all, global, none, direct, localOrShuffle, custom$/,
);
test(
  'an unknown source',
  oneMistake,
  () => base.bolt('x', sink, shuffled('linse')),
  /bolt 'x': takes from 'linse', which is no component \(did you mean 'lines'\?\); there are lines, x/,
);
test(
  'a source that is no name',
  oneMistake,
  () => base.bolt('x', sink, shuffled(split)),
  /takes from \{.* \(object\), which is no component/,
);
test(
  'an unknown stream',
  oneMistake,
  () => base.bolt('x', sink, shuffled('lines', { stream: 'eror' })),
  /takes stream 'eror' of 'lines'; it declares only default/,
);
test(
  'a source without streams',
  oneMistake,
  () => base.bolt('x', sink, shuffle).bolt('y', sink, shuffled('x')),
  /bolt 'y': takes stream 'default' of 'x'; it declares no stream at all/,
);
test(
  'an unknown option of a grouping',
  oneMistake,
  () => base.bolt('x', sink, shuffled('lines', { steam: 'a' })),
  /from 'lines': there is no option 'steam' \(did you mean 'stream'\?\); the options are stream/,
);
test(
  'options of a grouping that are no object',
  oneMistake,
  () => base.bolt('x', sink, shuffled('lines', 'errors')),
  /from 'lines': expected an object with stream, found 'errors'/,
);
test(
  'a fields grouping on a field that is not there',
  oneMistake,
  () => base.bolt('x', sink, fields(['lin'])),
  /bolt 'x': groups by field 'lin', which stream 'lines' has not \(did you mean 'line'\?\); it has line, n/,
);
test(
  'a fields grouping on no field',
  oneMistake,
  () => base.bolt('x', sink, fields([])),
  /expected at least one field, such as \['line'\], found \[\]/,
);
test(
  'a fields grouping on what is no list',
  oneMistake,
  () => base.bolt('x', sink, fields('line')),
  /expected at least one field, .*found 'line'/,
);
test(
  'an input that the stream lacks',
  oneMistake,
  () => base.bolt('a', split, shuffle).bolt('b', split, shuffled('a')),
  /bolt 'b': takes field 'line', which stream 'a' does not carry; it carries word/,
);
test(
  'an input of another type',
  oneMistake,
  () => base.bolt('x', anyBolt({ input: { n: type.number }, execute() {} }), shuffle),
  /bolt 'x': takes field 'n' as number, which stream 'lines' carries as nullable\(number\)/,
);
test(
  'tasks that are no integer',
  oneMistake,
  () => base.spout('x', lines, { tasks: '2' }),
  /spout 'x': tasks: expected an integer from 1 to 1024, found '2' \(string\)/,
);
test(
  'too many tasks of one',
  oneMistake,
  () => base.spout('x', lines, { tasks: 1025 }),
  /tasks: expected an integer from 1 to 1024, found 1025/,
);
test(
  'too many tasks in all',
  oneMistake,
  () => many(4000),
  /the components have 4001 tasks together; at most 4000 are possible/,
);
test(
  'an unknown option of a component',
  oneMistake,
  () => base.spout('x', lines, { task: 1 }),
  /spout 'x': options: there is no option 'task' \(did you mean 'tasks'\?\)/,
);
test(
  'an unknown setting',
  oneMistake,
  () => base.config({ maxPending: 1 }),
  /config: there is no option 'maxPending'; the options are maxSpoutPending, messageTimeoutMs, lingerMs/,
);
test(
  'settings that are no object',
  oneMistake,
  () => base.config([]),
  /config: expected an object with maxSpoutPending/,
);

test('as many tasks as root ids carry are possible', (t) => {
  t.deepEqual(mistakesOf(many(3999)), []);
});

test('settings out of range are refused, those at its ends are not', (t) => {
  const ranges = { maxSpoutPending: [1, 500_000], messageTimeoutMs: [100, 2 ** 31 - 1], lingerMs: [0, 1000] };
  for (const [key, [min, max]] of Object.entries(ranges)) {
    for (const value of [min, max]) t.deepEqual(mistakesOf(base.config({ [key]: value })), []);
    for (const value of [min - 1, max + 1, min + 0.5, NaN, `${min}`, null]) {
      t.regex(
        mistakesOf(base.config({ [key]: value })).join(),
        new RegExp(`^config\\.${key}: expected an integer from ${min}`),
      );
    }
  }
});

test('the retry policy of a spout is checked', (t) => {
  const wrong = {
    'retry: expected an object with attempts, backoff, found 3': 3,
    "retry: there is no option 'atempts'": { atempts: 1 },
    'retry.attempts: expected an integer from 1 to 1000, or Infinity, found 0': { attempts: 0 },
    'retry.attempts: expected an integer from 1 to 1000, or Infinity, found 1001': { attempts: 1001 },
    'retry.attempts: expected an integer from 1 to 1000, or Infinity, found -Infinity': { attempts: -Infinity },
    "retry.backoff: there is no option 'first'": { backoff: { first: 1 } },
    'retry.backoff.firstMs: expected an integer from 0 to 86400000, found -1': { backoff: { firstMs: -1 } },
    'retry.backoff.maxMs: expected an integer from 5 to 86400000, found 4': { backoff: { firstMs: 5, maxMs: 4 } },
  };
  for (const [expected, retry] of Object.entries(wrong)) {
    const [mistake, ...more] = mistakesOf(begin('test').spout('x', anySpout({ output: {}, open() {}, retry })));
    t.true(mistake?.startsWith(`spout 'x': ${expected}`), mistake);
    t.deepEqual(more, []);
  }
});

test('the options of a bolt are checked', (t) => {
  const execute = () => {};
  const prepare = () => ({ execute });
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /defineBolt: expected execute\(tuple, out\), or prepare\(context\)/],
    [{ input: {} }, /found neither/],
    [{ execute: 'x' }, /execute: expected a function, found 'x'/],
    [{ prepare, execute }, /execute: stands beside prepare; move it into what prepare returns/],
    [{ prepare, end: execute }, /end: stands beside prepare/],
    [{ execute, tick: execute }, /tick: is never called without tickEveryMs/],
    [{ execute, tickEveryMs: 5 }, /tickEveryMs: there is no tick\(out\) to call/],
    [{ prepare, tickEveryMs: 0 }, /tickEveryMs: expected an integer from 1 to 2147483647, found 0/],
    [{ execute, executeTimeoutMs: 2 ** 31 }, /executeTimeoutMs: expected an integer from 1/],
    [{ execute, keepsState: 'no' }, /keepsState: expected true or false, found 'no'/],
    [{ execute, acks: 'manual' }, /there is no option 'acks' \(did you mean 'ack'\?\); the options are input, inputs/],
    [{ execute, ack: 'none' }, /ack: expected 'auto' or 'manual', found 'none'/],
    [{ execute, concurrency: 0 }, /concurrency: expected an integer from 1 to 1024, found 0/],
    [{ execute, concurrency: 1025 }, /concurrency: expected an integer from 1 to 1024, found 1025/],
    [{ execute, flush: execute, ack: 'manual' }, /flush beside ack: 'manual'; remove one of them/],
    [{ execute, flush: execute, concurrency: 2 }, /flush beside concurrency: 2; remove one of them/],
    [{ execute, input: direct({}) }, /input: direct\(…\) is not possible here/],
    [{ execute, output: direct(direct({})) }, /output: direct\(…\) is not possible here/],
    [{ execute, streams: direct({}) }, /streams: direct\(…\) stands around all streams; put it around the fields/],
    [{ execute, output: direct({ word: 'string' }) }, /output: field 'word' has no type/],
    [{ execute, input: 'line' }, /input: expected fields such as \{ word: t\.string \}, found 'line'/],
    [{ execute, output: { word: 'string' } }, /output: field 'word' has no type/],
    [{ execute, streams: [] }, /streams: expected streams such as .*, found \[\] \(array\)/],
    [{ execute, streams: { errors: { text: type.json } } }, /streams\.errors: field 'text' has no type/],
  ];
  for (const [options, expected] of wrong) {
    const [mistake, ...more] = mistakesOf(base.bolt('x', anyBolt(options), shuffle));
    t.regex(mistake ?? '', expected);
    t.true(mistake.startsWith("bolt 'x': "), mistake);
    t.deepEqual(more, [], mistake);
  }
});

test('the options of a spout are checked', (t) => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [anySpout({ output: {} }), /open: expected a function open\(context\), found undefined/],
    [anySpout({ output: {}, open: 3 }), /open: expected a function open\(context\), found 3/],
    [anySpout({ open() {} }), /output: expected the fields of its tuples/],
    [anySpout({ output: {}, open() {}, replay: 'never' }), /replay: expected 'squall' or 'source', found 'never'/],
    [anySpout({ output: {}, open() {}, replay: 'source', retry: {} }), /retry: stands beside replay: 'source'/],
    [anySpoutFrom({ output: direct({}) }, () => []), /output: what a generator yields names no task; use defineSpout/],
    [anySpoutFrom({ output: {}, replay: 'source' }, () => []), /spoutFrom: there is no option 'replay'/],
    [anySpoutFrom({ output: {} }), /expected a generator function as second argument, found undefined/],
    [anySpoutFrom({ output: {}, streams: {} }, () => []), /spoutFrom: there is no option 'streams'/],
  ];
  for (const [spout, expected] of wrong) {
    const [mistake, ...more] = mistakesOf(begin('test').spout('x', spout));
    t.regex(mistake ?? '', expected);
    t.deepEqual(more, [], mistake);
  }
});

function direct(fields: unknown): unknown {
  return (typedDirect as (fields: unknown) => unknown)(fields);
}

function fields(keys: unknown): Connect {
  return (from) => from.fields('lines', keys);
}

/** `base` and bolts of `tasks` tasks together. */
function many(tasks: number): Topology {
  let builder = base;
  for (let left = tasks; left > 0; left -= 1000) {
    builder = builder.bolt(`b${left}`, sink, shuffle, { tasks: Math.min(left, 1000) });
  }
  return builder;
}
