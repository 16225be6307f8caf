import test from 'ava';
import { SquallError } from '../../core/errors.js';
import { captureBolt, feeder, type LocalOptions, runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { t as is } from '../../core/topology/fields.js';
import { defineSpout } from '../../core/topology/spout.js';
import { spoutFrom } from '../../core/topology/spout-from.js';
import { count, split, wordCount } from './word-count.js';

const LINES = [{ line: 'a b' }, { line: 'b c' }, { line: '' }, { line: 'a b c d' }];
const byWord = (a: { word: string }, b: { word: string }) => a.word.localeCompare(b.word);

for (const workers of [1, 2, 'task'] as const) {
  test(`everything is executed and every end has run, with workers ${workers}`, async (t) => {
    const result = await runLocal(wordCount(), { spouts: { lines: LINES }, workers });
    t.is(result.status, 'completed');
    t.deepEqual(result.emitted.lines, LINES);
    t.deepEqual(result.emitted.count.toSorted(byWord), [
      { word: 'a', count: 2 },
      { word: 'b', count: 3 },
      { word: 'c', count: 2 },
      { word: 'd', count: 1 },
    ]);
    t.deepEqual(result.emittedOn('split', 'errors'), [{ text: 'an empty line' }]);
    t.is(result.emittedOn('split').length, 8);
    t.is(result.acked, 4);
    t.is(result.spouts.lines.acked, 4);
    t.is(result.bolts.split.executed, 4);
    t.deepEqual(result.warnings, []);
    const { created, consumed, inFlight, mismatches } = result.balance;
    t.is(created, 12);
    t.deepEqual({ consumed, inFlight, mismatches }, { consumed: created, inFlight: 0, mismatches: 0 });
  });
}

test('the same seed gives the same run, to the ids and the tasks; another seed other ids', async (t) => {
  const once = async (seed: number) => {
    const seen = captureBolt();
    const shaky = defineBolt({
      input: { word: is.string },
      output: { word: is.string },
      execute({ values, id, attempt }, out) {
        if (attempt === 1 && id < '8') throw new Error('the first time');
        out.emit(values);
      },
    });
    const built = topology('same')
      .spout('lines', feeder({ line: is.string }))
      .bolt('split', split, (from) => from.shuffle('lines'), { tasks: 3 })
      .bolt('shaky', shaky, (from) => from.shuffle('split'), { tasks: 2 })
      .bolt('seen', seen, (from) => from.shuffle('shaky'), { tasks: 2 });
    const { elapsedMs, spouts } = await runLocal(built, { spouts: { lines: LINES }, seed, workers: 3 });
    return { elapsedMs, spouts, tuples: seen.tuples };
  };
  const [first, second, other] = [await once(1), await once(1), await once(2)];
  t.true(first.tuples.length >= 8);
  t.true(first.spouts.lines.replays.failed > 0);
  t.deepEqual(first, second);
  t.notDeepEqual(
    first.tuples.map(({ id }) => id),
    other.tuples.map(({ id }) => id),
  );
});

test('the tuples of a replaced spout are dealt round its tasks', async (t) => {
  const built = topology('dealt')
    .spout('lines', feeder({ line: is.string }), { tasks: 3 })
    .bolt('split', split, (from) => from.shuffle('lines'));
  const result = await runLocal(built, { spouts: { lines: LINES } });
  t.deepEqual(
    result.emissions('lines').map(({ task }) => task),
    [1, 1, 2, 3],
  );
  t.deepEqual(result.emitted.lines.map(({ line }) => line).sort(), LINES.map(({ line }) => line).sort());
});

test('a spout of several streams is given tuples by stream', async (t) => {
  const source = defineSpout({
    output: { n: is.number },
    streams: { late: { n: is.number } },
    open: () => ({ next: () => 'done' as const }),
  });
  const seen = captureBolt();
  const built = topology('streams')
    .spout('source', source)
    .bolt('seen', seen, (from) => from.shuffle('source', { stream: 'late' }));
  const result = await runLocal(built, { spouts: { source: { late: [{ n: 1 }], default: [{ n: 2 }] } } });
  t.deepEqual(seen.values, [{ n: 1 }]);
  t.deepEqual(result.emittedOn('source', 'late'), [{ n: 1 }]);
  t.deepEqual(result.emittedOn('source'), [{ n: 2 }]);
});

test('a spout that is finite needs no tuples of the test', async (t) => {
  const numbers = spoutFrom({ output: { line: is.string } }, function* () {
    yield { line: 'x' };
    yield { line: 'x y' };
  });
  const built = topology('own')
    .spout('lines', numbers)
    .bolt('split', split, (from) => from.shuffle('lines'))
    .bolt('count', count, (from) => from.fields('split', ['word']));
  t.deepEqual((await runLocal(built)).emitted.count, [
    { word: 'x', count: 2 },
    { word: 'y', count: 1 },
  ]);
});

test('what a spout sends again is in emitted once; what a bolt emits again is there again, with its attempt', async (t) => {
  let failures = 1;
  const picky = defineBolt({
    input: { word: is.string },
    execute() {
      if (failures-- > 0) throw new Error('not yet');
    },
  });
  const built = topology('again')
    .spout('lines', feeder({ line: is.string }))
    .bolt('split', split, (from) => from.shuffle('lines'))
    .bolt('picky', picky, (from) => from.shuffle('split'));
  const result = await runLocal(built, { spouts: { lines: [{ line: 'x' }] } });
  t.is(result.status, 'completed');
  t.deepEqual(result.emitted.lines, [{ line: 'x' }]);
  t.deepEqual(
    result.emissions('split').map(({ values, attempt }) => ({ ...values, attempt })),
    [
      { word: 'x', attempt: 1 },
      { word: 'x', attempt: 2 },
    ],
  );
  t.is(result.spouts.lines.replays.failed, 1);
});

test('a tuple out of attempts is in deadLetters, with the error of each attempt', async (t) => {
  const never = defineBolt({
    input: { word: is.string },
    execute({ values: { word } }) {
      if (word === 'bad') throw new Error('it is bad');
    },
  });
  const built = topology('dead')
    .spout('lines', feeder({ line: is.string }, { retry: { attempts: 3 } }))
    .bolt('split', split, (from) => from.shuffle('lines'))
    .bolt('never', never, (from) => from.shuffle('split'));
  const result = await runLocal(built, { spouts: { lines: [{ line: 'good' }, { line: 'bad' }] } });
  t.is(result.status, 'dead-letters');
  t.is(result.acked, 1);
  const [letter] = result.deadLetters;
  t.deepEqual(letter.values, { line: 'bad' });
  t.deepEqual(
    letter.attempts.map(({ attempt, failure }) => [attempt, failure.component, failure.error?.message]),
    [
      [1, 'never', 'it is bad'],
      [2, 'never', 'it is bad'],
      [3, 'never', 'it is bad'],
    ],
  );
});

test('emitted keeps the values as they were emitted', async (t) => {
  const values = { list: [1] };
  const source = defineSpout({
    output: { list: is.json<number[]>() },
    open: () => ({
      next(out) {
        if (values.list.length === 3) return 'done';
        out.emit(values, { id: values.list.length });
        values.list.push(0);
        return;
      },
    }),
  });
  const result = await runLocal(topology('kept').spout('source', source));
  t.deepEqual(result.emitted.source, [{ list: [1] }, { list: [1, 0] }]);
});

test('without ackers nothing is tracked, and everything is executed', async (t) => {
  const result = await runLocal(wordCount(), { spouts: { lines: LINES }, ackers: 0 });
  t.is(result.status, 'completed');
  t.is(result.bolts.split.executed, 4);
});

test('close and cleanup are called', async (t) => {
  const called: string[] = [];
  const source = defineSpout({
    output: { n: is.number },
    open: () => ({ next: () => 'done' as const, close: () => void called.push('close') }),
  });
  const bolt = defineBolt({ execute() {}, cleanup: () => void called.push('cleanup') });
  await runLocal(
    topology('closed')
      .spout('source', source)
      .bolt('bolt', bolt, (from) => from.shuffle('source'), { tasks: 2 }),
  );
  t.deepEqual(called, ['close', 'cleanup', 'cleanup']);
});

// ---- mistakes ----------------------------------------------------------------------------------------------------

const refused = async (options: unknown): Promise<SquallError> => {
  const error = await runLocal(wordCount(), options as LocalOptions<never>).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SquallError)) throw new Error(`expected a SquallError, found ${String(error)}`);
  return error;
};

