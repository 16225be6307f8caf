import { appendFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { AppendedFile, type AppendHandle } from '../../bolts/appended-file.js';
import { temporaryFolder } from '../spouts/run-spout.js';

const NEW = { resume: false, fsync: false };
const RESUME = { resume: true, fsync: false };

async function fileIn(t: ExecutionContext): Promise<string> {
  return join(await temporaryFolder(t), 'out.txt');
}

/** A handle to `path` whose calls may be replaced; they are noted. */
async function handleOf(t: ExecutionContext, path: string, replaced: Partial<AppendHandle> = {}) {
  const real = await open(path, 'a+');
  t.teardown(() => real.close());
  const calls: string[] = [];
  const noted =
    (name: keyof AppendHandle) =>
    (...given: never[]) => {
      calls.push(name);
      return ((replaced[name] ?? real[name].bind(real)) as (...given: never[]) => unknown)(...given);
    };
  const handle = Object.fromEntries(
    (['write', 'truncate', 'stat', 'datasync', 'close'] as const).map((name) => [name, noted(name)]),
  ) as unknown as AppendHandle;
  return { handle, calls, real };
}

test('a new file is created with its folders, and an old one is emptied', async (t) => {
  const path = join(await temporaryFolder(t), 'a/b/out.txt');
  for (const text of ['first\n', 'second\n']) {
    const file = await AppendedFile.open(path, NEW);
    await file.append(text);
    await file.append('more\n');
    await file.close();
    t.is(await readFile(path, 'utf8'), `${text}more\n`);
  }
});

test('resuming keeps the complete lines, cuts a torn one of any length, and appends', async (t) => {
  const path = await fileIn(t);
  const long = 'x'.repeat(64 * 1024);
  for (const [before, kept] of [
    ['', ''],
    ['one\n', 'one\n'],
    ['one\ntorn', 'one\n'],
    ['torn', ''],
    ['one\n\n', 'one\n\n'],
    [`one\ntwo\n${long}${long}torn`, 'one\ntwo\n'],
    [`one\n${long}`, 'one\n'],
    [`${long}\n${long.slice(1)}`, `${long}\n`],
    [long + long, ''],
  ]) {
    await writeFile(path, before);
    const file = await AppendedFile.open(path, RESUME);
    await file.append('new\n');
    await file.close();
    t.is(await readFile(path, 'utf8'), `${kept}new\n`);
  }
});

test('resuming without a file creates it', async (t) => {
  const path = join(await temporaryFolder(t), 'a/out.txt');
  const file = await AppendedFile.open(path, RESUME);
  await file.append('new\n');
  await file.close();
  t.is(await readFile(path, 'utf8'), 'new\n');
});

test('appends are written in the order of the calls, and close waits for them', async (t) => {
  const path = await fileIn(t);
  const file = await AppendedFile.open(path, NEW);
  for (let i = 0; i < 50; i += 1) void file.append(`${i}\n`);
  await file.close();
  t.is(await readFile(path, 'utf8'), Array.from({ length: 50 }, (_, i) => `${i}\n`).join(''));
});

test('an append that the system takes in parts is written whole', async (t) => {
  const path = await fileIn(t);
  const { handle, real, calls } = await handleOf(t, path, {
    write: ((bytes: Uint8Array, offset: number) =>
      real.write(bytes, offset, Math.min(3, bytes.length - offset))) as never,
  });
  const file = new AppendedFile(handle, path, false);
  await file.append('héllo wörld\n');
  t.is(await readFile(path, 'utf8'), 'héllo wörld\n');
  t.is(calls.filter((name) => name === 'write').length, 5);
});

test('of an append that fails nothing stays, and the next one is written', async (t) => {
  const path = await fileIn(t);
  let room = 13;
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const { handle, real } = await handleOf(t, path, {
    write: (async (bytes: Uint8Array, offset: number) => {
      if (room === 0) throw full;
      const written = await real.write(bytes, offset, Math.min(room, bytes.length - offset));
      room -= written.bytesWritten;
      return written;
    }) as never,
  });
  const file = new AppendedFile(handle, path, false);
  await file.append('before\n');
  const error = await t.throwsAsync(file.append('too long to fit\n'), { code: 'ERR_SQUALL_FILE' });
  t.true(error?.message.includes(`cannot write ${path}: ENOSPC`), error?.message);
  t.like(error, { facts: { file: path }, cause: full });
  t.is(await readFile(path, 'utf8'), 'before\n');
  room = 100;
  await file.append('after\n');
  t.is(await readFile(path, 'utf8'), 'before\nafter\n');
});

test('what could not be cut off after a failure is cut off before the next append', async (t) => {
  const path = await fileIn(t);
  let broken = true;
  const { handle, real } = await handleOf(t, path, {
    write: (async (bytes: Uint8Array, offset: number) => {
      if (broken && offset > 0) throw new Error('write failed');
      return real.write(bytes, offset, broken ? 2 : undefined);
    }) as never,
    truncate: ((length: number) =>
      broken ? Promise.reject(new Error('truncate failed')) : real.truncate(length)) as never,
  });
  const file = new AppendedFile(handle, path, false);
  await t.throwsAsync(file.append('first\n'), { message: /write failed/ });
  await t.throwsAsync(file.append('second\n'), { message: /truncate failed/ });
  t.is(await readFile(path, 'utf8'), 'fi');
  broken = false;
  await file.append('third\n');
  t.is(await readFile(path, 'utf8'), 'third\n');
});

test('fsync: an append resolves after the disk has it, and fails with it', async (t) => {
  const path = await fileIn(t);
  const { handle, calls } = await handleOf(t, path);
  await new AppendedFile(handle, path, true).append('x\n');
  t.deepEqual(calls, ['write', 'datasync']);

  const failing = await handleOf(t, path, { datasync: () => Promise.reject(new Error('EIO: i/o error, fdatasync')) });
  await t.throwsAsync(new AppendedFile(failing.handle, path, true).append('y\n'), {
    code: 'ERR_SQUALL_FILE',
    message: /EIO/,
  });
  t.is(await readFile(path, 'utf8'), 'x\n');

  const without = await handleOf(t, path);
  await new AppendedFile(without.handle, path, false).append('z\n');
  t.deepEqual(without.calls, ['write']);
});

test('fsync works on a real file', async (t) => {
  const path = await fileIn(t);
  const file = await AppendedFile.open(path, { resume: false, fsync: true });
  await file.append('x\n');
  await file.close();
  t.is(await readFile(path, 'utf8'), 'x\n');
});

test('a file that cannot be opened or written is an error that names it', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'plain'), '');
  await mkdir(join(folder, 'folder'));
  for (const path of [join(folder, 'plain/out.txt'), join(folder, 'folder')]) {
    const error = await t.throwsAsync(AppendedFile.open(path, NEW), { code: 'ERR_SQUALL_FILE' });
    t.true(error?.message.startsWith(`cannot write ${path}: `), error?.message);
  }
});

test('a device can be written: it has no size and no lines to keep', async (t) => {
  const file = await AppendedFile.open('/dev/null', RESUME);
  await t.notThrowsAsync(file.append('x\n'));
  await file.close();
});

test('others may append too', async (t) => {
  const path = await fileIn(t);
  const file = await AppendedFile.open(path, NEW);
  await file.append('ours\n');
  await appendFile(path, 'theirs\n');
  await file.append('ours again\n');
  await file.close();
  t.is(await readFile(path, 'utf8'), 'ours\ntheirs\nours again\n');
});
