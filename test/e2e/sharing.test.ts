import { readFileSync } from 'node:fs';
import test from 'ava';
import { topologyFile, Workspace } from '../support/e2e.js';
import { startRun } from '../support/e2e-run.js';
import { sized } from '../support/long.js';

const COUNT = sized(60_000, 1_000_000);

test('shuffle shares the load: of two equal tasks each executes at least a quarter', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const { run } = startRun(t, place, topologyFile('shared'), { set: { count: String(COUNT), output } });
  t.is((await run.result).status, 'completed');
  const by = [0, 0];
  for (const line of readFileSync(output, 'utf8').split('\n').slice(0, -1)) by[Number(line.split('\t')[1])] += 1;
  t.is(by[0] + by[1], COUNT);
  t.true(Math.min(...by) >= COUNT / 4, by.join(' and '));
});
