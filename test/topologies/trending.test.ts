import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { feeder, runLocal, startLocal } from '../../core/testing/index.js';
import { t as is } from '../../core/topology/fields.js';
import trending, { lineOf } from '../../topologies/trending.js';
import { temporaryFolder } from '../spouts/run-spout.js';
import { Workspace } from '../support/e2e.js';
import { balanceCloses, countWords } from '../support/e2e-checks.js';
import { startRun } from '../support/e2e-run.js';

const TOP = 5;

/** The first ones of a text, counted without the engine. */
function firstOf(text: string): [string, number][] {
  return [...countWords(text)].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, TOP);
}
const textOf = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => lineOf(from + index)).join('\n');

/** The last ranking that the sink has written. */
function lastRanking(file: string): [string, number][] {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
  const last = rows.findLastIndex(([, rank]) => rank === '1');
  return rows.slice(last).map(([, , word, count]) => [word, Number(count)]);
}

test('the words that were counted in parts and added up are those of a count in one place', async (t) => {
  const output = `${await temporaryFolder(t)}/trending.tsv`;
  const lines = Array.from({ length: 500 }, (_, n) => ({ line: lineOf(n) }));
  for (const workers of [1, 'task'] as const) {
    const result = await runLocal(trending({ output, top: String(TOP) }), { spouts: { lines }, workers });
    t.is(result.status, 'completed');
    t.deepEqual(lastRanking(output), firstOf(textOf(0, 500)));
  }
});

test('a word counts for as long as its slot is in the window', async (t) => {
  const output = `${await temporaryFolder(t)}/trending.tsv`;
  const lines = feeder({ line: is.string });
  const local = await startLocal(trending({ output, slotMs: '1000', slots: '3', top: String(TOP) }), {
    spouts: { lines },
  });
  const ranking = () => {
    const all = local.result().emitted.merge;
    const last = all.findLastIndex(({ rank }) => rank === 1);
    return last < 0 ? [] : all.slice(last).map(({ word, count }) => `${word} ${count}`);
  };
  lines.feed({ line: 'rain rain rain sun' });
  await local.settle();
  // counted at one tick, added up at the next, and merged at the one after it
  await local.advance(3000);
  t.deepEqual(ranking(), ['rain 3', 'sun 1']);
  lines.feed({ line: 'sun sun sun sun' });
  await local.settle();
  await local.advance(3000);
  t.deepEqual(ranking(), ['sun 4']);
  await local.stop();
});

test.serial('as processes it finds the same', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('trending.tsv');
  const file = fileURLToPath(new URL('../../topologies/trending.js', import.meta.url));
  const set = { output, lines: '1000', linesPerSecond: '2000', top: String(TOP), name: place.name };
  const { run } = startRun(t, place, file, { set });
  const result = await run.result;
  t.is(result.status, 'completed');
  t.is(result.spouts.lines.acked, 1000);
  balanceCloses(t, result);
  t.deepEqual(lastRanking(output), firstOf(textOf(0, 1000)));
});
