/**
 * `npm start`: word count over the markdown files under node_modules, on NATS, a process per task; then what came of it.
 * Arguments go to `squall run`: `npm start -- --workers 2 --set input='docs/*.md'`.
 */
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { root, runNode, say, setup } from './setup.mjs';

const TOPOLOGY = 'topologies/word-count.ts';
const SHOWN_WORDS = 20;
const EXIT_NOTHING_TO_SHOW = 1;

const number = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 1 });

/** `[word, count]` of each line of the result file, commonest first. Words have no tabs, so nothing is unescaped. */
function readCounts(path) {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [word, count] = line.split('\t');
      return [word, Number(count)];
    })
    .sort(([wordA, countA], [wordB, countB]) => countB - countA || (wordA < wordB ? -1 : 1));
}

function report(run, path) {
  const counts = readCounts(path);
  const words = counts.reduce((sum, [, count]) => sum + count, 0);
  const lines = Object.values(run.spouts).reduce((sum, spout) => sum + spout.acked, 0);
  const seconds = run.durationMs / 1000;
  const shown = counts.slice(0, SHOWN_WORDS);
  const wordWidth = Math.max(0, ...shown.map(([word]) => word.length));
  const countWidth = Math.max(0, ...shown.map(([, count]) => number(count).length));
  const { p50, p99 } = run.completeLatencyMs ?? {};
  return [
    `The ${shown.length} commonest words`,
    ...shown.map(([word, count]) => `  ${word.padEnd(wordWidth)}  ${number(count).padStart(countWidth)}`),
    '',
    `total    ${number(lines)} lines, ${number(words)} words, ${number(counts.length)} distinct words`,
    `rate     ${number(lines / seconds)} lines/s, ${number(words / seconds)} words/s (${number(seconds)} s)`,
    ...(typeof p50 === 'number' ? [`latency  p50 ${number(p50)} ms, p99 ${number(p99)} ms from emit to complete`] : []),
    `status   ${run.status}`,
    `result   ${relative(process.cwd(), path)}`,
  ].join('\n');
}

/** The last `--set output=…` among the arguments, as the topology reads it. */
function outputOf(args) {
  const settings = args.flatMap((arg, i) => (arg === '--set' ? [args[i + 1]] : [arg.replace(/^--set=/, '')]));
  const last = settings.filter((setting) => setting?.startsWith('output=')).at(-1);
  return resolve(root, last?.slice('output='.length) ?? 'counts.tsv');
}

await setup();
const args = process.argv.slice(2);
const { code, stdout } = await runNode([join('dist', 'cli', 'squall.js'), 'run', TOPOLOGY, '--json', ...args], {
  capture: true,
  ownGroup: true,
});
const run = stdout.trim() === '' ? undefined : JSON.parse(stdout);
if (run === undefined || run.status === 'stopped' || run.status === 'failed') {
  say(`No result: the run ${run === undefined ? `ended with exit code ${code}` : `was ${run.status}`}.`);
  process.exitCode = code || EXIT_NOTHING_TO_SHOW;
} else {
  console.log(report(run, outputOf(args)));
  process.exitCode = code;
}
