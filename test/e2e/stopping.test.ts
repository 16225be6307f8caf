import test, { type ExecutionContext } from 'ava';
import type { RunResult } from '../../core/index.js';
import { sizeOf, topologyFile, until, Workspace } from '../support/e2e.js';
import { allPresent, balanceCloses } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { jsonIn } from '../support/e2e-files.js';
import { startRun, type WatchedRun } from '../support/e2e-run.js';

const NUMBERS = topologyFile('numbers');
const FAULTY = topologyFile('faulty');
const ENDLESS = '1000000000';
/** below the message time-out of 30 s, which a drain may last */
const AT_ONCE_MS = 20_000;

/** Settled to the last tuple: all that was emitted is acked and in the file, and nothing more is. */
function drained(t: ExecutionContext, result: RunResult, output: string): void {
  t.is(result.status, 'stopped');
  t.true(result.drained);
  const { emitted, acked, pending, replays } = result.spouts.numbers;
  t.true(emitted > 0);
  t.is(acked, emitted);
  t.is(pending, 0);
  t.deepEqual(replays, { failed: 0, timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 });
  balanceCloses(t, result);
  t.is(allPresent(t, output, emitted), 0);
}

test.serial('stop() under load drains; the next run goes on behind the last tuple, with no line twice', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const first = startRun(t, place, NUMBERS, { workers: 2, set: { count: ENDLESS, output } });
  await first.ackedAtLeast(5000);
  const stopped = await first.run.stop();
  drained(t, stopped, output);

  const count = stopped.spouts.numbers.emitted + 1000;
  const second = startRun(t, place, NUMBERS, { workers: 2, set: { count: String(count), output } });
  const result = await second.run.result;
  t.true(second.ready.items[0].resumed);
  t.is(result.run, stopped.run, 'it is the same run');
  t.is(result.status, 'completed');
  t.is(result.spouts.numbers.emitted, 1000);
  t.is(allPresent(t, output, count), 0);
});

test.serial('stop() waits for what hangs, a second stop() does not', async (t) => {
  const place = await Workspace.create(t);
  const { run } = startRun(t, place, FAULTY, {
    set: { fault: 'hang', at: '500', count: ENDLESS, output: place.path('out') },
  });
  await until(() => run.snapshot().spouts.numbers?.acked >= 500, 'the tuples before the one that hangs to be acked');
  let over = false;
  const stopped = run.stop().then((result) => {
    over = true;
    return result;
  });
  await until(() => run.snapshot().phase === 'draining', 'the drain to begin');
  t.false(over);
  void run.stop();
  const result = await Promise.race([stopped, late()]);
  t.is(result.status, 'stopped');
  t.false(result.drained);
  await place.allGone();
});

function late(): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`Expected it to end within ${AT_ONCE_MS} ms`)), AT_ONCE_MS).unref();
  });
}

test.serial('an AbortSignal stops as stop() does; one that is aborted already starts nothing', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const controller = new AbortController();
  const first = startRun(t, place, NUMBERS, { workers: 1, signal: controller.signal, set: { count: ENDLESS, output } });
  await first.ackedAtLeast(2000);
  controller.abort();
  drained(t, await first.run.result, output);

  const second = startRun(t, place, NUMBERS, {
    workers: 1,
    signal: controller.signal,
    set: { count: ENDLESS, output },
  });
  const result = await second.run.result;
  t.is(result.status, 'stopped');
  t.is(second.ready.items.length, 0);
  await place.allGone();
});

test.serial('Ctrl-C under load drains and exits with 130, SIGTERM with 143; nothing stays behind', async (t) => {
  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const place = await Workspace.create(t);
    const output = place.path('numbers.tsv');
    const command = await Command.run(t, place, NUMBERS, { count: ENDLESS, output }, ['--workers', '2']);
    await command.until(() => sizeOf(output) > 10_000, 'lines in the file');
    command.kill(signal);
    const { code, result, stderr } = await command.result();
    t.is(code, expected);
    t.regex(stderr, new RegExp(`${signal}: no more input`));
    drained(t, result, output);
    await place.allGone();
  }
});

test.serial('Ctrl-C twice ends at once with 130, whatever hangs; nothing stays behind', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const command = await Command.run(t, place, FAULTY, { fault: 'hang', at: '500', count: ENDLESS, output });
  await command.until(() => sizeOf(output) > 1000, 'the lines before the tuple that hangs');
  command.kill('SIGINT');
  await command.until(() => /SIGINT: no more input/.test(command.stderr), 'the first Ctrl-C to be heard');
  command.kill('SIGINT');
  const { code, stdout } = await command.ended(AT_ONCE_MS);
  t.is(code, 130);
  t.like(jsonIn(stdout), { status: 'stopped', drained: false });
  await place.allGone();
});

test.serial('--duration ends a run that drains, with exit 0', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const command = await Command.run(t, place, NUMBERS, { count: ENDLESS, output }, [
    '--workers',
    '2',
    '--duration',
    '700ms',
  ]);
  const { code, result } = await command.result();
  t.is(code, 0);
  drained(t, result, output);
  await place.allGone();
});

test.serial('every listener of a run hears its events, in order, and the last one is `completed`', async (t) => {
  const place = await Workspace.create(t);
  const watched: WatchedRun = startRun(t, place, NUMBERS, {
    workers: 1,
    set: { count: '1000', output: place.path('numbers.tsv') },
  });
  const heard: string[] = [];
  for (const listener of ['one', 'two']) {
    watched.run.on('ready', ({ topology, run, resumed }) =>
      heard.push(`${listener}: ready ${topology} ${run} ${resumed}`),
    );
    watched.run.on('completed', ({ status, run }) => heard.push(`${listener}: completed ${status} ${run}`));
    watched.run.on('failed', () => heard.push(`${listener}: failed`));
  }
  const { run } = await watched.run.result;
  t.deepEqual(heard, [
    `one: ready ${place.name} ${run} false`,
    `two: ready ${place.name} ${run} false`,
    `one: completed completed ${run}`,
    `two: completed completed ${run}`,
  ]);
});
