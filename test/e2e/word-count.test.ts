import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { RunOptions } from '../../core/index.js';
import { ownWarnings, sizeOf, topologyFile, Workspace } from '../support/e2e.js';
import { balanceCloses, countsIn, countWords, differences } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { startRun } from '../support/e2e-run.js';
import { sized } from '../support/long.js';

const WORDS = topologyFile('words');
const TEXT = fileURLToPath(new URL('../../../scripts/text.mjs', import.meta.url));
const SOURCE = fileURLToPath(new URL('../../../topologies/word-count.ts', import.meta.url));
const LINES = sized(10_000, 200_000);

let folder: string;
let input: string;
let expected: Map<string, number>;

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'squall-text-'));
  input = join(folder, 'text.txt');
  execFileSync(process.execPath, [TEXT, String(LINES), input]);
  expected = countWords(readFileSync(input, 'utf8'));
});
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

async function counts(t: ExecutionContext, options: RunOptions): Promise<void> {
  const place = await Workspace.create(t);
  const output = place.path('counts.tsv');
  const { run, warnings } = startRun(t, place, WORDS, { ...options, set: { input, output, ...options.set } });
  const result = await run.result;
  t.is(result.status, 'completed');
  t.deepEqual(differences(countsIn(output), expected), []);
  const { emitted, acked, replays } = result.spouts.lines;
  t.deepEqual(
    { emitted, acked, replays },
    {
      emitted: LINES,
      acked: LINES,
      replays: { failed: 0, timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 },
    },
  );
  t.is(result.balance.failed + result.balance.writtenOff, 0);
  balanceCloses(t, result);
  t.deepEqual(result.dropped, {}, 'no frame was refused');
  t.deepEqual(ownWarnings(warnings.items), []);
}

test.serial('word count counts as an independent counter does, all tasks in one process', (t) =>
  counts(t, { workers: 1 }),
);

test.serial('… in two processes', (t) => counts(t, { workers: 2 }));

test.serial('… with two ackers', (t) => counts(t, { workers: 3, ackers: 2 }));

test.serial('… a process per task, with four tasks a bolt', (t) => counts(t, { set: { tasks: '4' } }));

test.serial('… from a TypeScript file on the command line: exit 0, the result as one JSON object', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('counts.tsv');
  const settings = ['--set', `input=${input}`, '--set', `output=${output}`];
  const command = await Command.start(t, place, ['run', SOURCE, '--state', place.state, '--json', ...settings]);
  const { code, result } = await command.result();
  t.is(code, 0);
  t.like(result, { topology: 'word-count', status: 'completed', workers: { started: 7, restarts: 0 } });
  t.deepEqual(ownWarnings(result.warnings), []);
  t.like(result.spouts.lines, { emitted: LINES, acked: LINES, untracked: 0, deadLettered: 0, pending: 0 });
  t.deepEqual(differences(countsIn(output), expected), []);
  balanceCloses(t, result);
});

test.serial('without ackers nothing is tracked: the counts are the same where nothing fails', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('counts.tsv');
  const { run } = startRun(t, place, WORDS, { workers: 2, ackers: 0, set: { input, output } });
  const result = await run.result;
  t.is(result.status, 'completed');
  t.like(result.spouts.lines, { emitted: LINES, untracked: LINES, acked: LINES, pending: 0 });
  t.deepEqual(differences(countsIn(output), expected), []);
  balanceCloses(t, result);
});

test.serial('a count task that is killed: exit 4, incomplete, and the warning names the task', async (t) => {
  const place = await Workspace.create(t);
  // endless for what this test needs: many times the same text
  const command = await Command.run(t, place, topologyFile('words-slow'), {
    output: place.path('counts.tsv'),
    started: place.path('started'),
  });
  await command.until(() => sizeOf(place.path('started')) > 0, 'words to be counted');
  process.kill(place.pidOf('count[3]'), 'SIGKILL');
  const { code, result, stderr } = await command.result();
  t.is(code, 4);
  t.is(result.status, 'incomplete');
  t.is(result.spouts.words.acked, result.spouts.words.emitted, 'every word is acked all the same');
  const [warning, ...more] = ownWarnings(result.warnings);
  t.deepEqual(more, []);
  t.regex(warning, /count\[3\].*died.*lost/);
  t.true(stderr.includes(warning), 'people see it too');
  balanceCloses(t, result);
});
