/**
 * `npm run bench:shuffle`: what a task that is ten times slower than the others does to them under shuffle. Pairs of runs:
 * the quick tasks alone, and with the slow one beside them. Rates are of the quick tasks, after the same time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../core/index.js';

const PAIRS = 3;
const DURATION_MS = 6000;
const QUICK = 4;
const FILE = new URL('./topologies/slow-task.js', import.meta.url);

/** Tuples executed by each task, in the order of the tasks. */
async function executed(slow: boolean, pending: number, folder: string): Promise<number[]> {
  const result = await run(FILE, {
    set: { quick: String(QUICK), slow: slow ? 'yes' : 'no', pending: String(pending) },
    durationMs: DURATION_MS,
    state: join(folder, 'state'),
    fresh: true,
    jetstream: false,
    workers: 2,
  }).result;
  if (result.status !== 'stopped' || result.drained !== true) throw new Error(`the run ended as ${result.status}`);
  const byTask = result.bolts.work.metrics?.gauges.executed ?? {};
  return Object.keys(byTask)
    .sort((a, b) => Number(a) - Number(b))
    .map((task) => byTask[task]);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

const folder = await mkdtemp(join(tmpdir(), 'squall-shuffle-'));
try {
  console.log('pending  quick tasks with ÷ without the slow one   slow ÷ a quick one');
  for (const pending of [64, 1000, 8192]) {
    const kept: number[] = [];
    const shares: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const alone = sum(await executed(false, pending, folder));
      const [slow, ...quick] = await executed(true, pending, folder);
      kept.push(sum(quick) / alone);
      shares.push(slow / (sum(quick) / QUICK));
    }
    const each = (numbers: readonly number[]) => numbers.map((one) => one.toFixed(2)).join(' ');
    console.log(
      `${String(pending).padStart(7)}  ${median(kept).toFixed(2)} (${each(kept)})`.padEnd(52) +
        `${median(shares).toFixed(3)} (${each(shares)})`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
