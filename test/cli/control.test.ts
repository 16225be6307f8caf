import test from 'ava';
import type { Engine } from '../../cli/engine.js';
import { main } from '../../cli/main.js';
import type { Control } from '../../cli/remote-run.js';
import type { RemoteEnd, RemoteRun } from '../../core/cluster/control-messages.js';
import { FakeIo } from './fake-io.js';
import { NO_REPLAYS, runSnapshot, spoutResult } from './fake-run.js';

const SINCE = new Date(2026, 0, 31, 12, 0, 3).getTime();

function remote(fields: Partial<RemoteRun> = {}, phase: RemoteRun['snapshot']['phase'] = 'running'): RemoteRun {
  const spouts = { lines: spoutResult({ emitted: 1_012, acked: 1_000, pending: 12 }) };
  return {
    topology: 'word-count',
    run: '0193-aa',
    start: 's1',
    pid: 4711,
    host: 'box',
    startedAt: SINCE,
    snapshot: runSnapshot({ phase, spouts }),
    ...fields,
  };
}

interface Said {
  readonly io: FakeIo;
  readonly code: number;
  readonly opened: unknown[];
  readonly told: string[];
  readonly closes: number;
}

interface Situation {
  /** undefined: no server is running */
  readonly runs?: readonly RemoteRun[] | undefined;
  readonly answer?: Partial<RemoteRun>;
  readonly end?: RemoteEnd | undefined;
  readonly prepare?: (io: FakeIo) => void;
  /** instead of an end */
  readonly wait?: (io: FakeIo) => Promise<RemoteEnd | undefined>;
}

async function squall(args: string, situation: Situation = {}): Promise<Said> {
  const { runs, answer, prepare = () => {}, wait } = situation;
  const end = 'end' in situation ? situation.end : ({ start: 's1', status: 'stopped', drained: true } as const);
  const io = new FakeIo();
  prepare(io);
  const opened: unknown[] = [];
  const told: string[] = [];
  let closes = 0;
  const control: Control = {
    runs: async (topology) => (runs ?? []).filter((run) => topology === undefined || run.topology === topology),
    async tell(run, action) {
      told.push(`${action} ${run.run}`);
      return { ...run, ...answer };
    },
    async ended(run, heard) {
      heard(run);
      return wait === undefined ? end : wait(io);
    },
    close: async () => void (closes += 1),
  };
  const engine = {
    openControl: async () => async (access: unknown) => {
      opened.push(access);
      return 'runs' in situation && runs === undefined ? undefined : control;
    },
  } as unknown as Engine;
  const code = await main(args.split(' '), io, engine);
  return { io, code, opened, told, closes };
}

/** Of which everything is known. */
function busy(): RemoteRun {
  const { snapshot } = remote();
  const [first, ...others] = snapshot.tasks;
  const perS = { executed: 0, emitted: 512, acked: 498.7, failed: 0 };
  const replays = { ...NO_REPLAYS, timeout: 3, failed: 1 };
  return remote({
    run: '01a1fd9c-7b8c-7233-b1f5-0f0a5d6e4f12',
    snapshot: {
      ...snapshot,
      spouts: { lines: spoutResult({ emitted: 1_012, acked: 1_000, pending: 12, replays, deadLettered: 2 }) },
      workers: { up: 4, all: 5, restarts: 6 },
      tasks: [{ ...first, oldestMs: 1_250 }, ...others],
      load: { lines: { perS, queued: 0, capacity: 0 } },
      recent: { completeMs: { p50: 2, p90: 5, p99: 41.2, max: 90 } },
    },
  });
}

test('list has a line for each run', async (t) => {
  const runs = [busy(), remote({ topology: 'b', run: '0194-bb', pid: 5 }, 'paused')];
  const { io, code, closes } = await squall('list', { runs });
  t.is(code, 0);
  t.deepEqual(
    io.stdout.lines.map((line) => line.split(/ {2,}/)),
    [
      'topology|run|phase|up|per s|acked|pending|oldest|p99|replays|restarts|dead|for|since|pid|host',
      'word-count|01a1fd9c-7b8c-7233-b1f5-0f0a5d6e4f12|running|4/5|499|1,000|12|1.3 s|41 ms|4|6|2|5.0 s|2026-01-31 12:00:03|4711|box',
      'b|0194-bb|paused|5/5|-|1,000|12|-|-|0|0|0|5.0 s|2026-01-31 12:00:03|5|box',
    ].map((line) => line.split('|')),
  );
  t.is(io.stderr.text, '');
  t.is(closes, 1);
});

