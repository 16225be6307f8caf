import { appendFileSync, copyFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Position, SpoutDefinition } from '../../core/topology/definition.js';
import { fileSpout } from '../../spouts/index.js';
import { Log } from '../support/log.js';
import { recordingOut } from '../topology/support.js';
import { taskContext, temporaryFolder } from './run-spout.js';

interface Tail {
  readonly lines: Log<string>;
  readonly ids: unknown[];
  readonly warnings: string[];
  position: Position | undefined;
  stop(): Promise<void>;
}

/** A task of the spout that is asked for more all the time, until it is stopped. */
function tail(t: ExecutionContext, path: string | readonly string[], position?: Position): Tail {
  const stopping = new AbortController();
  const lines = new Log<string>();
  const ids: unknown[] = [];
  const warnings: string[] = [];
  const log = { ...taskContext().log, warn: (message: string) => void warnings.push(message) };
  // positions come back from JSON
  const stored = position === undefined ? undefined : (JSON.parse(JSON.stringify(position)) as Position);
  const definition = fileSpout({ path, follow: true }) as unknown as SpoutDefinition;
  const running = (async () => {
    const spout = await definition.open(taskContext({ position: stored, signal: stopping.signal, log }));
    while (!stopping.signal.aborted) {
      await spout.next({
        ...recordingOut(),
        emit(values, options) {
          ids.push(options?.id);
          result.position = options?.position;
          lines.push(values.line as string);
        },
      });
    }
    await spout.close?.();
  })();
  const result: Tail = {
    lines,
    ids,
    warnings,
    position: stored,
    async stop() {
      stopping.abort();
      await running;
    },
  };
  t.teardown(() => result.stop());
  return result;
}

async function logFile(t: ExecutionContext): Promise<string> {
  return join(await temporaryFolder(t), 'app.log');
}

