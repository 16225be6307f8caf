import { mkdir, open, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { COMPONENT } from '../../core/topology/component.js';
import type { Position } from '../../core/topology/definition.js';
import { fileSpout } from '../../spouts/index.js';
import { recordingOut } from '../topology/support.js';
import { asNobody } from './as-nobody.js';
import { fileContents, referenceLines } from './reference.js';
import { drain, type Emitted, runTask, taskContext, temporaryFolder } from './run-spout.js';

const MIB = 1024 * 1024;

async function write(t: ExecutionContext, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

const texts = (lines: readonly Emitted[]) => lines.map(({ line }) => line);
const numbered = (count: number, title = 'line') => Array.from({ length: count }, (_, i) => `${title} ${i + 1}`);
/** `deepEqual` for long lists: it looks closely at the first difference only, which is a thousand times as fast. */
function same(t: ExecutionContext, actual: readonly unknown[], expected: readonly unknown[]) {
  const different = actual.findIndex((one, i) => !isDeepStrictEqual(one, expected[i]));
  if (different >= 0) t.deepEqual(actual[different], expected[different], `at ${different}`);
  t.is(actual.length, expected.length);
}
/** What a store gives back. */
const stored = (position: Position | undefined): Position => JSON.parse(JSON.stringify(position));

test('emits the lines of all files in the order of their names, tracked, numbered from 1', async (t) => {
  const folder = await write(t, {
    'b.txt': 'three\n\nfive',
    'a.txt': '\ufeffone\r\ntwo\n',
    'c.txt': '',
    'd.txt.gz': gzipSync('six\n'),
  });
  const { lines, ended } = await runTask(fileSpout({ path: `${folder}/*` }));
  t.true(ended);
  t.deepEqual(texts(lines), ['one', 'two', 'three', '', 'five', 'six']);
  t.deepEqual(
    lines.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6],
  );
});

test('the only field is line, so that nothing else travels', (t) => {
  t.deepEqual(
    fileSpout({ path: 'x' }).streams.map(({ name, fields }) => [
      name,
      fields.map((field) => [field.name, field.type.kind]),
    ]),
    [['default', [['line', 'string']]]],
  );
});

test('a relative path is relative to the folder of the process', async (t) => {
  const folder = await write(t, { 'a.txt': 'x\n' });
  const { lines } = await runTask(fileSpout({ path: relative(process.cwd(), join(folder, 'a.txt')) }));
  t.deepEqual(texts(lines), ['x']);
});

test('names ending in .gz are unpacked, whatever their case, with all their members', async (t) => {
  const folder = await write(t, {
    'a.GZ': Buffer.concat([gzipSync('one\ntw'), gzipSync(''), gzipSync('o\nthree')]),
    'b.gz': Buffer.concat([gzipSync('\ufefffour\r\n'), Buffer.alloc(200_000)]),
  });
  t.deepEqual(texts((await runTask(fileSpout({ path: `${folder}/*` }))).lines), ['one', 'two', 'three', 'four']);
});

test('any content is read as by a slow reference, plain and packed, and goes on behind any line', async (t) => {
  const folder = await temporaryFolder(t);
  let files = 0;
  await fc.assert(
    fc.asyncProperty(fileContents, fc.boolean(), async (content, packed) => {
      files += 1;
      const file = join(folder, packed ? `${files}.gz` : `${files}.txt`);
      await writeFile(file, packed ? gzipSync(content) : content);
      const expected = referenceLines(content, MIB);
      const spout = fileSpout({ path: file });
      const whole = await runTask(spout);
      t.true(whole.ended);
      t.deepEqual(
        texts(whole.lines),
        expected.map(({ text }) => text),
      );
      t.deepEqual(
        whole.lines.map(({ error }) => (error as { code?: string })?.code),
        expected.map(({ fault }) => (fault ? 'ERR_SQUALL_NOT_UTF8' : undefined)),
      );
      for (const [index, { position }] of whole.lines.entries()) {
        const rest = await runTask(spout, { position: stored(position), resumed: true });
        t.true(rest.ended);
        t.deepEqual(plain(rest.lines), plain(whole.lines.slice(index + 1)));
      }
    }),
    { numRuns: 60 },
  );
});

/** Without the errors' stacks. */
function plain(lines: readonly Emitted[]) {
  return lines.map(({ error, ...line }) => ({ ...line, error: error?.message }));
}

test('lines and characters across the chunks of large files stay whole, also after going on between them', async (t) => {
  // multi-byte characters and endings at every offset of a chunk's edge, over five chunks
  const written = Array.from({ length: 60_000 }, (_, i) => `${i} ${'é€😀'.repeat(i % 5)}${'x'.repeat(i % 7)}`);
  const content = Buffer.from(written.map((line, i) => line + (i % 3 ? '\n' : '\r\n')).join(''));
  t.true(content.length > 5 * 256 * 1024);
  const folder = await write(t, { 'a.txt': content, 'b.gz': gzipSync(content) });
  for (const name of ['a.txt', 'b.gz']) {
    const spout = fileSpout({ path: join(folder, name) });
    const whole = await runTask(spout);
    same(t, texts(whole.lines), written);
    for (const behind of [0, 9999, 30_000, 59_998, 59_999]) {
      const rest = await runTask(spout, { position: stored(whole.lines[behind].position) });
      same(t, plain(rest.lines), plain(whole.lines.slice(behind + 1)));
    }
  }
});

test('goes on behind the last line of a file with the next file', async (t) => {
  const folder = await write(t, { 'a.txt': 'one\ntwo', 'b.txt': 'three\n', 'c.txt': 'four' });
  const spout = fileSpout({ path: `${folder}/*` });
  const { lines } = await runTask(spout);
  t.deepEqual(texts((await runTask(spout, { position: stored(lines[1].position) })).lines), ['three', 'four']);
  t.deepEqual(texts((await runTask(spout, { position: stored(lines[2].position) })).lines), ['four']);
  t.like(await runTask(spout, { position: stored(lines[3].position) }), { lines: [], ended: true });
});

test('several tasks deal the files among them, and go on each in its own', async (t) => {
  const folder = await write(t, { a: 'a1\na2', b: 'b1', c: 'c1\nc2', d: 'd1', e: 'e1' });
  const spout = fileSpout({ path: `${folder}/*` });
  const first = await runTask(spout, { index: 0, tasks: 2 });
  const second = await runTask(spout, { index: 1, tasks: 2 });
  t.deepEqual(texts(first.lines), ['a1', 'a2', 'c1', 'c2', 'e1']);
  t.deepEqual(texts(second.lines), ['b1', 'd1']);
  const position = stored(first.lines[2].position);
  t.deepEqual(plain((await runTask(spout, { index: 0, tasks: 2, position })).lines), plain(first.lines.slice(3)));
  t.like(await runTask(spout, { index: 5, tasks: 6 }), { lines: [], ended: true });
});

test('next waits only for the disk: not once a line', async (t) => {
  const folder = await write(t, { 'a.txt': numbered(10_000).join('\n') });
  const { lines, waits } = await runTask(fileSpout({ path: `${folder}/a.txt` }));
  t.is(lines.length, 10_000);
  // the first chunk, and the end
  t.true(waits <= 3, `${waits} waits`);
});

test('a task whose lines are over says done again when it is asked again', async (t) => {
  const folder = await write(t, { 'a.txt': 'x' });
  const spout = await fileSpout({ path: `${folder}/a.txt` }).open(taskContext());
  t.like(await drain(spout), { ended: true });
  t.like(await drain(spout), { lines: [], ended: true });
  await spout.close?.();
});

test('an error of emit is not taken for one of the file, at the first line and at any other', async (t) => {
  const folder = await write(t, { 'a.txt': 'one\ntwo\nthree' });
  const spout = await fileSpout({ path: `${folder}/a.txt` }).open(taskContext());
  const refused = new Error('refused');
  const emit = () => {
    throw refused;
  };
  for (let i = 0; i < 2; i += 1)
    t.is(await t.throwsAsync(async () => spout.next({ ...recordingOut(), emit, reject: emit })), refused);
  t.deepEqual(texts((await drain(spout)).lines), ['three']);
  await spout.close?.();
});

test('close in the middle of a read ends in order', async (t) => {
  const folder = await write(t, { 'a.gz': gzipSync(numbered(100_000).join('\n')) });
  const spout = await fileSpout({ path: `${folder}/a.gz` }).open(taskContext());
  const first = spout.next(recordingOut());
  await spout.close?.();
  t.is(await first, undefined);
});

test('a line over 1 MiB and one that is not UTF-8 are rejected with file and place; the others are emitted', async (t) => {
  const long = 'x'.repeat(MIB);
  const content = Buffer.concat([
    Buffer.from(`first\n${long}\n${long}y\r\n`),
    Buffer.from('caf\xe9\n', 'latin1'),
    Buffer.from('last'),
  ]);
  const folder = await write(t, { 'a.txt': content, 'b.gz': gzipSync(content) });
  for (const name of ['a.txt', 'b.gz']) {
    const file = join(folder, name);
    const spout = fileSpout({ path: file });
    const { lines, ended } = await runTask(spout);
    t.true(ended);
    t.deepEqual(texts(lines), ['first', long, undefined, undefined, 'last']);
    t.like(lines[2].error, {
      code: 'ERR_SQUALL_LINE_TOO_LONG',
      message: `line 3 of ${file} has 1048577 bytes; a line may have 1048576: it is skipped`,
      facts: { file, line: 3, bytes: MIB + 1, limitBytes: MIB },
    });
    t.deepEqual(lines[2].values, { head: 'x'.repeat(256) });
    t.like(lines[3].error, { code: 'ERR_SQUALL_NOT_UTF8', facts: { file, line: 4, bytes: 4 } });
    t.true(lines[3].error?.message.includes(`line 4 of ${file} is not UTF-8`));
    t.deepEqual(lines[3].values, { head: 'caf\ufffd' });
    t.is(lines[3].id, 4);
    const rest = await runTask(spout, { position: stored(lines[2].position) });
    t.deepEqual(plain(rest.lines), plain(lines.slice(3)));
  }
});

// alone, as what the other tests hold would count
test.serial('a huge line is passed over in bounded memory', async (t) => {
  const folder = await write(t, { 'a.txt': 'first\n' });
  const file = join(folder, 'a.txt');
  const bytes = 300 * MIB;
  await truncate(file, 6 + bytes);
  const handle = await open(file, 'a');
  await handle.write('\nlast\n');
  await handle.close();

  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  }, 1);
  const before = process.memoryUsage().arrayBuffers;
  const { lines } = await runTask(fileSpout({ path: file }));
  clearInterval(watch);
  t.deepEqual(texts(lines), ['first', undefined, 'last']);
  t.like(lines[1].error, { code: 'ERR_SQUALL_LINE_TOO_LONG', facts: { bytes } });
  t.true(most > 0);
  t.true(most - before < 16 * MIB, `${most - before} bytes`);
});

