import { readFileSync } from 'node:fs';
import test from 'ava';
import { runLocal } from '../../core/testing/index.js';
import { topologyFile, until, Workspace } from '../support/e2e.js';
import { balanceCloses } from '../support/e2e-checks.js';
import { peakBytesOf } from '../support/e2e-processes.js';
import { startRun } from '../support/e2e-run.js';
import { sized } from '../support/long.js';
import expressions, { KEYS } from './topologies/expressions.js';

const EXPRESSIONS = topologyFile('expressions');
const MANUAL = topologyFile('manual');
const COUNT = 600;

/** What the topology says of itself, by arithmetic. */
function expectedLines(count: number): string[] {
  const ids = Array.from({ length: count }, (_, id) => id);
  const keys = new Map<string, number>();
  for (const id of ids) {
    const key = id % 2 === 0 ? 'hot' : `key${id % KEYS}`;
    keys.set(key, (keys.get(key) ?? 0) + 1);
  }
  return [
    ...ids.flatMap((id) => Array.from({ length: (id % 3) + 1 }, (_, lap) => `lap ${id} ${lap}`)),
    ...ids.map((id) => `answer ${id} ${id * id} mine`),
    ...[...keys].map(([key, size]) => `sum ${key} ${size}`),
    `sum ticked ${count}`,
    ...[0, 1].map((index) => `everyone ${index} ${count}`),
    ...[0, 1].map((index) => `multiples ${index} ${ids.filter((id) => id % (index + 2) === 0).length}`),
  ].sort();
}
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1).sort();

for (const [workers, debug] of [
  [1, false],
  [2, true],
  ['task', false],
] as const) {
  test.serial(
    `a topology that says nearly everything gives what arithmetic says under runLocal, with workers ${workers}, debug ${debug}`,
    async (t) => {
      const place = await Workspace.create(t);
      const output = place.path('lines.tsv');
      const local = expressions({ name: place.name, count: String(COUNT), output });
      const result = await runLocal(local, { workers, debug });
      t.is(result.status, 'completed');
      t.deepEqual(linesOf(output), expectedLines(COUNT));
      t.is(result.balance.inFlight, 0);
      t.deepEqual(result.dropped, {});
    },
  );
}

for (const workers of sized([2, 5] as const, [2, 5, 'task'] as const)) {
  test.serial(`the same file gives the same in real processes, with workers ${workers}`, async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('lines.tsv');
    const { run, lost } = startRun(t, place, EXPRESSIONS, { workers, set: { count: String(COUNT), output } });
    // its bolts count in memory: what one of them loses no replay brings back, and some would wait for it for ever
    run.on('worker-lost', () => void run.kill());
    const result = await run.result;
    t.deepEqual(lost.items, [], 'no worker dies of itself');
    t.is(result.status, 'completed');
    t.deepEqual(linesOf(output), expectedLines(COUNT));
    balanceCloses(t, result);
    t.is(result.spouts.orders.acked, COUNT);
    t.deepEqual(Object.values(result.spouts.orders.replays), [0, 0, 0, 0, 0]);
  });
}

test.serial(
  'a task that dies with tuples in its hands, each made of two: all are replayed as lost with it, and complete',
  async (t) => {
    const place = await Workspace.create(t);
    const count = 500;
    const watched = startRun(t, place, MANUAL, { set: { mode: 'hold', count: String(count) } });
    await until(() => watched.run.snapshot().bolts.manual?.executed === count, 'all to be held');
    t.is(watched.acked, 0);
    process.kill(watched.pidOf('manual[4]'), 'SIGKILL');
    const result = await watched.run.result;
    t.is(result.status, 'completed');
    for (const spout of ['left', 'right']) {
      t.like(result.spouts[spout], { emitted: count, acked: count, pending: 0 });
      t.is(result.spouts[spout].replays['worker-lost'], count, spout);
      t.is(result.spouts[spout].replays.timeout, 0);
    }
    t.deepEqual(new Set(watched.replays.items.map(({ failure }) => failure.component)), new Set(['manual']));
    t.is(result.bolts.manual.executed, count * 2);
    t.is(result.workers.restarts, 1);
    balanceCloses(t, result);
  },
);

test.serial('under debug a tuple that a bolt forgets is reported with its id, fails, and is replayed', async (t) => {
  const place = await Workspace.create(t);
  const count = 50;
  const { run, warnings } = startRun(t, place, MANUAL, {
    workers: 2,
    debug: true,
    set: { mode: 'forget', count: String(count), timeout: '600000' },
  });
  const result = await run.result;
  t.is(result.status, 'completed');
  t.is(result.dropped['dropped-unsettled'], count);
  for (const spout of ['left', 'right']) {
    t.is(result.spouts[spout].acked, count);
    t.is(result.spouts[spout].replays.failed, count);
    t.is(result.spouts[spout].replays.timeout, 0);
  }
  const told = warnings.items.filter((text) => /dropped without ack or fail/.test(text));
  t.true(told.length > 0);
  t.regex(
    told[0],
    /^manual\[\d+\]: a tuple from "pairs" was dropped without ack or fail \(tuple [0-9a-f]{32}\); it fails and is replayed/,
  );
});

test.serial(
  "a task that stands still for longer than the time-out: with replay: 'source' its tuples come back as timeout",
  async (t) => {
    const place = await Workspace.create(t);
    const watched = startRun(t, place, MANUAL, { set: { mode: 'return', count: '300', timeout: '500' } });
    await until(() => (watched.run.snapshot().bolts.manual?.executed ?? 0) > 100, 'its queue to be full');
    const pid = watched.pidOf('manual[4]');
    process.kill(pid, 'SIGSTOP');
    try {
      const returned = () => Object.values(watched.run.snapshot().spouts).map((spout) => spout.returned ?? 0);
      await until(() => returned().some((count) => count > 0), 'tuples to come back');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const { status, spouts, workers } = await watched.run.result;
    t.is(status, 'completed');
    t.is(workers.restarts, 0);
    for (const spout of [spouts.left, spouts.right]) {
      t.is(spout.acked, 300);
      t.is(spout.emitted, 300 + (spout.returned ?? 0));
      t.is(spout.replays.timeout, spout.returned ?? 0);
    }
  },
);

test.serial(
  'an execute emits over a million tuples in little memory where it awaits out.ready; without, a named limit ends it',
  async (t) => {
    const place = await Workspace.create(t);
    const watched = startRun(t, place, topologyFile('flood'), { workers: 1 });
    await watched.ready.count(1, 'the run to begin');
    const pid = watched.pidOf('flood[2]');
    const peak = (): number => peakBytesOf(pid) ?? 0;
    await until(() => watched.letters.items.length > 0 || undefined, 'the dead letter');
    const peakBytes = peak();
    const { status, spouts, bolts } = await watched.run.result;
    t.is(status, 'dead-letters');
    t.like(spouts.numbers, { emitted: 2, acked: 1, deadLettered: 1 });
    t.regex(
      watched.letters.items[0].message,
      /flood\[2\]: more than 1000000 emits in one execute\. Split the input .* or await out\.ready\(\)/,
    );
    t.is(bolts.seen.executed, 1_100_000);
    if (peakBytes > 0) t.true(peakBytes < 400 << 20, `${peakBytes >> 20} MiB for 537 MiB`);
  },
);
