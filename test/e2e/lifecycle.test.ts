import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import type { RunOptions } from '../../core/index.js';
import { topologyFile, until, Workspace } from '../support/e2e.js';
import { balanceCloses } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { jsonIn } from '../support/e2e-files.js';
import { startRun, type WatchedRun } from '../support/e2e-run.js';
import { TestNats } from '../support/nats.js';

const LIFECYCLE = topologyFile('lifecycle');
const COUNTDOWN = topologyFile('countdown');
const ENDLESS = '1000000000';

/** The calls of hooks so far, as `component epoch hook`, in the order in which they came to the file. */
function calls(place: Workspace): string[] {
  const file = place.path('calls');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}
const callsOf = (place: Workspace, component: string): string[] =>
  calls(place).filter((call) => call.startsWith(`${component} `));

function settings(place: Workspace, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { calls: place.path('calls'), count: ENDLESS, ...more };
}

/** In one process, where the test does not need more. */
function begin(t: ExecutionContext, place: Workspace, options: RunOptions = {}): WatchedRun {
  return startRun(t, place, LIFECYCLE, { workers: 1, ...options, set: settings(place, options.set) });
}

function beginCommand(t: ExecutionContext, place: Workspace, more: readonly string[] = []): Promise<Command> {
  return Command.run(t, place, LIFECYCLE, settings(place), more);
}

/** `squall …` of somebody else. */
async function squall(
  t: ExecutionContext,
  place: Workspace,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const command = await Command.start(t, place, [...args, '--state', place.state], env);
  return command.ended();
}

const executedIn = ({ run }: WatchedRun): number => run.snapshot().bolts.work?.executed ?? 0;

/** Nothing is pending, and whole reports of all tasks have come since: whatever was executed is counted. */
async function settledCounts(watched: WatchedRun): Promise<{ readonly emitted: number; readonly executed: number }> {
  const counts = () => ({ emitted: watched.run.snapshot().spouts.numbers.emitted, executed: executedIn(watched) });
  await until(() => {
    const { emitted, executed } = counts();
    return watched.pending === 0 && emitted === executed;
  }, 'everything that was emitted to be executed');
  return counts();
}

test.serial(
  'a run that completes calls open, prepare, cleanup and close once each; what components count is in its result',
  async (t) => {
    const place = await Workspace.create(t);
    const { run } = begin(t, place, { set: { count: '1000' } });
    const { status, spouts, bolts } = await run.result;
    t.is(status, 'completed');
    const ofSpout = callsOf(place, 'numbers');
    t.deepEqual(ofSpout.slice(0, 2), ['numbers 1 open', 'numbers 1 activate']);
    t.is(ofSpout.at(-1), 'numbers 1 close');
    t.deepEqual(callsOf(place, 'work'), ['work 1 prepare', 'work 1 cleanup']);
    t.deepEqual(spouts.numbers.metrics, { counters: { emitted: 1000 }, gauges: {}, histograms: {} });
    t.deepEqual(bolts.work.metrics?.gauges, { last: { '2': 999 } });
    t.like(bolts.work.metrics?.histograms.n, { count: 1000, max: 999 });
  },
);

for (const [ending, end] of [
  ['Ctrl-C', (_t, _place, command) => command.kill('SIGINT')],
  ['squall drain', async (t, place) => t.is((await squall(t, place, ['drain', place.name])).code, 0)],
  ['--duration', () => {}],
] as readonly [string, (t: ExecutionContext, place: Workspace, command: Command) => unknown][]) {
  test.serial(
    `a run that ${ending} ends settles everything, and calls deactivate, cleanup and close once each`,
    async (t) => {
      const place = await Workspace.create(t);
      const command = await beginCommand(
        t,
        place,
        ending === '--duration'
          ? ['--duration', '500ms', '--workers', '1']
          : ending === 'Ctrl-C'
            ? []
            : ['--workers', '1'],
      );
      await command.until(() => calls(place).includes('numbers 1 activate'), 'the run to begin');
      await end(t, place, command);
      const { code, result } = await command.result();
      t.is(code, ending === 'Ctrl-C' ? 130 : 0);
      t.is(result.status, 'stopped');
      t.true(result.drained);
      balanceCloses(t, result);
      t.deepEqual(
        callsOf(place, 'numbers'),
        ['open', 'activate', 'deactivate', 'close'].map((hook) => `numbers 1 ${hook}`),
      );
      t.deepEqual(callsOf(place, 'work'), ['work 1 prepare', 'work 1 cleanup']);
      await place.allGone();
    },
  );
}