test('no file is an error of open that names the pattern and the folder', async (t) => {
  const error = await t.throwsAsync(async () => fileSpout({ path: 'no/such/*.txt' }).open(taskContext()), {
    code: 'ERR_SQUALL_NO_INPUT',
  });
  t.true(error?.message.includes("'no/such/*.txt'"));
  t.true(error?.message.includes(process.cwd()));
});

test('a file that vanishes before it is opened: the lines before, then an error with its name, and again when asked again', async (t) => {
  const folder = await write(t, { 'a.txt': 'one\ntwo\n', 'b.txt': 'three\n' });
  const spout = await fileSpout({ path: `${folder}/*` }).open(taskContext());
  await rm(join(folder, 'b.txt'));
  const { lines, error } = await drain(spout);
  t.deepEqual(texts(lines), ['one', 'two']);
  const file = join(folder, 'b.txt');
  t.like(error, { code: 'ERR_SQUALL_FILE', facts: { file, line: 1, offset: 0 } });
  t.true(error?.message.includes(`${file} at line 1`), error?.message);
  t.true(error?.message.includes('ENOENT'));
  t.like(await drain(spout), { lines: [], ended: false, error });
  await spout.close?.();
});

test('a file that is cut while it is read: the lines that are there, then an error with the place', async (t) => {
  const content = `${numbered(200_000).join('\n')}\n`;
  const folder = await write(t, { 'a.txt': content });
  const file = join(folder, 'a.txt');
  const spout = await fileSpout({ path: file }).open(taskContext());
  const first = await drain(spout, 1);
  const left = 1_000_001;
  await truncate(file, left);
  const { lines, error } = await drain(spout);
  const complete = referenceLines(Buffer.from(content.slice(0, content.lastIndexOf('\n', left - 1) + 1)), MIB);
  same(
    t,
    [...texts(first.lines), ...texts(lines)],
    complete.map(({ text }) => text),
  );
  const { offset, number } = complete[complete.length - 1];
  t.like(error, { code: 'ERR_SQUALL_FILE', facts: { file, line: number + 1, offset } });
  t.regex(error?.message ?? '', /it ends at byte 1000001 but had \d+ bytes/);
  await spout.close?.();
});

