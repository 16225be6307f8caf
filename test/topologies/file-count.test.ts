import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { runLocal } from '../../core/testing/index.js';
import fileCount from '../../topologies/file-count.js';
import { lineOf } from '../../topologies/trending.js';
import { temporaryFolder } from '../spouts/run-spout.js';
import { countsIn, countWords, differences } from '../support/e2e-checks.js';

test('files that are counted each by itself and merged give the counts of all their text', async (t) => {
  const folder = await temporaryFolder(t);
  const files = Array.from({ length: 9 }, (_, index) => join(folder, `part ${index}.txt`));
  for (const [index, file] of files.entries()) {
    const lines = Array.from({ length: 200 }, (_, n) => `${lineOf(index * 1900 + n)} only-${index} é${n}`);
    writeFileSync(file, lines.join('\n'));
  }
  const output = join(folder, 'counts.tsv');
  const expected = countWords(files.map((file) => readFileSync(file, 'utf8')).join('\n'));
  for (const workers of [1, 'task'] as const) {
    const result = await runLocal(fileCount({ input: `${folder}/*.txt`, output }), { workers });
    t.is(result.status, 'completed');
    t.is(result.spouts.files.acked, files.length);
    t.deepEqual(differences(countsIn(output), expected), []);
  }
});

test('a file that is counted twice is taken once', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'a.txt');
  writeFileSync(file, 'one two two\n');
  const output = join(folder, 'counts.tsv');
  await runLocal(fileCount({ output }), { spouts: { files: [{ file }, { file }] } });
  t.deepEqual([...countsIn(output)].sort(), [
    ['one', 1],
    ['two', 2],
  ]);
});
