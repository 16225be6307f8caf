import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { temporaryFolder } from '../spouts/run-spout.js';

const SCRIPT = fileURLToPath(new URL('../../../scripts/text.mjs', import.meta.url));
const generate = (...given: string[]) => promisify(execFile)(process.execPath, [SCRIPT, ...given]);

test('writes so many lines of text; the same seed gives the same bytes, in every version', async (t) => {
  const folder = await temporaryFolder(t);
  const text = async (name: string, ...given: string[]) => {
    await generate('20000', join(folder, name), ...given);
    return readFile(join(folder, name));
  };
  const [first, again, other] = await Promise.all([text('a'), text('b', '1'), text('c', '2')]);
  t.is(first.toString().split('\n').length, 20_001);
  t.true(first.equals(again));
  t.false(first.equals(other));
  t.is(createHash('sha256').update(first).digest('hex').slice(0, 16), 'cce7b7f3759a18b2');
});

test('words follow the law of Zipf: the r-th commonest has a r-th of the count of the first', async (t) => {
  const file = join(await temporaryFolder(t), 'text');
  await generate('50000', file);
  const counts = new Map<string, number>();
  for (const word of (await readFile(file, 'utf8')).toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const sorted = [...counts.values()].sort((a, b) => b - a);
  for (const rank of [2, 3, 10, 100]) {
    const ratio = (sorted[rank - 1] * rank) / sorted[0];
    t.true(ratio > 0.9 && ratio < 1.1, `rank ${rank}: ${ratio}`);
  }
  t.true(counts.size > 10_000);
});

test('no lines are an empty file', async (t) => {
  const file = join(await temporaryFolder(t), 'text');
  await generate('0', file);
  t.is(await readFile(file, 'utf8'), '');
});

test('wrong arguments are answered with the usage and exit code 2, a file that cannot be written with 1', async (t) => {
  for (const given of [[], ['5'], ['x', 'f'], ['-1', 'f'], ['1.5', 'f'], ['5', 'f', 'seed'], ['5', 'f', '1', 'more']]) {
    await t.throwsAsync(generate(...given), {
      code: 2 as never,
      message: /usage: npm run text -- LINES FILE \[SEED\]/,
    });
  }
  const file = join(await temporaryFolder(t), 'no/text');
  await t.throwsAsync(generate('5', file), { code: 1 as never, message: /cannot write .*ENOENT/ });
});
