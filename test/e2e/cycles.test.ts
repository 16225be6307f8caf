import { readFileSync } from 'node:fs';
import test from 'ava';
import { topologyFile, until, Workspace } from '../support/e2e.js';
import { balanceCloses } from '../support/e2e-checks.js';
import { startRun } from '../support/e2e-run.js';
import { sized } from '../support/long.js';

const WEB = topologyFile('web');
const PAGES = sized(64, 640);
/** 3 + 3² + … + 3⁷ for each page */
const ROUND_PER_PAGE = 3279;

function ranksIn(file: string): Map<string, number> {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return new Map(lines.map((line) => line.split('\t')).map(([page, rank]) => [page, Number(rank)]));
}

test.serial(
  'hundreds of thousands of tuples go round a cycle under a pending cap of 16, and it ends by itself',
  async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('ranks.tsv');
    const { run } = startRun(t, place, WEB, { set: { pages: String(PAGES), pending: '16', output } });
    const result = await run.result;
    t.is(result.status, 'completed');
    const round = PAGES * ROUND_PER_PAGE;
    t.true(round > 200_000);
    t.is(result.bolts.rank.executed, PAGES + round);
    t.is(result.spouts.pages.acked, PAGES);
    t.is(result.spouts.pages.replays.timeout, 0);
    // no weight is lost on the way, and none comes twice
    const ranks = ranksIn(output);
    t.is(ranks.size, PAGES);
    const sum = [...ranks.values()].reduce((sum, rank) => sum + rank, 0);
    t.true(Math.abs(sum - PAGES) < 1e-6, `${sum} of ${PAGES}`);
    balanceCloses(t, result);
  },
);

test.serial('a task of a cycle is killed: what went round with it goes round again, and the cycle ends', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('ranks.tsv');
  const watched = startRun(t, place, WEB, { set: { pages: '80', pending: '16', output } });
  await until(() => watched.acked >= 16, 'some pages to be complete');
  process.kill(watched.pidOf('rank[2]'), 'SIGKILL');
  const result = await watched.run.result;
  t.is(result.spouts.pages.acked, 80);
  t.true(result.spouts.pages.replays['worker-lost'] > 0);
  t.is(result.spouts.pages.replays.timeout, 0);
  t.is(result.status, 'incomplete', 'its ranks died with it');
  balanceCloses(t, result);
});
