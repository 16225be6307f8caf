import { appendFileSync, readFileSync } from 'node:fs';
import test from 'ava';
import { sizeOf, topologyFile, Workspace } from '../support/e2e.js';
import { allPresent, balanceCloses } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { writeTopology } from '../support/e2e-files.js';
import { startRun } from '../support/e2e-run.js';

const NUMBERS = topologyFile('numbers');
const COUNT = 100_000;
const RATE = 10_000;
const SETTINGS = { count: String(COUNT), rate: String(RATE) };
const MAX_SPOUT_PENDING = 8192;
/** emitted again by a resumed run: what was pending, and what its position lacked, which is stored every 0.3 s or so */
const REPEATS_LIMIT = MAX_SPOUT_PENDING + RATE;

test.serial('the supervisor is killed: no process is left, and the next run resumes and completes', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const command = await Command.run(t, place, NUMBERS, { ...SETTINGS, output });
  await command.until(() => sizeOf(output) > 50_000, 'lines in the file');
  const titles = place.processes().map(({ command }) => command);
  for (const task of ['numbers[1]', 'first[2]', 'second[3]', 'sink[4]', '__acker[5]']) {
    t.true(titles.includes(`squall ${place.name} ${task}`), `${task} is to be found by its title`);
  }
  t.true(titles.some((title) => title.includes('nats-server')));
  process.kill(command.pid, 'SIGKILL');
  await command.ended();
  await place.allGone();

  // as a power cut may leave it
  appendFileSync(output, '123');
  const watched = startRun(t, place, NUMBERS, { set: { count: String(COUNT), output } });
  const result = await watched.run.result;
  t.true(watched.ready.items[0].resumed);
  t.is(result.status, 'completed');
  t.true(result.spouts.numbers.emitted < COUNT, 'it did not begin at the beginning');
  balanceCloses(t, result);
  const repeats = allPresent(t, output, COUNT);
  t.true(repeats <= REPEATS_LIMIT, `${repeats} lines are there twice`);

  const third = startRun(t, place, NUMBERS, { workers: 1, set: { count: '100', output } });
  t.is((await third.run.result).spouts.numbers.emitted, 100);
  t.false(third.ready.items[0].resumed, 'after a run that completed the next one begins at the beginning');
  t.is(allPresent(t, output, 100), 0);
});

test.serial('everything is killed at once: the next run resumes, and nothing is lost', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const command = await Command.run(t, place, NUMBERS, { ...SETTINGS, output });
  await command.until(() => sizeOf(output) > 50_000, 'lines in the file');
  for (const { pid } of place.processes()) process.kill(pid, 'SIGKILL');
  await command.ended();
  await place.allGone();

  const watched = startRun(t, place, NUMBERS, { set: { count: String(COUNT), output } });
  const result = await watched.run.result;
  t.true(watched.ready.items[0].resumed);
  t.is(result.status, 'completed');
  balanceCloses(t, result);
  const repeats = allPresent(t, output, COUNT);
  t.true(repeats <= REPEATS_LIMIT, `${repeats} lines are there twice`);
});

test.serial('--fresh ignores what a run that was cut off has left', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const command = await Command.run(t, place, NUMBERS, { ...SETTINGS, output }, ['--workers', '1']);
  await command.until(() => sizeOf(output) > 50_000, 'lines in the file');
  process.kill(command.pid, 'SIGKILL');
  await command.ended();
  await place.allGone();

  const again = await Command.run(t, place, NUMBERS, { count: '500', output }, ['--workers', '1', '--fresh']);
  const { code, result } = await again.result();
  t.is(code, 0);
  t.is(result.spouts.numbers.emitted, 500);
  t.is(allPresent(t, output, 500), 0);
});

test.serial(
  'the topology file is edited while it runs, and a worker dies: its replacement refuses, and the run says why',
  async (t) => {
    const place = await Workspace.create(t);
    const text = (fields: string) => `
const numbers = defineSpout({
  output: { n: t.number },
  open() {
    let n = 0;
    return { next(out) { out.emit({ n }, { id: n++ }); } };
  },
});
const bolt = defineBolt({ input: { n: t.number }, output: { ${fields} }, execute({ values }, out) { out.emit(values); } });
export default ({ name, output } = {}) =>
  topology(name)
    .spout('numbers', numbers)
    .bolt('work', bolt, (from) => from.shuffle('numbers'))
    .bolt('sink', linesSink({ path: output }), (from) => from.shuffle('work'));
`;
    const file = writeTopology(place, 'edited.mjs', text('n: t.number'));
    const watched = startRun(t, place, file, { set: { output: place.path('numbers.tsv') } });
    await watched.ackedAtLeast(1000);
    writeTopology(place, 'edited.mjs', text('n: t.number, m: t.nullable(t.number)'));
    process.kill(watched.pidOf('work[2]'), 'SIGKILL');
    const result = await watched.run.result;
    t.is(result.status, 'failed');
    t.is(result.error?.code, 'ERR_SQUALL_TOPOLOGY_CHANGED');
    t.regex(result.error?.message ?? '', /edited\.mjs has changed since the run started/);
    t.true(
      watched.lines.items.some((line) => line.includes('edited.mjs has changed')),
      'it was said when it happened',
    );
    await place.allGone();
    t.true(readFileSync(place.path('numbers.tsv'), 'utf8').length > 0);
  },
);

test.serial(
  'a spout that throws in next is restarted at its position, and ends the run when that does not help',
  async (t) => {
    const place = await Workspace.create(t);
    const file = writeTopology(
      place,
      'throws.mjs',
      `
const numbers = defineSpout({
  output: { n: t.number },
  open({ position }) {
    let n = Number(position ?? 0);
    let acked = n;
    let calm = 0;
    return {
      next(out) {
        if (n < 50) {
          out.emit({ n }, { id: n, position: n + 1 });
          n += 1;
        } else if (acked < 50 || ++calm < 20) {
          // long enough for the position to be stored
          return 'idle';
        } else throw new RangeError('there is no 50');
      },
      ack() {
        acked += 1;
      },
    };
  },
});
export default ({ name, output } = {}) =>
  topology(name).spout('numbers', numbers).bolt('sink', linesSink({ path: output }), (from) => from.shuffle('numbers'));
`,
    );
    const output = place.path('numbers.tsv');
    const { run, lines } = startRun(t, place, file, { set: { output } });
    const result = await run.result;
    t.is(result.status, 'failed');
    t.regex(result.error?.message ?? '', /numbers\[1\].*there is no 50/);
    t.true(lines.items.some((line) => /numbers\[1\] next failed: there is no 50/.test(line)));
    t.is(result.workers.restarts, 3);
    t.is(result.spouts.numbers.emitted, 50);
    t.is(allPresent(t, output, 50), 0);
    await place.allGone();
  },
);