for (const [mistake, options, message] of [
  [
    'a spout that does not exist',
    { spouts: { line: [] } },
    /there is no spout 'line' \(did you mean 'lines'\?\); the spouts of 'words' are lines$/,
  ],
  ['tuples for a bolt', { spouts: { split: [] } }, /'split' is a bolt/],
  [
    'a value of the wrong type',
    { spouts: { lines: [{ line: 'a' }, { line: 7 }] } },
    /spouts\.lines\[1\]: field "line" expects string/,
  ],
  ['a field too many', { spouts: { lines: [{ line: 'a', no: 1 }] } }, /spouts\.lines\[0\].*"no"/],
  ['something that is no tuple', { spouts: { lines: ['a'] } }, /spouts\.lines\[0\]/],
  ['something that is no list', { spouts: { lines: 5 } }, /expected an array of its tuples/],
  ['a stream that does not exist', { spouts: { lines: { late: [] } } }, /it has no stream 'late'; it declares default/],
  ['a bolt in its place', { spouts: { lines: captureBolt() } }, /expected a spout in its place, found a bolt/],
  [
    'a spout with other fields in its place',
    { spouts: { lines: feeder({ text: is.string }) } },
    /must declare the stream 'default' as \{ line: string \}; it declares \{ text: string \}/,
  ],
  ['an unknown option', { sed: 1 }, /there is no option 'sed' \(did you mean 'seed'\?\)/],
  ['a wrong number of workers', { workers: 0 }, /workers: expected 'task' or a whole number from 1/],
  ['a wrong number of ackers', { ackers: 1.5 }, /ackers: expected/],
] as const) {
  test(`${mistake} is refused, with what is right`, async (t) => {
    t.regex((await refused(options)).message, message);
  });
}