for (const [columns, lines] of [
  [
    100,
    [
      'topology    phase     up  per s  acked  pending  oldest    p99  replays  restarts  dead   pid',
      'word-count  running  4/5    499  1,000       12   1.3 s  41 ms        4         6     2  4711',
    ],
  ],
  [
    80,
    [
      'topology    phase     up  per s  pending  oldest    p99  replays  restarts  dead',
      'word-count  running  4/5    499       12   1.3 s  41 ms        4         6     2',
    ],
  ],
] as const)
  test(`in ${columns} columns list keeps what tells how a run does`, async (t) => {
    const { io } = await squall('list', { runs: [busy()], prepare: (io) => Object.assign(io.stdout, { columns }) });
    t.deepEqual(io.stdout.lines, lines);
  });

test('list --json is a run in each line', async (t) => {
  const { io } = await squall('list --json', { runs: [remote()] });
  t.deepEqual(
    io.stdout.lines.map((line) => JSON.parse(line)),
    [remote()],
  );
});

for (const [where, runs] of [
  ['no server is running', undefined],
  ['nobody answers', []],
] as const) {
  test(`where ${where}, list says so and is exit 0, and other commands are exit 2`, async (t) => {
    for (const flags of ['', ' --json']) {
      const { io, code } = await squall(`list${flags}`, { runs });
      t.is(code, 0);
      t.is(io.stdout.text, '');
      t.regex(io.stderr.text, /^no run is heard of at the state folder \.squall; .*--nats or --state\n$/);
    }
    for (const command of ['pause', 'resume', 'drain', 'kill']) {
      const { io, code, told } = await squall(`${command} word-count`, { runs });
      t.is(code, 2);
      t.deepEqual(told, []);
      t.regex(io.stderr.text, /expected a run of 'word-count', none is heard of .*squall list.*\[ERR_SQUALL_NO_RUN\]/);
    }
  });
}

test('pause says what is still in flight and how to go on', async (t) => {
  const { io, code, told } = await squall('pause word-count', { runs: [remote()] });
  t.is(code, 0);
  t.deepEqual(told, ['pause 0193-aa']);
  t.is(
    io.stderr.text,
    'word-count is paused; 12 tuples in flight will be completed; squall resume word-count goes on\n',
  );
});

test('a run that starts is paused later, and pause says so', async (t) => {
  const { io } = await squall('pause word-count', { runs: [remote({}, 'starting')] });
  t.regex(io.stderr.text, /will be paused as soon as it has started/);
});

test('what a run refuses is an error with its reason', async (t) => {
  for (const command of ['pause', 'resume']) {
    const { io, code } = await squall(`${command} word-count`, {
      runs: [remote({}, 'draining')],
      answer: { refused: 'it is about to end' },
    });
    t.is(code, 1);
    t.regex(io.stderr.text, /'word-count' was not (paused|resumed): it is about to end .*\[ERR_SQUALL_REFUSED\]/);
  }
});

test('resume says what the run does then', async (t) => {
  const { io, code, told } = await squall('resume word-count', { runs: [remote()] });
  t.is(code, 0);
  t.deepEqual(told, ['resume 0193-aa']);
  t.is(io.stderr.text, 'word-count is running\n');
});

