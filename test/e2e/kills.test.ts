import { existsSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as stoodStill } from 'node:timers/promises';
import test from 'ava';
import type { ReplayReason } from '../../core/index.js';
import { LEASE_MS } from '../../core/runtime/heartbeat.js';
import { ownWarnings, topologyFile, until, Workspace } from '../support/e2e.js';
import { allPresent, balanceCloses, type Checks, highestIn } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { livingProcesses } from '../support/e2e-processes.js';
import { type ReplayEvent, startRun, type WatchedRun } from '../support/e2e-run.js';
import { TestNats } from '../support/nats.js';

const NUMBERS = topologyFile('numbers');
/** pending tuples: so many are not on their way while all is well */
const HELD = 2000;
/**
 * Until the test opens the gate, `RATE` per second: no load worth mentioning, so that what is pending is what a fault
 * holds up, and the run does not end before the test is through, however slow the machine is. Then come some more, at
 * full speed.
 */
const RATE = 10_000;
const SETTINGS = { rate: String(RATE) };
/** More than are emitted between a report of the spout and its look at the gate. */
const MORE = 50_000;
const MAX_SPOUT_PENDING = 8192;

/** Reason and component of each replay, once. */
function causes(replays: readonly ReplayEvent[]): string[] {
  return [...new Set(replays.map(({ failure: { reason, component } }) => `${reason} ${component}`))].sort();
}

/** Returns how many numbers there will be. */
function openGate(gate: string, emitted: number): number {
  const count = emitted + MORE;
  writeFileSync(gate, String(count));
  return count;
}
const emittedIn = ({ run }: WatchedRun): number => run.snapshot().spouts.numbers.emitted;

test.serial(
  'a bolt, an acker, the spout and the sink are killed: nothing is lost, every replay has its true reason',
  async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('numbers.tsv');
    const gate = place.path('gate');
    const watched = startRun(t, place, NUMBERS, { set: { ...SETTINGS, gate, tasks: '2', output } });
    const { replays, lost } = watched;
    let before = 0;
    const since = () => replays.items.slice(before);
    const calm = async () => {
      await watched.ackedAtLeast(watched.acked + RATE / 2);
      await until(() => watched.pending < HELD / 2, 'little to be pending');
    };

    await watched.ackedAtLeast(2000);
    await watched.killAndAwait('second[4]', HELD);
    await calm();
    t.deepEqual(causes(since()), ['worker-lost second']);
    t.deepEqual([...new Set(since().map(({ failure }) => failure.task))], [4], 'the replays name the task');
    before = replays.items.length;

    await watched.killAndAwait('__acker[7]', HELD);
    await calm();
    t.deepEqual(causes(since()), ['acker-lost __acker']);
    before = replays.items.length;

    await watched.killAndAwait('numbers[1]');
    await calm();
    t.deepEqual(since(), [], 'a new spout begins anew: it replays nothing');

    await watched.killAndAwait('sink[6]', HELD);
    const count = openGate(gate, emittedIn(watched));
    const result = await watched.run.result;
    t.deepEqual(causes(since()), ['worker-lost sink']);

    t.is(result.status, 'completed');
    const short = (title: string) => title.replace(`squall ${place.name} `, '');
    t.deepEqual(
      lost.items.map(({ title, why }) => [short(title), why]),
      ['second[4]', '__acker[7]', 'numbers[1]', 'sink[6]'].map((task) => [task, 'SIGKILL']),
    );
    t.deepEqual(
      watched.restarted.items.map(({ title }) => title),
      lost.items.map(({ title }) => title),
    );
    t.deepEqual(result.workers, { started: 11, restarts: 4 });
    const { replays: counts, deadLettered } = result.spouts.numbers;
    t.is(counts.failed + counts.timeout + counts['link-lost'] + deadLettered, 0);
    t.is(counts['worker-lost'] + counts['acker-lost'], replays.items.length, 'each replay was an event');
    balanceCloses(t, result);
    const repeats = allPresent(t, output, count);
    t.true(
      repeats <= replays.items.length + MAX_SPOUT_PENDING + RATE,
      `${repeats} repeats, ${replays.items.length} replays`,
    );
  },
);

test.serial('tasks packed into processes: one is killed, and another: nothing is lost', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const gate = place.path('gate');
  const watched = startRun(t, place, NUMBERS, {
    workers: 2,
    ackers: 2,
    set: { ...SETTINGS, gate, tasks: '2', output },
  });
  await watched.ackedAtLeast(2000);
  await watched.killAndAwait('first[2]');
  await watched.ackedAtLeast(watched.acked + 5000);
  await watched.killAndAwait('first[3]');
  const count = openGate(gate, emittedIn(watched));
  const result = await watched.run.result;
  t.is(result.status, 'completed');
  t.deepEqual(result.workers, { started: 4, restarts: 2 });
  t.is(result.spouts.numbers.replays.failed + result.spouts.numbers.replays.timeout, 0);
  balanceCloses(t, result);
  allPresent(t, output, count);
});

