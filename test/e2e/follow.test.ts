import { appendFileSync, renameSync } from 'node:fs';
import test from 'ava';
import { sizeOf, topologyFile, until, Workspace } from '../support/e2e.js';
import { allPresent, balanceCloses, highestIn } from '../support/e2e-checks.js';
import { startRun } from '../support/e2e-run.js';

const WRITE_EVERY_MS = 10;
const LINES_AT_ONCE = 10;
const DEADLINE_MS = 60_000;

test('a followed file that is written to, and rotates while its reader is killed, loses no line', async (t) => {
  const folder = await Workspace.create(t);
  const input = folder.path('app.log');
  const output = folder.path('out.tsv');
  let written = 0;
  let rotations = 0;
  const write = (): void => {
    for (let count = 0; count < LINES_AT_ONCE; count++) appendFileSync(input, `${written++}\n`);
  };
  const rotate = (): void => {
    for (let number = rotations; number > 0; number--) renameSync(`${input}.${number}`, `${input}.${number + 1}`);
    renameSync(input, `${input}.1`);
    rotations += 1;
    write();
  };
  const writer = setInterval(write, WRITE_EVERY_MS);
  t.teardown(() => clearInterval(writer));

  const watched = startRun(t, folder, topologyFile('followed'), { set: { input, output } });
  await until(() => watched.acked >= 200, '200 lines to be complete', DEADLINE_MS);
  for (const times of [1, 2]) {
    const back = watched.killAndAwait('lines[1]');
    for (let count = 0; count < times; count++) rotate();
    await back;
    await watched.ackedAtLeast(watched.acked + 100);
    // and one while it reads
    rotate();
  }
  clearInterval(writer);
  appendFileSync(input, `${written++}\n`);
  await until(() => sizeOf(output) > 0 && highestIn(output) === written - 1, 'the last line to arrive', DEADLINE_MS);
  await watched.run.stop();
  const result = await watched.run.result;
  t.is(result.status, 'stopped');
  balanceCloses(t, result);
  const repeats = allPresent(t, output, written);
  t.log(`${written} lines, ${rotations} rotations, ${repeats} came twice`);
});
