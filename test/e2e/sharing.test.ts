import { readFileSync } from 'node:fs';
import test from 'ava';
import { topologyFile, Workspace } from '../support/e2e.js';
import { startRun } from '../support/e2e-run.js';

test('shuffle shares the load: of two equal tasks each executes at least a quarter', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const { run } = startRun(t, place, topologyFile('shared'), { set: { count: '200000', output } });
  t.is((await run.result).status, 'completed');
  const by = [0, 0];
  for (const line of readFileSync(output, 'utf8').split('\n').slice(0, -1)) by[Number(line.split('\t')[1])] += 1;
  t.is(by[0] + by[1], 200_000);
  t.true(Math.min(...by) >= 50_000, by.join(' and '));
});
