import test, { type ExecutionContext } from 'ava';
import type { Engine } from '../../cli/engine.js';
import { main } from '../../cli/main.js';
import type { RunOptions, RunResult } from '../../core/cluster/run-types.js';
import { FakeIo, terminalShows } from './fake-io.js';
import { FakeRun, NO_REPLAYS, runResult, runSnapshot, spoutResult } from './fake-run.js';

interface Command {
  readonly run: FakeRun;
  readonly io: FakeIo;
  readonly exit: Promise<number>;
  /** what the command asked the engine for; resolves when it has */
  readonly asked: Promise<{ readonly file: unknown; readonly options: RunOptions }>;
}

function squall(args: string, prepare: (io: FakeIo) => void = () => {}): Command {
  const run = new FakeRun();
  const io = new FakeIo();
  prepare(io);
  let told: (asked: { file: unknown; options: RunOptions }) => void = () => {};
  const asked = new Promise<{ file: unknown; options: RunOptions }>((resolve) => {
    told = resolve;
  });
  const engine = {
    run: async () => (file: unknown, options: RunOptions) => {
      told({ file, options });
      return run.asRun();
    },
  } as unknown as Engine;
  return { run, io, asked, exit: main(args.split(' '), io, engine) };
}

async function ended(args: string, result: Partial<RunResult>): Promise<Command & { readonly code: number }> {
  const command = squall(args);
  command.run.finish(runResult(result));
  return { ...command, code: await command.exit };
}

test('every flag reaches the run', async (t) => {
  const { asked, run } = squall(
    'run file.ts --set a=1 --set b=x=y --set a=2 --workers 3 --ackers 0 --duration 1.5m --debug --state dir --fresh --no-jetstream --nats nats://u:p@host:1 --metrics 9464 --json',
  );
  run.finish(runResult());
  t.deepEqual(await asked, {
    file: 'file.ts',
    options: {
      set: { a: '2', b: 'x=y' },
      workers: 3,
      ackers: 0,
      nats: { servers: ['nats://host:1'], credentials: { kind: 'password', user: 'u', password: 'p' } },
      durationMs: 90_000,
      debug: true,
      state: 'dir',
      fresh: true,
      jetstream: false,
      metrics: '9464',
    },
  });
});

test('without flags a run has a server of its own, a process per task and one acker', async (t) => {
  const { asked, run } = squall('run file.ts');
  run.finish(runResult());
  const { options } = await asked;
  t.is(options.nats, undefined);
  t.like(options, {
    workers: 'task',
    ackers: 1,
    state: '.squall',
    fresh: false,
    jetstream: true,
    durationMs: undefined,
  });
});

test('NATS_URL gives a server', async (t) => {
  const { asked, run } = squall('run file.ts', (io) => {
    io.env = { NATS_URL: 'nats://elsewhere:4333', NATS_TOKEN: 'secret' };
  });
  run.finish(runResult());
  t.deepEqual((await asked).options.nats, {
    servers: ['nats://elsewhere:4333'],
    credentials: { kind: 'token', token: 'secret' },
  });
});

test('a key of --set may be any, even __proto__', async (t) => {
  const { asked, run } = squall('run file.ts --set __proto__=x');
  run.finish(runResult());
  t.deepEqual(Object.entries((await asked).options.set ?? {}), [['__proto__', 'x']]);
});

for (const [args, said] of [
  ['run', /missing required argument 'file'/],
  ['run f.ts --set a', /Expected key=value/],
  ['run f.ts --set =a', /Expected key=value/],
  ['run f.ts --workers 0', /Expected 'task' or a whole number from 1 to 1024/],
  ['run f.ts --workers 1.5', /Expected 'task' or a whole number/],
  ['run f.ts --ackers -1', /Expected a whole number from 0 to 64/],
  ['run f.ts --duration 30', /Expected a time with its unit/],
  ['run f.ts --duration 0s', /Expected a time from 1ms to 576h/],
  ['run f.ts --duration 577h', /Expected a time from 1ms to 576h/],
  ['run f.ts --worker 2', /unknown option '--worker'\n\(Did you mean --workers\?\)/],
  ['run f.ts g.ts', /too many arguments/],
  ['run f.ts --nats http://x', /nats:\/\/ or tls:\/\/ URLs/],
  ['walk f.ts', /unknown command 'walk'/],
] as const) {
  test(`wrong usage is exit 2, and stdout stays empty: squall ${args}`, async (t) => {
    const { io, exit } = squall(args);
    t.is(await exit, 2);
    t.regex(io.stderr.text, said);
    t.is(io.stdout.text, '');
  });
}