test.serial(
  "the run's own nats-server is killed: it is started again, what was on the links is replayed as link-lost",
  async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('numbers.tsv');
    const gate = place.path('gate');
    const watched = startRun(t, place, NUMBERS, { set: { ...SETTINGS, gate, output } });
    await watched.ackedAtLeast(2000);
    const server = place.serverPid;
    // stopped before: so it dies with tuples in its hands
    process.kill(server, 'SIGSTOP');
    await until(() => watched.pending >= HELD, `${HELD} pending`);
    process.kill(server, 'SIGKILL');
    await watched.lines.until((lines) => lines.some((line) => /nats-server died/.test(line)), 'word of the death');
    await watched.replays.count(1, 'replays');
    const count = openGate(gate, emittedIn(watched));
    const result = await watched.run.result;
    onlyReplays(t, result.spouts.numbers.replays, 'link-lost');
    t.deepEqual([...new Set(watched.replays.items.map(({ attempt }) => attempt))], [2], 'one wave');
    t.is(result.status, 'completed');
    t.is(result.workers.restarts, 0, 'no worker died of it');
    balanceCloses(t, result);
    allPresent(t, output, count);
  },
);

test.serial('a given nats-server is killed and comes back: the same, and people are told', async (t) => {
  const place = await Workspace.create(t);
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const output = place.path('numbers.tsv');
  const gate = place.path('gate');
  const watched = startRun(t, place, NUMBERS, { nats: nats.options, set: { ...SETTINGS, gate, output } });
  await watched.ackedAtLeast(2000);
  await nats.kill9();
  await watched.lines.until(
    (lines) => lines.some((line) => /connection to NATS is down/.test(line)),
    'word of the loss',
  );
  const { workers } = watched.run.snapshot();
  t.is(workers.up, 5, 'all processes are up, and wait');
  await nats.restart();
  await watched.lines.until(
    (lines) => lines.some((line) => /connection to NATS is back/.test(line)),
    'word of the return',
  );
  const count = openGate(gate, emittedIn(watched));
  const result = await watched.run.result;
  t.is(result.status, 'completed');
  onlyReplays(t, result.spouts.numbers.replays, 'link-lost');
  t.is(result.workers.restarts, 0);
  balanceCloses(t, result);
  allPresent(t, output, count);
});

test.serial('a process that is stopped counts as dead after 3 s: it is replaced, and nothing is lost', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const gate = place.path('gate');
  const watched = startRun(t, place, NUMBERS, { set: { ...SETTINGS, gate, output } });
  await watched.ackedAtLeast(2000);
  process.kill(watched.pidOf('second[3]'), 'SIGSTOP');
  await watched.restarted.count(1, 'it to be replaced');
  const count = openGate(gate, emittedIn(watched));
  const result = await watched.run.result;
  t.deepEqual(
    watched.lost.items.map(({ why }) => why),
    ['silent for 3 s'],
  );
  t.is(result.status, 'completed');
  t.is(result.workers.restarts, 1);
  onlyReplays(t, result.spouts.numbers.replays, 'worker-lost');
  balanceCloses(t, result);
  allPresent(t, output, count);
});

test.serial('a machine that stands still, supervisor and all, loses no process and replays nothing', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const gate = place.path('gate');
  const command = await Command.run(t, place, NUMBERS, { ...SETTINGS, gate, output });
  const workers = () => livingProcesses().filter(({ command }) => command.startsWith(`squall ${place.name} `));
  await command.until(() => existsSync(output) && statSync(output).size > 10_000, 'tuples to flow');
  const stopped = [command.pid, ...workers().map(({ pid }) => pid)];
  t.is(stopped.length, 6);
  for (const pid of stopped) process.kill(pid, 'SIGSTOP');
  await stoodStill(LEASE_MS + 500);
  // the workers wake first, and find nobody who could answer them
  for (const pid of stopped.toReversed()) process.kill(pid, 'SIGCONT');
  const count = openGate(gate, highestIn(output));
  const { code, result, stderr } = await command.result();
  t.is(code, 0, stderr);
  t.is(result.workers.restarts, 0, stderr);
  t.deepEqual(Object.values(result.spouts.numbers.replays), [0, 0, 0, 0, 0]);
  balanceCloses(t, result);
  t.is(allPresent(t, output, count), 0);
});

test.serial('a spout without positions that dies begins again, and the result says so', async (t) => {
  const place = await Workspace.create(t);
  const watched = startRun(t, place, topologyFile('windows'), {
    set: { count: '4000', output: place.path('windows.tsv') },
  });
  await watched.ackedAtLeast(500);
  await watched.killAndAwait('numbers[1]');
  const result = await watched.run.result;
  t.is(result.status, 'completed');
  t.true(result.spouts.numbers.emitted >= 4500, 'it began again');
  const [warning, ...more] = ownWarnings(result.warnings);
  t.regex(warning, /numbers\[1\].*died.*begins again.*repeat/);
  t.deepEqual(more, []);
  balanceCloses(t, result);
});

function onlyReplays(t: Checks, replays: Readonly<Record<ReplayReason, number>>, wanted: ReplayReason): void {
  for (const [reason, count] of Object.entries(replays)) {
    if (reason !== wanted) t.is(count, 0, `no replay for ${reason}`);
  }
}