for (const ending of ['squall kill', 'a second Ctrl-C'] as const) {
  test.serial(`${ending} ends a run at once, whatever it is doing: neither cleanup nor close is called`, async (t) => {
    const place = await Workspace.create(t);
    const hold = place.path('hold');
    writeFileSync(hold, '');
    const command = await Command.run(t, place, LIFECYCLE, settings(place, { hold }), ['--workers', '1']);
    await command.until(() => calls(place).includes('numbers 1 activate'), 'the run to begin');
    if (ending === 'squall kill') {
      const { code, stderr } = await squall(t, place, ['kill', place.name]);
      t.is(code, 0);
      t.regex(stderr, /was killed/);
    } else {
      command.kill('SIGINT');
      await command.until(() => /SIGINT: no more input/.test(command.stderr), 'the first Ctrl-C to be heard');
      command.kill('SIGINT');
    }
    const { code, stdout } = await command.ended();
    t.is(code, ending === 'squall kill' ? 1 : 130);
    t.like(jsonIn(stdout), { status: 'stopped', drained: false });
    t.deepEqual(
      calls(place).filter((call) => /cleanup|close/.test(call)),
      [],
    );
    await place.allGone();
  });
}

test.serial('pause lets what is in flight complete, and nothing is emitted or executed until resume', async (t) => {
  const place = await Workspace.create(t);
  const watched = begin(t, place);
  const { run } = watched;
  const heard: string[] = [];
  run.on('paused', () => heard.push('paused'));
  run.on('resumed', () => heard.push('resumed'));
  await watched.ackedAtLeast(500);
  run.pause();
  run.pause();
  t.is(run.snapshot().phase, 'paused');
  await until(() => callsOf(place, 'numbers').at(-1) === 'numbers 1 deactivate', 'deactivate to be called');
  const { emitted, executed } = await settledCounts(watched);

  // the run answers to somebody else, who sees the same, much later
  const { stdout } = await squall(t, place, ['list', '--json']);
  t.like(jsonIn(stdout), { topology: place.name, snapshot: { phase: 'paused' } });
  t.like(jsonIn(stdout).snapshot, { spouts: { numbers: { emitted, acked: emitted, pending: 0 } } });
  t.is(executedIn(watched), executed);

  run.resume();
  t.is(run.snapshot().phase, 'running');
  await watched.ackedAtLeast(emitted + 500);
  t.deepEqual(heard, ['paused', 'resumed']);
  const result = await run.drain();
  t.is(result.status, 'stopped');
  t.true(result.drained);
  balanceCloses(t, result);
  t.deepEqual(
    callsOf(place, 'numbers'),
    ['open', 'activate', 'deactivate', 'activate', 'deactivate', 'close'].map((hook) => `numbers 1 ${hook}`),
  );
});

test.serial('squall pause and resume do the same from another process, and the run says so', async (t) => {
  const place = await Workspace.create(t);
  const watched = begin(t, place, { workers: 1 });
  await watched.ackedAtLeast(500);
  const paused = await squall(t, place, ['pause', place.name]);
  t.is(paused.code, 0);
  t.regex(paused.stderr, new RegExp(`^${place.name} is paused.*squall resume ${place.name} goes on\n$`));
  t.is(watched.run.snapshot().phase, 'paused');
  const { emitted } = await settledCounts(watched);
  const resumed = await squall(t, place, ['resume', place.name]);
  t.is(resumed.stderr, `${place.name} is running\n`);
  await watched.ackedAtLeast(emitted + 500);
  t.true(watched.lines.items.some((line) => /^pause: asked for by another process$/.test(line)));
  const drained = await squall(t, place, ['drain', place.name]);
  t.is(drained.code, 0);
  t.regex(drained.stderr, /everything in flight was settled first\n$/);
  t.is((await watched.run.result).status, 'stopped');
});