test('a topology file’s function is no topology, and the message says what to do', async (t) => {
  await t.throwsAsync(runLocal(wordCount as never), {
    code: 'ERR_SQUALL_TOPOLOGY',
    message: /call the function that the topology file exports/,
  });
});

test('a component or a stream that does not exist has no tuples to ask for', async (t) => {
  const result = await runLocal(wordCount(), { spouts: { lines: LINES } });
  t.throws(() => result.emittedOn('splt' as never), { message: /no component 'splt' \(did you mean 'split'\?\)/ });
  t.throws(() => result.emittedOn('split', 'error' as never), {
    message: /no stream 'error' \(did you mean 'errors'\?\)/,
  });
});

for (const hook of ['open', 'next', 'prepare', 'end'] as const) {
  test(`what ${hook} throws is what runLocal throws, with its place and its cause`, async (t) => {
    const cause = new Error('broken');
    const fail = (at: string): void => {
      if (at === hook) throw cause;
    };
    const source = defineSpout({
      output: { n: is.number },
      open() {
        fail('open');
        return {
          next() {
            fail('next');
            return 'done';
          },
        };
      },
    });
    const bolt = defineBolt({
      prepare() {
        fail('prepare');
        return { execute() {}, end: () => fail('end') };
      },
    });
    const built = topology('broken')
      .spout('source', source)
      .bolt('bolt', bolt, (from) => from.shuffle('source'));
    const error = await t.throwsAsync<SquallError>(runLocal(built), { code: 'ERR_SQUALL_COMPONENT' });
    t.regex(error?.message ?? '', /(source\[1\]|bolt\[2\]).*broken/);
    t.is(error?.cause, cause);
  });
}
