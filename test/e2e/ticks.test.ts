import { readFileSync } from 'node:fs';
import test from 'ava';
import { topologyFile, Workspace } from '../support/e2e.js';
import { balanceCloses } from '../support/e2e-checks.js';
import { startRun } from '../support/e2e-run.js';

interface Line {
  readonly kind: string;
  readonly task: number;
  readonly number: number;
  readonly total: number;
  readonly attempt: number;
}

function linesIn(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [kind, ...figures] = line.split('\t');
      const [task, number, total, attempt] = figures.map(Number);
      return { kind, task, number, total, attempt };
    });
}

test.serial('what a bolt emits at ticks and at the end is tracked, and replayed by its own task', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('windows.tsv');
  const { run } = startRun(t, place, topologyFile('windows'), { workers: 2, set: { count: '2000', output } });
  const result = await run.result;
  t.is(result.status, 'completed');
  const lines = linesIn(output);
  t.true(
    lines.every(({ attempt }) => attempt === 2),
    'each was refused once, and came again',
  );
  for (const task of [2, 3]) {
    const ticks = lines.filter((line) => line.kind === 'tick' && line.task === task);
    const [end, ...more] = lines.filter((line) => line.kind === 'end' && line.task === task);
    t.deepEqual(more, [], '`end` has run once');
    t.true(end.number > 3, `${end.number} ticks`);
    t.deepEqual(
      ticks.map(({ number }) => number).sort((a, b) => a - b),
      Array.from({ length: end.number }, (_, number) => number),
    );
    t.true(ticks.every(({ total }) => total <= end.total));
  }
  const ends = lines.filter(({ kind }) => kind === 'end');
  t.is(
    ends.reduce((sum, { total }) => sum + total, 0),
    2000,
    '`end` came after all input',
  );
  t.is(result.bolts.fragile.failed, lines.length);
  t.deepEqual(result.spouts.numbers.replays.failed, 0, "they are not the spout's");
  balanceCloses(t, result);
});

test.serial('`end` does not run when the run is stopped', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('windows.tsv');
  const watched = startRun(t, place, topologyFile('windows'), { workers: 1, set: { count: '100000000', output } });
  await watched.ackedAtLeast(100);
  const result = await watched.run.stop();
  t.is(result.status, 'stopped');
  t.deepEqual(
    linesIn(output).filter(({ kind }) => kind === 'end'),
    [],
  );
});