test.serial(
  'a worker that dies while the run is paused comes back paused: its spout is opened and not activated',
  async (t) => {
    const place = await Workspace.create(t);
    const watched = begin(t, place, { workers: 'task' });
    await watched.ackedAtLeast(500);
    watched.run.pause();
    const { executed } = await settledCounts(watched);
    await watched.killAndAwait('numbers[1]');
    t.is(watched.run.snapshot().phase, 'paused');
    await until(() => calls(place).at(-1) === 'numbers 2 open', 'the spout to be opened again');
    // a bolt that is killed after it has started later than the spout: so the spout has had its time to emit
    await watched.killAndAwait('work[2]');
    t.is(executedIn(watched), executed);
    t.is(calls(place).filter((call) => call === 'numbers 2 activate').length, 0);
    watched.run.resume();
    await until(() => calls(place).includes('numbers 2 activate'), 'activate to be called');
    await until(() => executedIn(watched) > executed, 'tuples to be executed again');
    const result = await watched.run.drain();
    t.true(result.drained);
    t.is(result.workers.restarts, 2);
  },
);

test.serial('a paused run can be drained, and one that is to be paused at its start begins paused', async (t) => {
  const place = await Workspace.create(t);
  const watched = begin(t, place);
  watched.run.pause();
  await watched.ready.count(1);
  t.is(watched.run.snapshot().phase, 'paused');
  const result = await watched.run.drain();
  t.is(result.status, 'stopped');
  t.true(result.drained);
  t.is(result.spouts.numbers.emitted, 0);
  t.deepEqual(callsOf(place, 'numbers'), ['numbers 1 open', 'numbers 1 close']);
});

test.serial('a pause does not stop --duration from ending the run', async (t) => {
  const place = await Workspace.create(t);
  const watched = begin(t, place, { durationMs: 700 });
  await watched.ackedAtLeast(100);
  watched.run.pause();
  const { status, drained } = await watched.run.result;
  t.is(status, 'stopped');
  t.true(drained);
});

test.serial('kill() ends a run at once, without cleanup and close', async (t) => {
  const place = await Workspace.create(t);
  const hold = place.path('hold');
  writeFileSync(hold, '');
  const watched = begin(t, place, { set: { hold } });
  await until(() => watched.pending > 0, 'tuples in flight');
  const { status, drained } = await watched.run.kill();
  t.is(status, 'stopped');
  t.false(drained);
  t.deepEqual(
    calls(place).filter((call) => /cleanup|close/.test(call)),
    [],
  );
  await place.allGone();
});

test.serial('when a run fails, the workers that are left may still close what they have open', async (t) => {
  const place = await Workspace.create(t);
  const broken = place.path('broken');
  const watched = begin(t, place, { workers: 'task', set: { broken } });
  await watched.ackedAtLeast(100);
  writeFileSync(broken, '');
  const { status, error } = await watched.run.result;
  t.is(status, 'failed');
  t.regex(String(error?.message), /the source is broken/);
  t.is(callsOf(place, 'work').at(-1), 'work 1 cleanup');
  await place.allGone();
});

test.serial('who was killed and started again is prepared again, and cleaned up once', async (t) => {
  const place = await Workspace.create(t);
  const watched = begin(t, place, { workers: 'task' });
  await watched.ackedAtLeast(500);
  await watched.killAndAwait('work[2]');
  const acked = watched.acked;
  await watched.ackedAtLeast(acked + 500);
  const result = await watched.run.drain();
  t.true(result.drained);
  t.deepEqual(callsOf(place, 'work'), ['work 1 prepare', 'work 2 prepare', 'work 2 cleanup']);
});

test.serial('runs of one name on one server are told apart by their ids; without one none is touched', async (t) => {
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const place = await Workspace.create(t);
  const env = { NATS_URL: nats.url, NATS_TOKEN: 'test-token' };
  const options = { nats: nats.options, jetstream: false, workers: 1 } as const;
  const one = begin(t, place, options);
  const other = begin(t, place, { ...options, state: place.path('other'), set: { calls: place.path('other-calls') } });
  await Promise.all([one.ackedAtLeast(100), other.ackedAtLeast(100)]);

  const list = await squall(t, place, ['list'], env);
  t.is(list.stdout.split('\n').filter((line) => line.startsWith(place.name)).length, 2);
  const refused = await squall(t, place, ['pause', place.name], env);
  t.is(refused.code, 2);
  t.regex(refused.stderr, /is the name of 2 runs: say which one with --run ID/);
  t.deepEqual(
    [one, other].map(({ run }) => run.snapshot().phase),
    ['running', 'running'],
  );

  const { run: id } = other.run.snapshot();
  t.is((await squall(t, place, ['kill', place.name, '--run', id], env)).code, 0);
  t.is((await other.run.result).drained, false);
  t.is(one.run.snapshot().phase, 'running');

  // the connection that listens survives the server's death
  await nats.restart();
  await until(() => one.lines.items.some((line) => /NATS is back/.test(line)), 'the workers to be connected again');
  t.is((await squall(t, place, ['drain', place.name], env)).code, 0);
  t.true((await one.run.result).drained);
});

