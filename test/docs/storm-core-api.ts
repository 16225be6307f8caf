/** Rows of Storm's core API, and what shows their counterparts. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { bomb, captureBolt, runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { Tuple } from '../../core/topology/definition.js';
import { direct } from '../../core/topology/direct.js';
import { t as is } from '../../core/topology/fields.js';
import { planOf } from '../../core/topology/plan.js';
import { defineSpout } from '../../core/topology/spout.js';
import { spoutFrom } from '../../core/topology/spout-from.js';
import { Workspace } from '../support/e2e.js';
import { startRun } from '../support/e2e-run.js';
import { contextIn } from './storm-context.js';
import { N, numbers, shown, shows, source } from './storm-shows.js';

shows('Validation at submit', 'all of Storm’s mistakes are in one report', (t) => {
  const bolt = defineBolt({ input: N, execute() {} });
  // biome-ignore lint/suspicious/noExplicitAny: what the compiler refuses
  const anything = (name: string): any => topology(name);
  const wrong = anything('wrong')
    .spout('numbers', source(), (from: never) => from)
    // biome-ignore lint/suspicious/noExplicitAny: as above
    .bolt('a', bolt, (from: any) => from.shuffle('number'))
    // biome-ignore lint/suspicious/noExplicitAny: as above
    .bolt('b', bolt, (from: any) => from.shuffle('numbers', { stream: 'errors' }))
    // biome-ignore lint/suspicious/noExplicitAny: as above
    .bolt('c', bolt, (from: any) => from.fields('numbers', ['word']))
    // biome-ignore lint/suspicious/noExplicitAny: as above
    .bolt('c', bolt, (from: any) => from.shuffle('numbers'))
    .config({ messageTimeoutMs: '30s', 'topology.workers': 4 });
  const error = t.throws(() => planOf(wrong), { code: 'ERR_SQUALL_TOPOLOGY' });
  for (const said of [
    /spout 'numbers': .*takes no input/,
    /bolt 'a': takes from 'number', which is no component/,
    /bolt 'b': takes stream 'errors' of 'numbers'/,
    /bolt 'c': groups by field 'word'/,
    /bolt 'c': the name is declared twice/,
    /messageTimeoutMs: .*'30s'/,
    /'topology.workers'/,
  ]) {
    t.regex(error?.message ?? '', said);
  }
});

shows('Spout', 'its hooks are called as Storm calls them, and fail once a tuple is out of attempts', async (t) => {
  const calls: string[] = [];
  const spout = defineSpout({
    output: N,
    retry: { attempts: 2 },
    open() {
      calls.push('open');
      let n = 0;
      return {
        next(out) {
          if (n === 2) return 'idle';
          calls.push(`next ${n}`);
          out.emit({ n }, { id: n });
          n += 1;
          return undefined;
        },
        ack: (id) => void calls.push(`ack ${id}`),
        fail: (id, { attempts }) => void calls.push(`fail ${id} after ${attempts}`),
        activate: () => void calls.push('activate'),
        deactivate: () => void calls.push('deactivate'),
        close: () => void calls.push('close'),
      };
    },
  });
  const local = await startLocal(
    topology('spout')
      .spout('numbers', spout)
      .bolt('odd', bomb({ throws: ({ values }) => values.n === 1 }), (from) => from.shuffle('numbers')),
  );
  await local.advance(1000);
  await local.pause();
  await local.resume();
  await local.stop();
  const emitting = ['open', 'activate', 'next 0', 'next 1', 'ack 0', 'fail 1 after 2'];
  t.deepEqual(calls, [...emitting, 'deactivate', 'activate', 'deactivate', 'close']);
});

shows('Spout', 'with replay: source it is told of each failure, as in Storm, and sends again itself', async (t) => {
  const failed: unknown[] = [];
  const spout = defineSpout({
    output: N,
    replay: 'source',
    open() {
      const queue = [0, 1, 2];
      let open = 3;
      return {
        next(out) {
          const n = queue.shift();
          if (n === undefined) return open === 0 ? 'done' : 'idle';
          out.emit({ n }, { id: n });
          return undefined;
        },
        ack() {
          open -= 1;
        },
        fail(id) {
          failed.push(id);
          queue.push(Number(id));
        },
      };
    },
  });
  let fails = 3;
  const shaky = bomb({ throws: ({ values }) => values.n === 1 && fails-- > 0 });
  const { status, deadLetters, acked } = await runLocal(
    topology('returns')
      .spout('numbers', spout)
      .bolt('shaky', shaky, (from) => from.shuffle('numbers')),
  );
  t.deepEqual(
    { status, failed, acked, letters: deadLetters.length },
    { status: 'completed', failed: [1, 1, 1], acked: 3, letters: 0 },
  );
});

shows('Rich bolt', 'it is prepared, acks and fails by hand, and is cleaned up', async (t) => {
  const calls: string[] = [];
  const rich = defineBolt({
    input: N,
    ack: 'manual',
    prepare() {
      calls.push('prepare');
      return {
        execute(tuple, out) {
          if (tuple.values.n === 1) out.fail(tuple, 'one is wrong');
          else out.ack(tuple);
        },
        cleanup: () => void calls.push('cleanup'),
      };
    },
  });
  const { acked, deadLetters } = await runLocal(
    topology('rich')
      .spout('numbers', source(1))
      .bolt('rich', rich, (from) => from.shuffle('numbers')),
    { spouts: { numbers: numbers(3) } },
  );
  t.is(acked, 2);
  t.regex(deadLetters[0].attempts[0].failure.error?.message ?? '', /one is wrong/);
  t.deepEqual(calls, ['prepare', 'cleanup']);
});

shows(
  'Basic bolt',
  'what it emits is anchored, its return acks, any error fails, and none ends the process',
  async (t) => {
    let refusals = 2;
    const basic = defineBolt({
      input: N,
      output: N,
      execute({ values, attempt }, out) {
        if (values.n === 1 && attempt === 1) throw new TypeError('any error');
        out.emit(values);
      },
    });
    const { status, restarts, spouts } = await runLocal(
      topology('basic')
        .spout('numbers', source())
        .bolt('basic', basic, (from) => from.shuffle('numbers'))
        .bolt('after', bomb({ throws: ({ values }) => values.n === 2 && refusals-- > 0 }), (from) =>
          from.shuffle('basic'),
        ),
      { spouts: { numbers: numbers(4) }, workers: 'task' },
    );
    t.is(status, 'completed');
    t.is(restarts, 0);
    t.is(spouts.numbers.replays.failed, 3, 'once for its own error, twice for that of a bolt after it');
  },
);

shows('Lambda components', 'a function is a spout, and a function is a bolt', async (t) => {
  const built = topology('lambda')
    .spout(
      'numbers',
      spoutFrom({ output: N }, () => numbers(3)),
    )
    .bolt(
      'double',
      defineBolt({ input: N, output: N, execute: ({ values: { n } }, out) => out.emit({ n: 2 * n }) }),
      (from) => from.shuffle('numbers'),
    );
  const { emitted, acked } = await runLocal(built);
  t.deepEqual(emitted.double, [{ n: 0 }, { n: 2 }, { n: 4 }]);
  t.is(acked, 3);
});

shows(
  'Tuples',
  'values are by name in declared order; a tuple knows where it came from, and stays itself when replayed',
  async (t) => {
    const seen: Tuple[] = [];
    const look = defineBolt({
      execute(tuple) {
        seen.push(tuple);
        if (tuple.attempt === 1) throw new Error('again');
      },
    });
    const spout = defineSpout({
      output: N,
      streams: { pairs: { b: is.string, a: is.number } },
      open: () => {
        let done = false;
        return {
          next(out) {
            if (done) return 'done';
            done = true;
            out.emit({ a: 1, b: 'x' }, { id: 'one', stream: 'pairs' });
            return undefined;
          },
        };
      },
    });
    await runLocal(
      topology('tuples')
        .spout('source', spout)
        .bolt('look', look, (from) => from.shuffle('source', { stream: 'pairs' })),
    );
    const [first, second] = seen;
    t.deepEqual(Object.entries(first.values), [
      ['b', 'x'],
      ['a', 1],
    ]);
    t.like(first, {
      source: 'source',
      stream: 'pairs',
      task: 1,
      input: 'default',
      attempt: 1,
      replayReason: undefined,
    });
    t.like(second, { id: first.id, attempt: 2, replayReason: 'failed' });
    t.is(seen.length, 2);
  },
);

shows('Streams', 'a bolt emits on those that it declares, and is refused at once on another', async (t) => {
  let refused: unknown;
  const sort = defineBolt({
    input: N,
    output: N,
    streams: { odd: N },
    execute({ values }, out) {
      if (values.n % 2 === 0) out.emit(values);
      else out.emit(values, { stream: 'odd' });
      try {
        out.emit(values as never, { stream: 'event' as never });
      } catch (error) {
        refused = error;
      }
    },
  });
  const built = topology('streams')
    .spout('numbers', source())
    .bolt('sort', sort, (from) => from.shuffle('numbers'))
    .bolt('seen', captureBolt(), (from) => [from.shuffle('sort'), from.shuffle('sort', { stream: 'odd' })]);
  const result = await runLocal(built, { spouts: { numbers: numbers(4) } });
  t.deepEqual(result.emittedOn('sort'), [{ n: 0 }, { n: 2 }]);
  t.deepEqual(result.emittedOn('sort', 'odd'), [{ n: 1 }, { n: 3 }]);
  t.regex(String(refused), /sort\[2\].*"?event"?/);
});

shows(
  'Direct streams',
  'emit on one, emitDirect on another, and a task that is not there, are refused at once',
  async (t) => {
    const refusals: string[] = [];
    const attempt = (emit: () => void) => {
      const error = t.throws(emit);
      refusals.push(`${error?.message}`);
    };
    const router = defineBolt({
      input: N,
      output: N,
      streams: { to: direct(N) },
      prepare: ({ tasksOf, task }) => ({
        execute({ values }, out) {
          attempt(() => out.emit(values as never, { stream: 'to' }));
          attempt(() => out.emitDirect(tasksOf('store')[0], values as never));
          attempt(() => out.emitDirect(task, values, { stream: 'to' }));
          out.emitDirect(tasksOf('store')[1], values, { stream: 'to' });
        },
      }),
    });
    const built = topology('direct')
      .spout('numbers', source())
      .bolt('router', router, (from) => from.shuffle('numbers'))
      .bolt('store', captureBolt(), (from) => from.direct('router', { stream: 'to' }), { tasks: 2 });
    const { bolts } = await runLocal(built, { spouts: { numbers: numbers(1) } });
    t.is(refusals.length, 3);
    for (const refusal of refusals) t.regex(refusal, /router\[2\]/);
    t.is(bolts.store.executed, 1);
  },
);

shows('Parallelism', 'a component has as many instances as tasks, each with what it keeps for itself', async (t) => {
  const count = defineBolt({
    input: N,
    output: { index: is.number, count: is.number },
    prepare({ index }) {
      let count = 0;
      return {
        execute() {
          count += 1;
        },
        end: (out) => out.emit({ index, count }),
      };
    },
  });
  const built = topology('parallel')
    .spout('numbers', source())
    .bolt('count', count, (from) => from.custom('numbers', ({ n }) => n % 3), { tasks: 3 });
  const { emitted } = await runLocal(built, { spouts: { numbers: numbers(7) } });
  t.deepEqual(
    emitted.count.toSorted((a, b) => a.index - b.index),
    [
      { index: 0, count: 3 },
      { index: 1, count: 2 },
      { index: 2, count: 2 },
    ],
  );
});

shows('Tick-aware bolt base', 'ticks and data come to different hooks, one at a time', async (t) => {
  const calls: string[] = [];
  const aware = defineBolt({
    input: N,
    tickEveryMs: 100,
    prepare: ({ now }) => ({
      execute({ values: { n } }) {
        calls.push(`execute ${n}`);
      },
      async tick() {
        const at = now() % 1000;
        calls.push(`tick at ${at}`);
        await Promise.resolve();
        calls.push(`tick at ${at} is over`);
      },
    }),
  });
  const given = source();
  const local = await startLocal(
    topology('aware')
      .spout('numbers', given)
      .bolt('aware', aware, (from) => from.shuffle('numbers')),
  );
  given.feed({ n: 1 });
  await local.advance(250);
  given.feed({ n: 2 });
  await local.advance(50);
  await local.stop();
  t.deepEqual(calls, [
    'execute 1',
    ...['tick at 100', 'tick at 100 is over', 'tick at 200', 'tick at 200 is over'],
    'execute 2',
    ...['tick at 300', 'tick at 300 is over'],
  ]);
});

shows('Tick tuples', 'every task ticks, and what a tick emits is tracked and replayed', async (t) => {
  const ticking = defineBolt({
    input: N,
    output: { index: is.number },
    tickEveryMs: 1000,
    prepare: ({ index }) => ({
      execute() {},
      tick: (out) => out.emit({ index }),
    }),
  });
  const seen = captureBolt<{ index: number }>();
  const local = await startLocal(
    topology('ticks')
      .spout('numbers', source())
      .bolt('ticking', ticking, (from) => from.shuffle('numbers'), { tasks: 3 })
      .bolt('shaky', bomb({ fails: ({ attempt }) => attempt === 1, output: { index: is.number } }), (from) =>
        from.shuffle('ticking'),
      )
      .bolt('seen', seen, (from) => from.shuffle('shaky')),
  );
  await local.advance(1999);
  const { bolts } = await local.stop();
  t.deepEqual(seen.values.map(({ index }) => index).sort(), [0, 1, 2]);
  t.is(bolts.ticking.trees?.replays.failed, 3);
  t.is(bolts.ticking.trees?.acked, 3);
});

shows('Task context', 'it tells who the task is, its neighbours, their tasks, and its settings', async (t) => {
  const context = await contextIn();
  t.like(context, { topology: 'context', component: 'middle', task: 3, index: 1, tasks: 2, epoch: 1 });
  t.deepEqual(context.sources, ['numbers']);
  t.deepEqual(context.targets, ['last']);
  t.deepEqual(context.tasksOf('last'), [4, 5, 6]);
  t.throws(() => context.tasksOf('nobody'), { message: /there is no such component/ });
  t.is(new Date(context.now()).getUTCFullYear(), 2024);
});

shows('Per-component config', 'a bolt sees what holds for it', async (t) => {
  const context = await contextIn();
  t.is(context.config.messageTimeoutMs, 5000);
  t.is(context.config.maxSpoutPending, 8192);
});

shows(
  'Errors',
  'the history of a tuple has each error, with its component, task and stack; the run goes on',
  async (t) => {
    const { deadLetters, acked } = await runLocal(
      topology('errors')
        .spout('numbers', source(2))
        .bolt('odd', bomb({ throws: ({ values }) => values.n === 1 }), (from) => from.shuffle('numbers')),
      { spouts: { numbers: numbers(3) } },
    );
    t.is(acked, 2);
    t.deepEqual(
      deadLetters[0].attempts.map(({ attempt, failure }) => [attempt, failure.component, failure.task]),
      [
        [1, 'odd', 2],
        [2, 'odd', 2],
      ],
    );
    t.regex(deadLetters[0].attempts[1].failure.error?.stack ?? '', /bomb/);
  },
);

for (const row of ['Worker hooks', 'Environment and class path per topology']) shown.add(row);
test.serial(
  'Worker hooks, Environment and class path per topology: code of the module runs once for all tasks of a process, in the environment of the run',
  async (t) => {
    process.env.STORM_TOPOLOGY_ENVIRONMENT = 'of-the-run';
    t.teardown(() => delete process.env.STORM_TOPOLOGY_ENVIRONMENT);
    const place = await Workspace.create(t);
    const file = fileURLToPath(new URL('storm-worker.js', import.meta.url));
    const { run, lines } = startRun(t, place, file, { workers: 2 });
    t.is((await run.result).status, 'completed');
    const told = lines.items.flatMap((line) => [...line.matchAll(/told: (\d) (\d+) (\S+) (\S+)/g)]);
    t.deepEqual(told.map(([, index]) => index).sort(), ['0', '1', '2', '3']);
    const pools = new Set(told.map(([, , pid, pool]) => `${pid} ${pool}`));
    t.is(pools.size, 2, 'one for each process');
    t.is(new Set(told.map(([, , pid]) => pid)).size, 2);
    t.false(told.some(([, , pid]) => Number(pid) === process.pid));
    for (const [, , , , environment] of told) t.is(environment, 'of-the-run');
  },
);