for (const [end, code, said] of [
  [{ status: 'stopped', drained: true }, 0, /has ended: everything in flight was settled first/],
  [{ status: 'stopped', drained: false }, 1, /has ended: 12 tuples left in flight/],
  [{ status: 'completed' }, 0, /has ended by itself: completed/],
  [{ status: 'failed' }, 1, /failed while it drained/],
  [undefined, 1, /answers no more .*\[ERR_SQUALL_NO_ANSWER\]/],
] as const) {
  test(`drain waits for the end and tells it: ${JSON.stringify(end)}`, async (t) => {
    const last = end === undefined ? undefined : { start: 's1', ...end };
    const result = await squall('drain word-count', { runs: [remote()], end: last });
    t.is(result.code, code);
    t.deepEqual(result.told, ['drain 0193-aa']);
    t.regex(result.io.stderr.lines[0], /no more input.*Waiting for its end/);
    t.regex(result.io.stderr.text, said);
  });
}

test('drain --no-wait does not wait', async (t) => {
  const { io, code } = await squall('drain word-count --no-wait', {
    runs: [remote()],
    wait: () => Promise.reject(new Error('it waits')),
  });
  t.is(code, 0);
  t.is(io.stderr.text, 'word-count: no more input; what is in flight is completed\n');
});

test('a signal ends the command that waits, with its exit code, and closes its connection', async (t) => {
  const { code, closes } = await squall('drain word-count', {
    runs: [remote()],
    wait: (io) => {
      io.signal('SIGINT');
      return new Promise(() => {});
    },
  });
  t.is(code, 130);
  t.is(closes, 1);
});

test('kill tells what was in flight', async (t) => {
  const { io, code, told } = await squall('kill word-count', { runs: [remote()] });
  t.is(code, 0);
  t.deepEqual(told, ['kill 0193-aa']);
  t.is(io.stderr.text, 'word-count was killed, with 12 tuples in flight; the next run goes on where it ended\n');
});

test('of several runs of one name none is touched, unless the beginning of an id says which', async (t) => {
  const runs = [remote(), remote({ run: '0194-bb', start: 's2', pid: 5 })];
  for (const command of ['pause word-count', 'kill word-count --run 019']) {
    const { io, code, told } = await squall(command, { runs });
    t.is(code, 2);
    t.deepEqual(told, []);
    t.regex(io.stderr.text, /2 runs: .*--run ID.*\[ERR_SQUALL_SEVERAL_RUNS\]\n {2}0193-aa {2}process 4711 on box/);
  }
  const { told } = await squall('pause word-count --run 0194', { runs });
  t.deepEqual(told, ['pause 0194-bb']);
  const none = await squall('pause word-count --run 7', { runs });
  t.is(none.code, 2);
  t.regex(none.io.stderr.text, /whose id begins with '7'.*found: 0193-aa, 0194-bb/);
});

test('the server is that of the flags or of the environment, else that of the state folder', async (t) => {
  const { opened } = await squall('list --state dir');
  t.deepEqual(opened, [{ state: 'dir' }]);
  const given = await squall('list', {
    prepare: (io) => Object.assign(io, { env: { NATS_URL: 'nats://u:secret@h:1' } }),
  });
  t.like(given.opened[0], { state: '.squall', nats: { servers: ['nats://h:1'] } });
  t.regex(given.io.stderr.text, /nats:\/\/h:1 /);
  t.notRegex(given.io.stderr.text, /secret/);
});

for (const [args, said] of [
  ['pause', /missing required argument 'topology'/],
  ['drain a.b', /give the name that its file gives to topology/],
  ['kill _control', /does not begin with _/],
  ['resume a>', /expected a name/],
  ['list a', /too many arguments/],
] as const) {
  test(`wrong usage is exit 2 and asks nobody: squall ${args}`, async (t) => {
    const { io, code, opened } = await squall(args, { runs: [remote()] });
    t.is(code, 2);
    t.regex(io.stderr.text, said);
    t.deepEqual(opened, []);
  });
}

test('the help of each tells what becomes of tuples in flight, its options and exit codes', async (t) => {
  for (const command of ['pause', 'resume', 'drain', 'kill']) {
    const { io, code } = await squall(`${command} --help`);
    t.is(code, 0);
    t.regex(io.stdout.text, /Usage: squall [a-z]+ [\s\S]*--run <id>[\s\S]*--state[\s\S]*Exit codes:[\s\S]*NATS_URL/);
  }
});