for (const [what, result, code] of [
  ['all complete', { status: 'completed' }, 0],
  ['dead letters', { status: 'dead-letters' }, 3],
  ['state that was lost', { status: 'incomplete' }, 4],
  ['its duration, with everything settled', { status: 'stopped', drained: true }, 0],
  ['its duration, with tuples left', { status: 'stopped', drained: false }, 1],
  ['a failure', { status: 'failed', error: { code: 'ERR_SQUALL_WORKER', message: 'x' } }, 1],
  ['a server that is not there', { status: 'failed', error: { code: 'ERR_SQUALL_NATS_UNREACHABLE', message: 'x' } }, 1],
  ['a wrong topology', { status: 'failed', error: { code: 'ERR_SQUALL_TOPOLOGY', message: 'x' } }, 2],
  ['a file that cannot be loaded', { status: 'failed', error: { code: 'ERR_SQUALL_TOPOLOGY_FILE', message: 'x' } }, 2],
  ['a parameter that is never read', { status: 'failed', error: { code: 'ERR_SQUALL_PARAMETERS', message: 'x' } }, 2],
] as const) {
  test(`a run that ends with ${what} is exit ${code}, and --json is one object`, async (t) => {
    const { io, code: found } = await ended('run f.ts --json', result);
    t.is(found, code);
    t.deepEqual(JSON.parse(io.stdout.text), runResult(result));
    t.is(io.stdout.lines.length, 1);
  });
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} stops the run, says that it drains, and is exit ${code}`, async (t) => {
    const { run, io, exit, asked } = squall('run f.ts');
    run.onStop = () => run.finish(runResult({ status: 'stopped', drained: true }));
    await asked;
    io.signal(signal);
    t.is(await exit, code);
    t.deepEqual(run.stops, ['drain']);
    t.regex(io.stderr.text, new RegExp(`${signal}: no more input; what is in flight is completed. To end at once: `));
    t.regex(io.stderr.text, new RegExp(`was stopped by ${signal} after 5.0 s: everything in flight was settled first`));
  });
}

test('the second signal ends at once, and the third even a run that hangs', async (t) => {
  const { run, io, exit, asked } = squall('run f.ts');
  await asked;
  io.signal('SIGINT');
  io.signal('SIGTERM');
  t.deepEqual(run.stops, ['drain', 'kill']);
  t.regex(io.stderr.text, /SIGTERM: ending at once/);
  io.signal('SIGINT');
  t.deepEqual(run.stops, ['drain', 'kill']);
  t.deepEqual(io.exits, [130]);
  run.finish(runResult({ status: 'stopped', drained: false }));
  t.is(await exit, 130);
});

test('at a terminal, the two signals that one Ctrl-C under npm becomes are one', async (t) => {
  const { run, io, exit, asked } = squall('run f.ts', (fake) => {
    fake.interactive = true;
  });
  await asked;
  io.signal('SIGINT');
  io.signal('SIGINT');
  t.deepEqual(run.stops, ['drain']);
  run.finish(runResult({ status: 'stopped', drained: true }));
  t.is(await exit, 130);
});

test('a run that was over before the signal could stop it counts as what it was', async (t) => {
  const { run, io, exit, asked } = squall('run f.ts');
  await asked;
  io.signal('SIGTERM');
  run.finish(runResult({ status: 'completed' }));
  t.is(await exit, 0);
});

test('signals are left alone once the run is over', async (t) => {
  const { io } = await ended('run f.ts', {});
  t.throws(() => io.signal('SIGINT'), { message: 'nobody listens to signals' });
});

function has(t: ExecutionContext, io: FakeIo, ...lines: string[]): void {
  for (const line of lines)
    t.true(io.stderr.lines.includes(line), `no line ${JSON.stringify(line)} in:\n${io.stderr.text}`);
}

test('the summary tells how it ended, the totals, and what there is to look at', async (t) => {
  const { io } = await ended('run f.ts --state elsewhere', {
    status: 'dead-letters',
    spouts: {
      lines: spoutResult({
        emitted: 1_000,
        acked: 997,
        deadLettered: 3,
        replays: { ...NO_REPLAYS, failed: 27, 'worker-lost': 1_812 },
      }),
      more: spoutResult({ emitted: 10, acked: 10, replays: { ...NO_REPLAYS, failed: 1 } }),
    },
    workers: { started: 6, restarts: 1 },
    dropped: { late: 3 },
    warnings: ['one thing', 'another thing (4 times)'],
  });
  has(
    t,
    io,
    'word-count ended with dead letters in 5.0 s: every other tuple is processed',
    'component  tasks  emitted  executed  acked  failed  pending  replays  dead  per s',
    'lines          1    1,000         -    997       -        0    1,839     3    200',
    'split          2    6,400     1,000  1,000       0        -        -     -    200',
    'latency   p50 2.1 ms, p90 4.0 ms, p99 9.3 ms, max 41 ms, from emit to complete',
    'replays   28 failed, 1,812 worker-lost',
    'dead      3 dead letters; see them with: squall dead word-count list --state elsewhere',
    'processes 6 started, 1 restart',
    'dropped   frames and messages: 3 late',
    'warning   one thing',
    'warning   another thing (4 times)',
  );
  t.false(io.stderr.text.includes('resume'));
  t.is(io.stdout.text, '');
});

test('what is out of balance is said of a run that is at rest', async (t) => {
  const balance = { created: 10, consumed: 8, failed: 0, writtenOff: 0, inFlight: 2, causes: {}, mismatches: 1 };
  const { io } = await ended('run f.ts', { balance });
  has(t, io, 'balance   2 of 10 tuples between tasks unaccounted for, 1 frame did not agree with what was sent');
  const stopped = await ended('run f.ts', {
    status: 'stopped',
    drained: false,
    balance: { ...balance, mismatches: 0 },
  });
  t.notRegex(stopped.io.stderr.text, /balance/);
});

test('dead letters that were not kept are not said to be there', async (t) => {
  const spouts = { lines: spoutResult({ emitted: 1, deadLettered: 1 }) };
  const { io } = await ended('run f.ts --no-jetstream', { status: 'dead-letters', spouts });
  has(t, io, 'dead      1 dead letter; not kept, for want of JetStream');
});

test('a run that can be resumed says where its state is', async (t) => {
  const { io } = await ended('run f.ts', {
    status: 'stopped',
    drained: false,
    spouts: { lines: spoutResult({ emitted: 10, acked: 7, pending: 3 }) },
  });
  has(
    t,
    io,
    'word-count was stopped after 5.0 s: 3 tuples in flight',
    'resume    the next run goes on where this one ended (kept in .squall; --fresh begins anew)',
  );
});

test('untracked tuples are not called processed', async (t) => {
  const { io } = await ended('run f.ts', { spouts: { lines: spoutResult({ emitted: 5, untracked: 5 }) } });
  has(t, io, 'word-count completed in 5.0 s', 'untracked 5 tuples: nobody knows whether they arrived');
});

test('a run that failed before it began prints its error and nothing else', async (t) => {
  const message = "topology 'x' has 2 mistakes:\n  one thing\n  another thing";
  const { io, code } = await ended('run f.ts', {
    status: 'failed',
    durationMs: 0,
    spouts: {},
    bolts: {},
    error: { code: 'ERR_SQUALL_TOPOLOGY', message },
  });
  t.is(code, 2);
  t.is(io.stderr.text, "error: topology 'x' has 2 mistakes: [ERR_SQUALL_TOPOLOGY]\n  one thing\n  another thing\n");
});

test('the error of a run that failed on its way stands at the end', async (t) => {
  const { io } = await ended('run f.ts', {
    status: 'failed',
    error: { code: 'ERR_SQUALL_WORKER', message: 'split died too often' },
  });
  has(t, io, 'word-count failed after 5.0 s');
  t.is(io.stderr.lines.at(-1), 'error: split died too often [ERR_SQUALL_WORKER]');
});

test('an unexpected error is called a bug', async (t) => {
  const { io, code } = await ended('run f.ts', {
    status: 'failed',
    durationMs: 0,
    spouts: {},
    error: { code: 'ERR_SQUALL_INTERNAL', message: 'TypeError: x\n    at y (z.js:1:2)' },
  });
  t.is(code, 1);
  t.is(io.stderr.lines[1], '    at y (z.js:1:2)');
  t.regex(io.stderr.text, /^error: TypeError: x\n[\s\S]*this is a bug in Squall/);
});

test('what happens is told as it happens, workers by their short names', async (t) => {
  const { run, io, exit, asked } = squall('run f.ts');
  await asked;
  run.emit('ready', { topology: 'word-count', run: '0193', resumed: true });
  run.emit('log', 'hello\nand more', { title: 'squall word-count split[1]' });
  run.emit('log', 'fetching a server', undefined);
  run.emit('warning', 'something is odd');
  run.emit('worker-lost', { title: 'squall word-count split[1]', pid: 7, tasks: [3], why: 'SIGKILL' });
  run.emit('worker-restarted', { title: 'squall word-count split[1]', pid: 8, tasks: [3] });
  io.print?.('the topology file prints, too');
  t.deepEqual(io.stderr.lines, [
    'squall: run 0193 goes on where it was cut off',
    'split[1] | hello',
    'split[1] | and more',
    'squall: fetching a server',
    'warning: something is odd',
    'lost: split[1] (process 7): SIGKILL',
    'squall: split[1] is back (process 8)',
    'the topology file prints, too',
  ]);
  run.finish(runResult());
  await exit;
  t.is(io.print, undefined);
  t.is(io.stdout.text, '');
});

test('ten dead letters are told one by one, and replays under --debug only', async (t) => {
  const letter = { component: 'lines', id: '7', reason: 'failed', message: 'no\nstack' } as const;
  const replay = {
    component: 'lines',
    task: 1,
    id: '7',
    attempt: 2,
    failure: { reason: 'timeout', attempts: 1 },
  } as const;
  const plain = squall('run f.ts');
  await plain.asked;
  for (let n = 0; n < 20; n += 1) {
    plain.run.emit('dead-letter', letter);
    plain.run.emit('replay', replay);
  }
  t.deepEqual(plain.io.stderr.lines, [
    ...Array.from({ length: 10 }, () => 'dead letter: lines 7: failed: no'),
    'squall: further dead letters are only counted',
  ]);
  const debug = squall('run f.ts --debug');
  await debug.asked;
  debug.run.emit('replay', replay);
  t.deepEqual(debug.io.stderr.lines, ['replay: lines 7, attempt 2: timeout']);
  for (const { run, exit } of [plain, debug]) {
    run.finish(runResult());
    await exit;
  }
});

test('on a terminal a table is painted under the lines, and gone at the end', async (t) => {
  const columns = 100;
  const { run, io, exit, asked } = squall('run f.ts', ({ stderr }) => {
    Object.assign(stderr, { isTerminal: true, columns, rows: 30 });
  });
  await asked;
  run.current = runSnapshot({ phase: 'starting', elapsedMs: 0, workers: { up: 3, all: 5, restarts: 0 } });
  run.emit('log', 'hello \x1b[2J', { title: 'squall word-count split[1]' });
  const painted = new Promise<void>((resolve) => {
    const write = io.stderr.write.bind(io.stderr);
    io.stderr.write = (text) => {
      write(text);
      if (text.includes('starting')) resolve();
    };
  });
  await painted;
  t.deepEqual(terminalShows(io.stderr.text, columns).slice(0, 4), [
    'split[1] | hello \\x1b[2J',
    '',
    'word-count  starting  3/5 processes  p50 2.1 ms  p99 9.3 ms',
    'component  tasks  emitted  executed  acked  failed  pending  replays  per s',
  ]);
  run.finish(runResult());
  t.is(await exit, 0);
  const shown = terminalShows(io.stderr.text, columns);
  t.deepEqual(shown.slice(0, 4), [
    'split[1] | hello \\x1b[2J',
    '',
    'word-count completed in 5.0 s: every tuple is processed',
    '',
  ]);
  t.false(shown.some((line) => line.includes('starting')));
});
