import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { linesSink } from '../../bolts/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { COMPONENT } from '../../core/topology/component.js';
import { t as type } from '../../core/topology/fields.js';
import { fileSpout } from '../../spouts/index.js';
import { taskContext, temporaryFolder } from '../spouts/run-spout.js';
import { batch, OUT, runBatch, tuple } from './run-bolt.js';

const ROWS = [
  { word: 'a\tb', count: 1 },
  { word: 'é', count: 2 },
];

test('writes one line per tuple: tsv, jsonl or a function', async (t) => {
  const path = join(await temporaryFolder(t), 'new/folder/out.tsv');
  await runBatch(linesSink({ path }), ROWS);
  t.is(await readFile(path, 'utf8'), 'a\\tb\t1\né\t2\n');
  await runBatch(linesSink({ path, format: 'jsonl' }), ROWS);
  t.is(await readFile(path, 'utf8'), '{"word":"a\\tb","count":1}\n{"word":"é","count":2}\n');
  await runBatch(linesSink({ path, format: ({ word }) => `<${word}>` }), ROWS);
  t.is(await readFile(path, 'utf8'), '<a\tb>\n<é>\n');
});

test('a new run truncates; a restarted task or a resumed run appends after cutting a torn last line', async (t) => {
  const path = join(await temporaryFolder(t), 'out.tsv');
  await runBatch(linesSink({ path }), [{ n: 1 }]);
  await runBatch(linesSink({ path }), [{ n: 2 }]);
  t.is(await readFile(path, 'utf8'), '2\n');
  await writeFile(path, '2\n3\t tor');
  await runBatch(linesSink({ path }), [{ n: 3 }], { resumed: true });
  t.is(await readFile(path, 'utf8'), '2\n3\n');
});

test('a new run that gets no tuple leaves an empty file', async (t) => {
  const path = join(await temporaryFolder(t), 'out.tsv');
  await writeFile(path, 'old\n');
  await runBatch(linesSink({ path }), []);
  t.is(await readFile(path, 'utf8'), '');
});

test('execute only keeps the line; flush resolves after it is in the file', async (t) => {
  const path = join(await temporaryFolder(t), 'out.tsv');
  const sink = await linesSink({ path, fsync: true }).prepare(taskContext());
  t.is(sink.execute(tuple({ n: 1 }), OUT), undefined);
  t.is(sink.execute(tuple({ n: 2 }), OUT), undefined);
  t.is(await readFile(path, 'utf8'), '');
  await sink.flush?.();
  t.is(await readFile(path, 'utf8'), '1\n2\n');
  await sink.flush?.();
  await batch(sink, [{ n: 3 }]);
  t.is(await readFile(path, 'utf8'), '1\n2\n3\n');
  await sink.cleanup?.();
});

test('a tuple whose format throws fails alone: its line is missing, the others of the batch are written', async (t) => {
  const path = join(await temporaryFolder(t), 'out.txt');
  const format = ({ n }: { n: number }) => {
    if (n === 2) throw new Error('two');
    return String(n);
  };
  const sink = await linesSink({ path, format }).prepare(taskContext());
  sink.execute(tuple({ n: 1 }), OUT);
  t.throws(() => sink.execute(tuple({ n: 2 }), OUT), { message: 'two' });
  sink.execute(tuple({ n: 3 }), OUT);
  await sink.flush?.();
  await sink.cleanup?.();
  t.is(await readFile(path, 'utf8'), '1\n3\n');
});

const whereFull = process.platform === 'linux' ? test : test.skip;
whereFull('a write that fails rejects flush with the name of the file', async (t) => {
  const sink = await linesSink({ path: '/dev/full' }).prepare(taskContext());
  await t.throwsAsync(batch(sink, [{ n: 1 }]), {
    code: 'ERR_SQUALL_FILE',
    message: /^cannot write \/dev\/full: ENOSPC/,
  });
  await sink.cleanup?.();
});

test('several tasks write a file each, the index before the extension', async (t) => {
  const folder = await temporaryFolder(t);
  for (const path of ['counts.tsv', 'a.b/plain', '.hidden']) {
    const sink = linesSink({ path: join(folder, path) });
    for (const index of [0, 1]) await runBatch(sink, [{ index }], { index, tasks: 2 });
  }
  t.deepEqual((await readdir(folder, { recursive: true })).sort(), [
    '.hidden.0',
    '.hidden.1',
    'a.b',
    'a.b/plain.0',
    'a.b/plain.1',
    'counts.0.tsv',
    'counts.1.tsv',
  ]);
  t.is(await readFile(join(folder, 'counts.1.tsv'), 'utf8'), '1\n');
});

test('keeps no state that dies with its process, emits nothing, takes any stream', (t) => {
  t.like(linesSink({ path: 'x' }), {
    keepsState: false,
    streams: [],
    inputs: [{ name: 'default', fields: undefined }],
  });
});

test('stands in a topology behind any stream; a format function says what it takes', (t) => {
  const count = defineBolt({
    input: { line: type.string },
    output: { word: type.string, count: type.number },
    execute() {},
  });
  const before = topology('types')
    .spout('lines', fileSpout({ path: 'x' }))
    .bolt('count', count, (from) => from.shuffle('lines'))
    .bolt('any', linesSink({ path: 'x' }), (from) => from.global('count'));
  before.bolt('some', linesSink({ path: 'x', format: (row: { word: string }) => row.word }), (from) =>
    from.global('count'),
  );
  const words = linesSink({ path: 'x', format: (row: { word: string }) => row.word });
  // @ts-expect-error the stream of lines has no word
  before.bolt('none', words, (from) => from.global('lines'));
  // @ts-expect-error there is no such format
  t.regex(linesSink({ path: 'x', format: 'csv' })[COMPONENT].mistakes.join(), /^linesSink: format: expected/);
});

test('wrong options are mistakes of the topology, all at once', (t) => {
  const wrong = linesSink as unknown as (options: unknown) => ReturnType<typeof linesSink>;
  const { mistakes } = wrong({ path: 7, fsync: 'yes', format: 'csv', file: 'x' })[COMPONENT];
  t.is(mistakes.length, 4, mistakes.join('\n'));
  t.true(mistakes.every((mistake) => mistake.startsWith('linesSink: ')));
  t.regex(mistakes.join('\n'), /path: expected the name of a file, found 7 \(number\)/);
  t.is(wrong(undefined)[COMPONENT].mistakes.length, 1);
  t.deepEqual(linesSink({ path: 'x', fsync: true })[COMPONENT].mistakes, []);
});
