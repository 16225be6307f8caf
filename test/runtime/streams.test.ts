import test from 'ava';
import { captureBolt, runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { TaskContext } from '../../core/topology/definition.js';
import { direct } from '../../core/topology/direct.js';
import { t as is } from '../../core/topology/fields.js';
import { defineSpout } from '../../core/topology/spout.js';
import { NUMBER, numbers, sorted, source } from './local-tests.js';

const COUNT = 60;

/** Notes which task got which number. */
function recorder() {
  const got: { readonly n: number; readonly index: number; readonly attempt: number }[] = [];
  const bolt = defineBolt({
    input: NUMBER,
    prepare: ({ index }) => ({
      execute({ values: { n }, attempt }) {
        got.push({ n, index, attempt });
      },
    }),
  });
  const at = (index: number): number[] => sorted(got.filter((one) => one.index === index).map(({ n }) => n));
  return { bolt, got, at };
}

// ---- direct streams ----------------------------------------------------------------------------------------------

for (const workers of [1, 3, 'task'] as const) {
  test(`an answer on a direct stream comes to the task that asked, and to no other, with workers ${workers}`, async (t) => {
    const answers: {
      readonly id: number;
      readonly askedBy: number;
      readonly heardBy: number;
      readonly from: number;
    }[] = [];
    const contexts = new Map<string, TaskContext>();
    const ask = defineBolt({
      inputs: { question: NUMBER, answer: { id: is.number, askedBy: is.number } },
      output: { id: is.number },
      prepare(context) {
        contexts.set(`ask ${context.index}`, context);
        return {
          execute(tuple, out) {
            if (tuple.input === 'question') out.emit({ id: tuple.values.n });
            else answers.push({ ...tuple.values, heardBy: context.task, from: tuple.task });
          },
        };
      },
    });
    const oracle = defineBolt({
      input: { id: is.number },
      streams: { answers: direct({ id: is.number, askedBy: is.number }) },
      prepare(context) {
        contexts.set(`oracle ${context.index}`, context);
        return {
          execute({ values: { id }, task, source: asker, stream }, out) {
            t.is(asker, 'ask');
            t.is(stream, 'default');
            out.emitDirect(task, { id, askedBy: task }, { stream: 'answers' });
          },
        };
      },
    });
    const built = topology('answers')
      .spout('numbers', source())
      .bolt('ask', ask, (from) => ({ question: from.shuffle('numbers'), answer: [] }), { tasks: 3 })
      .bolt('oracle', oracle, (from) => from.fields('ask', ['id']), { tasks: 2 })
      .feedback('ask', (from) => ({ answer: from.direct('oracle', { stream: 'answers' }) }));
    const result = await runLocal(built, { spouts: { numbers: numbers(COUNT) }, workers });
    t.is(result.status, 'completed');
    t.is(result.acked, COUNT);
    t.deepEqual(
      sorted(answers.map(({ id }) => id)),
      numbers(COUNT).map(({ n }) => n),
    );
    const { sources, targets, tasksOf } = contexts.get('ask 0') as TaskContext;
    for (const { askedBy, heardBy, from } of answers) {
      t.is(heardBy, askedBy);
      t.true(tasksOf('oracle').includes(from));
    }
    t.deepEqual(sorted(new Set(answers.map(({ heardBy }) => heardBy))), [2, 3, 4], 'all tasks asked');
    t.deepEqual([...tasksOf('ask')], [2, 3, 4]);
    t.deepEqual([...tasksOf('oracle')], [5, 6]);
    t.throws(() => tasksOf('nobody'), {
      message: /there is no such component; there are numbers, ask, oracle/,
    });
    t.deepEqual([...sources].sort(), ['numbers', 'oracle']);
    t.deepEqual([...targets], ['oracle']);
  });
}

for (const workers of [1, 'task'] as const) {
  test(`a spout's direct tuples go to the task it names, and to the same when they are replayed, with workers ${workers}`, async (t) => {
    const spout = defineSpout({
      output: direct(NUMBER),
      open({ tasksOf }) {
        const tasks = tasksOf('seen');
        let n = 0;
        return {
          next(out) {
            if (n === COUNT) return 'done';
            out.emitDirect(tasks[n % 3], { n }, { id: n });
            n += 1;
            return;
          },
        };
      },
    });
    const got: string[] = [];
    const seen = defineBolt({
      input: NUMBER,
      prepare: ({ index }) => ({
        execute({ values: { n }, attempt }) {
          got.push(`${n} at ${index}, attempt ${attempt}`);
          if (n % 4 === 1 && attempt < 3) throw new Error('once more');
        },
      }),
    });
    const built = topology('direct')
      .spout('numbers', spout)
      .bolt('seen', seen, (from) => from.direct('numbers'), { tasks: 3 });
    const result = await runLocal(built, { workers });
    t.is(result.status, 'completed');
    t.is(result.acked, COUNT);
    const expected = numbers(COUNT).flatMap(({ n }) =>
      (n % 4 === 1 ? [1, 2, 3] : [1]).map((attempt) => `${n} at ${n % 3}, attempt ${attempt}`),
    );
    t.deepEqual(got.sort(), expected.sort());
  });

  test(`what a tick and an end emit on a direct stream goes where they say, replays included, with workers ${workers}`, async (t) => {
    const ticking = defineBolt({
      input: NUMBER,
      output: direct(NUMBER),
      tickEveryMs: 10,
      prepare({ tasksOf }) {
        const tasks = tasksOf('seen');
        let n = 0;
        return {
          execute() {},
          tick(out) {
            out.emitDirect(tasks[n % 2], { n });
            n += 1;
          },
          end(out) {
            for (const task of tasks) out.emitDirect(task, { n: 1000 + task });
          },
        };
      },
    });
    const got: string[] = [];
    const seen = defineBolt({
      input: NUMBER,
      prepare: ({ index, task }) => ({
        execute({ values: { n }, attempt }) {
          if (attempt === 1) throw new Error('once more');
          got.push(n < 1000 ? `${n % 2} ${index}` : `${n - 1000 === task}`);
        },
      }),
    });
    const slow = defineSpout({
      output: NUMBER,
      open({ now }) {
        const until = now() + 105;
        return { next: () => (now() < until ? 'idle' : 'done') };
      },
    });
    const built = topology('ticks')
      .spout('numbers', slow)
      .bolt('ticking', ticking, (from) => from.shuffle('numbers'))
      .bolt('seen', seen, (from) => from.direct('ticking'), { tasks: 2 });
    const result = await runLocal(built, { workers });
    t.is(result.status, 'completed');
    t.true(got.length >= 12);
    for (const one of got) t.true(['0 0', '1 1', 'true'].includes(one), one);
    t.is(result.bolts.ticking.trees?.acked, got.length);
  });
}

test('a direct stream may have several takers: a tuple goes to the one that has the task', async (t) => {
  const left = recorder();
  const right = recorder();
  const spout = defineSpout({
    output: direct(NUMBER),
    open({ tasksOf }) {
      const tasks = [...tasksOf('left'), ...tasksOf('right')];
      let n = 0;
      return {
        next(out) {
          if (n === COUNT) return 'done';
          out.emitDirect(tasks[n % 3], { n }, { id: n });
          n += 1;
          return;
        },
      };
    },
  });
  const built = topology('takers')
    .spout('numbers', spout)
    .bolt('left', left.bolt, (from) => from.direct('numbers'), { tasks: 2 })
    .bolt('right', right.bolt, (from) => from.direct('numbers'));
  t.is((await runLocal(built)).acked, COUNT);
  const rest = (remainder: number) =>
    numbers(COUNT)
      .map(({ n }) => n)
      .filter((n) => n % 3 === remainder);
  t.deepEqual([left.at(0), left.at(1), right.at(0)], [rest(0), rest(1), rest(2)]);
});

// ---- groupings ---------------------------------------------------------------------------------------------------

for (const workers of [1, 'task'] as const) {
  test(`a custom grouping sends to one task, to several and to none; what goes nowhere is complete, with workers ${workers}`, async (t) => {
    const { bolt, got } = recorder();
    const built = topology('custom')
      .spout('numbers', source())
      .bolt(
        'seen',
        bolt,
        (from) =>
          from.custom('numbers', ({ n }, tasks) => {
            if (n % 4 === 0) return [];
            if (n % 4 === 1) return n % tasks;
            return n % 4 === 2 ? [0, 2, 0] : Array.from({ length: tasks }, (_, index) => index);
          }),
        { tasks: 3 },
      );
    const result = await runLocal(built, { spouts: { numbers: numbers(COUNT) }, workers });
    t.is(result.status, 'completed');
    t.is(result.acked, COUNT);
    const expected = numbers(COUNT).flatMap(({ n }) => {
      const tasks = [[], [n % 3], [0, 2], [0, 1, 2]][n % 4];
      return tasks.map((index) => `${n} ${index}`);
    });
    t.deepEqual(got.map(({ n, index }) => `${n} ${index}`).sort(), expected.sort());
  });
}

test('a tuple of which one of several copies fails comes again to all that the custom grouping chooses', async (t) => {
  const got: string[] = [];
  const seen = defineBolt({
    input: NUMBER,
    prepare: ({ index }) => ({
      execute({ values: { n }, attempt }) {
        got.push(`${n} ${index} ${attempt}`);
        if (index === 1 && attempt === 1) throw new Error('this copy only');
      },
    }),
  });
  const built = topology('custom')
    .spout('numbers', source())
    .bolt('seen', seen, (from) => from.custom('numbers', ({ n }) => (n % 2 === 0 ? [0, 1] : [])), { tasks: 2 });
  const result = await runLocal(built, { spouts: { numbers: numbers(4) } });
  t.is(result.spouts.numbers.replays.failed, 2);
  t.deepEqual(got.sort(), [0, 2].flatMap((n) => ['0 1', '0 2', '1 1', '1 2'].map((rest) => `${n} ${rest}`)).sort());
});

for (const workers of [1, 'task'] as const) {
  test(`partialKey shares a hot key among two tasks, and never more, with workers ${workers}`, async (t) => {
    const places = new Map<string, Map<number, number>>();
    const counts = defineBolt({
      input: { key: is.string },
      prepare: ({ index }) => ({
        execute({ values: { key } }) {
          const at = places.get(key) ?? new Map<number, number>();
          places.set(key, at.set(index, (at.get(index) ?? 0) + 1));
        },
      }),
    });
    const spout = defineSpout({
      output: { key: is.string },
      open() {
        let n = 0;
        return {
          next(out) {
            if (n === 2000) return 'done';
            out.emit({ key: n % 2 === 0 ? 'hot' : `key ${n % 30}` }, { id: n });
            n += 1;
            return;
          },
        };
      },
    });
    const built = topology('hot')
      .spout('keys', spout)
      .bolt('counts', counts, (from) => from.partialKey('keys', ['key']), { tasks: 5 });
    t.is((await runLocal(built, { workers })).acked, 2000);
    const hot = places.get('hot') as Map<number, number>;
    t.is(hot.size, 2);
    t.true(Math.min(...hot.values()) >= 250, [...hot.values()].join(' and '));
    for (const [key, at] of places) t.true(at.size <= 2, key);
    t.true(new Set([...places.values()].flatMap((at) => [...at.keys()])).size > 2);
  });
}

test('localOrShuffle stays in the worker where it has a task there, and shuffles where it has none', async (t) => {
  const run = async (workers: 2 | 'task', grouping: 'localOrShuffle' | 'shuffle') => {
    const pairs: string[] = [];
    const pass = defineBolt({
      input: NUMBER,
      output: { n: is.number, by: is.number },
      prepare: ({ task }) => ({ execute: ({ values: { n } }, out) => out.emit({ n, by: task }) }),
    });
    const seen = defineBolt({
      input: { n: is.number, by: is.number },
      prepare: ({ task }) => ({
        execute({ values: { by } }) {
          pairs.push(`${by} ${task}`);
        },
      }),
    });
    const built = topology('local')
      .spout('numbers', source())
      .bolt('pass', pass, (from) => from.shuffle('numbers'), { tasks: 4 })
      .bolt('seen', seen, (from) => from[grouping]('pass'), { tasks: 4 });
    const { acked } = await runLocal(built, { spouts: { numbers: numbers(400) }, workers });
    t.is(acked, 400);
    return new Set(pairs);
  };
  const local = await run(2, 'localOrShuffle');
  const everywhere = await run(2, 'shuffle');
  t.true(everywhere.size > local.size, `${everywhere.size} pairs of tasks, not only ${local.size}`);
  t.true(local.size <= 8, 'each of the four has two beside it');
  t.true((await run('task', 'localOrShuffle')).size > 8);
});

// ---- inputs ------------------------------------------------------------------------------------------------------

test('an input may have several sources, each input its own fields; a tuple says which it came on and from where', async (t) => {
  const got: string[] = [];
  const split = defineBolt({
    input: NUMBER,
    output: { n: is.number, text: is.string },
    streams: { odd: { text: is.string, n: is.number, more: is.boolean } },
    execute({ values: { n } }, out) {
      if (n % 2 === 0) out.emit({ n, text: `even ${n}` });
      else out.emit({ more: true, n, text: `odd ${n}` }, { stream: 'odd' });
    },
  });
  const merge = defineBolt({
    inputs: { texts: { text: is.string }, plain: NUMBER },
    output: NUMBER,
    execute(tuple, out) {
      const { input, source: component, stream, task } = tuple;
      const what = tuple.input === 'texts' ? tuple.values.text : `plain ${tuple.values.n}`;
      t.deepEqual(Object.keys(tuple.values), [input === 'texts' ? 'text' : 'n'], 'the declared fields and no others');
      got.push(`${input} ${component} ${stream} ${task}: ${what}`);
      if (tuple.input === 'plain' && tuple.values.n === 3 && tuple.attempt === 1) throw new Error('once more');
      if (tuple.input === 'plain') out.emit(tuple.values);
    },
  });
  const seen = captureBolt<{ n: number }>();
  const built = topology('inputs')
    .spout('a', source())
    .spout('b', source())
    .bolt('split', split, (from) => [from.shuffle('a'), from.shuffle('b')])
    .bolt('merge', merge, (from) => ({
      texts: [from.shuffle('split'), from.global('split', { stream: 'odd' })],
      plain: [from.all('b'), from.shuffle('a')],
    }))
    .bolt('seen', seen, (from) => from.shuffle('merge'));
  const result = await runLocal(built, { spouts: { a: numbers(4), b: numbers(6) } });
  t.is(result.status, 'completed');
  t.is(result.acked, 10);
  t.is(result.spouts.a.replays.failed + result.spouts.b.replays.failed, 2);
  const texts = (count: number) =>
    numbers(count).map(({ n }) => (n % 2 === 0 ? `texts split default 3: even ${n}` : `texts split odd 3: odd ${n}`));
  const plain = (spout: string, task: number, count: number) =>
    numbers(count).map(({ n }) => `plain ${spout} default ${task}: plain ${n}`);
  const again = [
    'texts split odd 3: odd 3',
    'texts split odd 3: odd 3',
    'plain a default 1: plain 3',
    'plain b default 2: plain 3',
  ];
  t.deepEqual(got.sort(), [...texts(4), ...texts(6), ...plain('a', 1, 4), ...plain('b', 2, 6), ...again].sort());
  t.deepEqual(sorted(seen.values.map(({ n }) => n)), sorted([0, 1, 2, 3, 0, 1, 2, 3, 4, 5]));
});