/** `a 0` … */
function numbered(name: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${name} ${from + index}`);
}
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

test('new lines come as they are written, and a last line waits for its ending', async (t) => {
  const path = await logFile(t);
  writeFileSync(path, 'one\ntw');
  const { lines, ids } = tail(t, path);
  await lines.count(1, 'the first line');
  appendFileSync(path, 'o\nthree\nfo');
  await lines.count(3, 'the line that was written in two pieces');
  appendFileSync(path, 'ur\r\n');
  await lines.count(4, 'the last line');
  t.deepEqual(lines.items, ['one', 'two', 'three', 'four']);
  t.is(ids.at(-1), `${path}:0:4`);
});

test('a file that is not there, nor its folder, is waited for', async (t) => {
  const folder = join(await temporaryFolder(t), 'later');
  const path = join(folder, 'app.log');
  const { lines } = tail(t, path);
  mkdirSync(folder);
  writeFileSync(path, 'one\n');
  await lines.count(1, 'the line of the new file');
  t.deepEqual(lines.items, ['one']);
});

test('a renamed file is read to its end, what was written to it after the renaming too, and then the new one', async (t) => {
  const path = await logFile(t);
  writeFileSync(path, 'a 0\n');
  const { lines, ids } = tail(t, path);
  await lines.count(1, 'the first line');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'b 0\n');
  appendFileSync(`${path}.1`, 'a 1\na 2');
  await lines.count(4, 'the lines of both');
  t.deepEqual(lines.items, ['a 0', 'a 1', 'a 2', 'b 0']);
  t.is(ids.at(-1), `${path}:1:1`);
});

test('a file that was copied and cut is read on from its beginning, after the rest that is in the copy', async (t) => {
  const path = await logFile(t);
  writeFileSync(path, text(numbered('a', 0, 10)));
  const { lines, warnings } = tail(t, path);
  await lines.count(10, 'the first lines');
  appendFileSync(path, 'a 10\n');
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
  appendFileSync(path, 'b 0\n');
  await lines.count(12, 'the lines after the cut');
  t.deepEqual(lines.items, [...numbered('a', 0, 11), 'b 0']);
  t.deepEqual(warnings, []);
});

test('a cut without a copy is noticed, though the file is as long as before, and is a warning', async (t) => {
  const path = await logFile(t);
  writeFileSync(path, 'a 0\na 1\n');
  const { lines, warnings } = tail(t, path);
  await lines.count(2, 'the first lines');
  writeFileSync(path, 'b 0\nb 1\nb 2\n');
  await lines.count(5, 'the lines after the cut');
  t.deepEqual(lines.items.slice(2), ['b 0', 'b 1', 'b 2']);
  t.is(warnings.length, 1);
  t.regex(warnings[0], /was cut after line 2, and no copy of it is beside it/);
});

test('a restarted task goes on in a file that was rotated twice meanwhile, then in those that came after it', async (t) => {
  const path = await logFile(t);
  writeFileSync(path, text(numbered('a', 0, 4)));
  const first = tail(t, path);
  await first.lines.count(4, 'the first lines');
  await first.stop();
  appendFileSync(path, 'a 4\n');
  renameSync(path, `${path}.1`);
  writeFileSync(path, text(numbered('b', 0, 3)));
  renameSync(`${path}.1`, `${path}.2`);
  renameSync(path, `${path}.1`);
  writeFileSync(path, text(numbered('c', 0, 3)));
  writeFileSync(`${path}.txt`, 'of somebody else\n');
  const second = tail(t, path, first.position);
  await second.lines.count(7, 'what is left of all three');
  t.deepEqual(second.lines.items, ['a 4', ...numbered('b', 0, 3), ...numbered('c', 0, 3)]);
  t.deepEqual(second.warnings, []);
});

test('a restarted task knows its file by its first bytes: a copy of it, or another file of the same name', async (t) => {
  const path = await logFile(t);
  writeFileSync(path, text(numbered('a', 0, 4)));
  const first = tail(t, path);
  await first.lines.count(4, 'the first lines');
  await first.stop();
  appendFileSync(path, 'a 4\n');
  copyFileSync(path, `${path}-20260131`);
  writeFileSync(path, text(numbered('b', 0, 9)));
  const second = tail(t, path, first.position);
  await second.lines.count(10, 'the rest in the copy, and the new lines');
  t.deepEqual(second.lines.items, ['a 4', ...numbered('b', 0, 9)]);
  await second.stop();
  // and when it is gone altogether
  rmSync(`${path}-20260131`);
  rmSync(path);
  writeFileSync(path, text(numbered('c', 0, 9)));
  const third = tail(t, path, second.position);
  await third.lines.count(9, 'the lines of the new file');
  t.deepEqual(third.lines.items, numbered('c', 0, 9));
  t.regex(third.warnings.join(), /had been read up to line 9 is not there any more/);
});

test('several files are followed at once, each from its own place', async (t) => {
  const folder = await temporaryFolder(t);
  const paths = [join(folder, 'a.log'), join(folder, 'b.log')];
  writeFileSync(paths[0], text(numbered('a', 0, 3)));
  writeFileSync(paths[1], text(numbered('b', 0, 3)));
  const first = tail(t, paths);
  await first.lines.count(6, 'the lines of both');
  await first.stop();
  for (const path of paths) appendFileSync(path, 'more\n');
  const second = tail(t, paths, first.position);
  await second.lines.count(2, 'a line of each');
  t.deepEqual(second.lines.items, ['more', 'more']);
  t.deepEqual([...second.ids].sort(), [`${paths[0]}:0:4`, `${paths[1]}:0:4`]);
});

test('patterns and gzip files cannot be followed, and what stands there must be a file', async (t) => {
  const mistakes = (path: string) =>
    (fileSpout({ path, follow: true }) as unknown as Record<symbol, { mistakes: string[] }>)[
      Object.getOwnPropertySymbols(fileSpout({ path: 'x' }))[0]
    ].mistakes.join();
  t.regex(mistakes('*.log'), /with follow each path is the name of one file, found the pattern '\*\.log'/);
  t.regex(mistakes('a.log.gz'), /a gzip file cannot be followed/);
  const folder = await temporaryFolder(t);
  const definition = fileSpout({ path: folder, follow: true }) as unknown as SpoutDefinition;
  const spout = await definition.open(taskContext());
  await t.throwsAsync(async () => spout.next(recordingOut()), { code: 'ERR_SQUALL_FILE', message: /is none/ });
  await spout.close?.();
  t.throws(() => definition.open(taskContext({ position: 7 })), { code: 'ERR_SQUALL_POSITION' });
});