test.serial('commands find no run where there is none, start no server, and leave nothing behind', async (t) => {
  const place = await Workspace.create(t);
  const list = await squall(t, place, ['list']);
  t.is(list.code, 0);
  t.regex(list.stderr, /no run is heard of/);
  for (const command of ['pause', 'resume', 'drain', 'kill']) {
    const { code, stderr } = await squall(t, place, [command, place.name]);
    t.is(code, 2);
    t.regex(stderr, /ERR_SQUALL_NO_RUN/);
  }
  t.false(existsSync(place.state));
});

test.serial(
  'the tasks of a cycle end together: nobody misses what comes round last, nor what the others emit at the end',
  async (t) => {
    const place = await Workspace.create(t);
    const output = place.path('sums');
    const { run } = startRun(t, place, COUNTDOWN, { set: { output, numbers: '50', rounds: '20' } });
    const result = await run.result;
    t.is(result.status, 'completed');
    balanceCloses(t, result);
    const lines = readFileSync(output, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' '));
    const sum = (component: string, column: number) =>
      lines.filter(([name]) => name === component).reduce((total, line) => total + Number(line[column]), 0);
    t.is(lines.length, 4);
    // 20 left, 18 left, … 0 left come to the first; 19 left, … 1 left to the second
    t.deepEqual([sum('first', 2), sum('second', 2)], [50 * 11, 50 * 10]);
    t.deepEqual([sum('first', 3), sum('second', 3)], [2, 2]);
  },
);

test.serial('a task of a cycle that dies in end is told again to run it, and the cycle ends', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('sums');
  const watched = startRun(t, place, COUNTDOWN, { set: { output, numbers: '10', dies: 'end' } });
  const result = await watched.run.result;
  t.is(result.status, 'incomplete', 'what it had counted is lost');
  t.is(result.workers.restarts, 1);
  t.is(readFileSync(output, 'utf8').split('\n').slice(0, -1).length, 4);
});

test.serial('a cycle without ackers is refused before anything is started', async (t) => {
  const place = await Workspace.create(t);
  const { run } = startRun(t, place, COUNTDOWN, { ackers: 0, set: { output: place.path('sums') } });
  const { status, error, workers } = await run.result;
  t.is(status, 'failed');
  t.is(error?.code, 'ERR_SQUALL_TOPOLOGY');
  t.regex(String(error?.message), /its cycle \(feedback from 'second' to 'first'\) needs tracked tuples/);
  t.is(workers.started, 0);
  t.false(existsSync(place.state));
});

test.serial(
  'who may use the subjects of one topology only can steer its runs, and is told why it cannot list them',
  async (t) => {
    const place = await Workspace.create(t);
    const subjects = [`squall.${place.name}.>`, '_INBOX.>'];
    const user = { user: 'bob', password: 'secret', permissions: { publish: subjects, subscribe: subjects } };
    const nats = await TestNats.start({ authorization: { users: [user] } });
    t.teardown(() => nats.stop());
    const credentials = { kind: 'password', user: 'bob', password: 'secret' } as const;
    const watched = begin(t, place, { nats: { servers: [nats.url], credentials }, jetstream: false, workers: 1 });
    await watched.ackedAtLeast(100);
    await watched.warnings.until(
      (all) => all.some((text) => /^squall list does not see this run: .*squall\._control/.test(text)),
      'a warning about the subject that all runs share',
    );

    const env = { NATS_URL: nats.url, NATS_USER: 'bob', NATS_PASSWORD: 'secret' };
    const list = await squall(t, place, ['list'], env);
    t.is(list.code, 1);
    t.regex(list.stderr, /^error: NATS allows this user no .*\[ERR_SQUALL_NATS_PERMISSION\]\n$/);
    t.is((await squall(t, place, ['drain', place.name], env)).code, 0);
    t.true((await watched.run.result).drained);
  },
);