test('a file that may not be read is an error that names it', async (t) => {
  const folder = await write(t, { 'a.txt': 'x\n' });
  const file = join(folder, 'a.txt');
  const open = `fileSpout({ path: ${JSON.stringify(file)} }).open({ tasks: 1, index: 0 })`;
  const found = await asNobody(folder, ['a.txt'], {
    module: 'spouts/index.js',
    call: `${open}.then((spout) => spout.next({}))`,
  });
  t.like(found, { code: 'ERR_SQUALL_FILE', facts: { file, line: 1, offset: 0 } });
  t.regex((found as Error).message, /EACCES/);
});

/** What the compressed bytes yield before zlib refuses them, as complete lines. */
function linesWithin(packed: Buffer): string[] {
  const text = gunzipSync(packed, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}

for (const [size, count] of [
  ['small', 500],
  ['large', 120_000],
] as const) {
  test(`a truncated ${size} gzip file: all lines that it has, then an error with the place`, async (t) => {
    const packed = gzipSync(numbered(count).join('\n'));
    const folder = await temporaryFolder(t);
    const file = join(folder, 'a.gz');
    for (const length of [0, 5, 11, packed.length >> 1, packed.length - 9, packed.length - 1]) {
      await writeFile(file, packed.subarray(0, length));
      const { lines, error } = await runTask(fileSpout({ path: file }));
      const expected = length === 0 ? [] : linesWithin(packed.subarray(0, length));
      same(t, texts(lines), expected);
      const offset = expected.join('\n').length + (expected.length > 0 ? 1 : 0);
      t.like(error, { code: 'ERR_SQUALL_FILE', facts: { file, line: expected.length + 1, offset } });
      t.regex(error?.message ?? '', /its gzip data ends too early/);
    }
  });

  test(`a corrupt ${size} gzip file: all lines before the damage, then an error with the place`, async (t) => {
    const packed = gzipSync(numbered(count).join('\n'));
    const folder = await temporaryFolder(t);
    const file = join(folder, 'a.gz');
    for (const at of [3, packed.length >> 1, packed.length - 8]) {
      const corrupt = Buffer.from(packed);
      corrupt.fill(0xff, at, at + 4);
      await writeFile(file, corrupt);
      const { lines, error, ended } = await runTask(fileSpout({ path: file }));
      t.false(ended);
      const before = linesWithin(corrupt.subarray(0, at));
      same(t, texts(lines.slice(0, before.length)), before);
      t.true(at < 10 || before.length > 0);
      t.like(error, { code: 'ERR_SQUALL_FILE', facts: { file, line: lines.length + 1 } });
      t.regex(error?.message ?? '', /its gzip data is corrupt \(/);
    }
  });
}

test('what follows the gzip data, and what is no gzip at all, is corrupt', async (t) => {
  const folder = await write(t, {
    'a.gz': Buffer.concat([gzipSync('one\ntwo\n'), Buffer.from('three\n')]),
    'b.gz': 'four\n',
  });
  const behind = await runTask(fileSpout({ path: `${folder}/a.gz` }));
  t.deepEqual(texts(behind.lines), ['one', 'two']);
  t.like(behind.error, { code: 'ERR_SQUALL_FILE', facts: { line: 3, offset: 8 } });
  await writeFile(
    join(folder, 'a.gz'),
    Buffer.concat([gzipSync('one\ntwo\n'), Buffer.alloc(70_000), gzipSync('three\n')]),
  );
  const padded = await runTask(fileSpout({ path: `${folder}/a.gz` }));
  t.deepEqual(texts(padded.lines), ['one', 'two']);
  t.like(padded.error, { code: 'ERR_SQUALL_FILE', facts: { line: 3, offset: 8 } });
  t.regex(padded.error?.message ?? '', /behind its gzip data, at byte \d+, there is something else/);
  const none = await runTask(fileSpout({ path: `${folder}/b.gz` }));
  t.like(none, { lines: [], error: { code: 'ERR_SQUALL_FILE', facts: { line: 1, offset: 0 } } });
});

test('a file is not gone on in when it cannot be the one that was read before', async (t) => {
  const folder = await write(t, { 'a.txt': 'one\ntwo\nthree', 'b.gz': gzipSync('one\ntwo\nthree') });
  for (const name of ['a.txt', 'b.gz']) {
    const file = join(folder, name);
    const spout = fileSpout({ path: file });
    const { lines } = await runTask(spout);
    const behindTwo = stored(lines[1].position);
    const behindAll = stored(lines[2].position);
    const rewrite = (text: string) => writeFile(file, name.endsWith('.gz') ? gzipSync(text) : text);

    await rewrite('one\n');
    const shorter = await runTask(spout, { position: behindTwo });
    t.like(shorter, { lines: [], error: { code: 'ERR_SQUALL_FILE', facts: { file, line: 3, offset: 8 } } });
    t.regex(shorter.error?.message ?? '', /ends before byte 8/);

    await rewrite('one two three\nfour');
    for (const position of [behindTwo, behindAll]) {
      const other = await runTask(spout, { position });
      t.like(other, { lines: [], error: { code: 'ERR_SQUALL_FILE', facts: { file } } });
      t.regex(other.error?.message ?? '', /no line ends at byte/);
    }
  }
});

test('a file that is gone is an error where the task was to go on in it', async (t) => {
  const folder = await write(t, { 'a.txt': 'one\ntwo\n', 'b.txt': 'three\n' });
  const spout = fileSpout({ path: `${folder}/*` });
  const { lines } = await runTask(spout);
  const file = join(folder, 'a.txt');
  await rm(file);
  await t.throwsAsync(runTask(spout, { position: stored(lines[0].position) }), {
    code: 'ERR_SQUALL_FILE',
    message: `'lines' is to go on in ${file} at line 2, but that is not among its files any more; put it back, or begin anew with --fresh`,
  });
});

test('one task goes on when files came or went, and warns where it passes over new ones', async (t) => {
  const folder = await write(t, { 'b.txt': 'one\ntwo\n', 'c.txt': 'three\n' });
  const spout = fileSpout({ path: `${folder}/*` });
  const { lines } = await runTask(spout);
  const warnings: string[] = [];
  const log = { ...taskContext().log, warn: (message: string) => void warnings.push(message) };
  const position = stored(lines[0].position);
  await writeFile(join(folder, 'd.txt'), 'new');
  t.deepEqual(texts((await runTask(spout, { position, log })).lines), ['two', 'three', 'new']);
  t.deepEqual(warnings, []);
  await writeFile(join(folder, 'a.txt'), 'missed');
  t.deepEqual(texts((await runTask(spout, { position, log })).lines), ['two', 'three', 'new']);
  t.is(warnings.length, 1);
  t.true(warnings[0].includes(`the files before ${join(folder, 'b.txt')}`));
});

test('several tasks do not go on when files came or went: they would deal them anew', async (t) => {
  const folder = await write(t, { a: '1\n2\n', b: '3\n' });
  const spout = fileSpout({ path: `${folder}/*` });
  const { lines } = await runTask(spout, { tasks: 2 });
  const position = stored(lines[0].position);
  await t.throwsAsync(runTask(spout, { tasks: 1, position }), { code: 'ERR_SQUALL_INPUT_CHANGED' });
  await writeFile(join(folder, 'c'), '4\n');
  await t.throwsAsync(runTask(spout, { tasks: 2, position }), { code: 'ERR_SQUALL_INPUT_CHANGED' });
});

test('a position of another spout is refused', async (t) => {
  const folder = await write(t, { a: '1\n' });
  const good = { file: join(folder, 'a'), offset: 2, line: 1, n: 1, list: '1:x' };
  for (const position of [7, null, 'a', [], {}, { ...good, offset: -1 }, { ...good, n: 1.5 }, { ...good, file: 1 }]) {
    await t.throwsAsync(runTask(fileSpout({ path: `${folder}/*` }), { position }), { code: 'ERR_SQUALL_POSITION' });
  }
});

test('wrong options are mistakes of the topology, all at once', (t) => {
  const wrong = fileSpout as unknown as (options: unknown) => ReturnType<typeof fileSpout>;
  for (const path of [undefined, '', 7, [], ['a', ''], [7]]) {
    const { mistakes } = wrong({ path, paths: 'x', retry: { attempts: 0 } })[COMPONENT];
    t.is(mistakes.length, 3, mistakes.join('\n'));
    t.regex(mistakes.join('\n'), /path: expected a file, a pattern or an array of them, found/);
  }
  t.is(wrong(undefined)[COMPONENT].mistakes.length, 1);
  t.deepEqual(fileSpout({ path: ['a', 'b/*'], retry: { attempts: 3 } })[COMPONENT].mistakes, []);
  t.is(fileSpout({ path: 'a', retry: { attempts: 3 } }).retry.attempts, 3);
});
