import test from 'ava';
import { bomb, captureBolt, feeder, runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { Tuple } from '../../core/topology/definition.js';
import { direct } from '../../core/topology/direct.js';
import { t as is } from '../../core/topology/fields.js';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const source = () => feeder({ n: is.number });

/** A tuple goes round as often as it says. */
const rounds = defineBolt({
  input: { n: is.number },
  output: { total: is.number },
  streams: { again: { n: is.number } },
  prepare() {
    let total = 0;
    return {
      execute({ values: { n } }, out) {
        total += 1;
        if (n > 0) out.emit({ n: n - 1 }, { stream: 'again' });
      },
      end(out) {
        out.emit({ total });
      },
    };
  },
});

for (const workers of [1, 2, 'task'] as const) {
  test(`the bolts of a cycle run end together, once nothing goes round any more, with workers ${workers}`, async (t) => {
    const seen = captureBolt<{ total: number }>();
    const built = topology('rounds')
      .spout('numbers', source())
      .bolt('rounds', rounds, (from) => from.shuffle('numbers'), { tasks: 2 })
      .feedback('rounds', (from) => from.shuffle('rounds', { stream: 'again' }))
      .bolt('seen', seen, (from) => from.shuffle('rounds'));
    const result = await runLocal(built, { spouts: { numbers: numbers(10) }, workers });
    t.is(result.status, 'completed');
    t.is(seen.values.length, 2);
    t.is(
      seen.values.reduce((sum, { total }) => sum + total, 0),
      55,
    );
    t.is(result.emittedOn('rounds', 'again').length, 45);
  });
}

/** Emits the sum of each three tuples, anchored to all of them. */
const sums = defineBolt({
  input: { n: is.number },
  output: { sum: is.number },
  ack: 'manual',
  prepare() {
    const held: Tuple<{ n: number }>[] = [];
    return {
      execute(tuple, out) {
        held.push(tuple);
        if (held.length < 3) return;
        const anchors = held.splice(0);
        out.emit({ sum: anchors.reduce((sum, { values }) => sum + values.n, 0) }, { anchors });
        for (const anchor of anchors) out.ack(anchor);
      },
    };
  },
});

const summed = () =>
  topology('sums')
    .spout('numbers', source())
    .bolt('sums', sums, (from) => from.global('numbers'));

test('tuples that a bolt acks by itself are complete when it has', async (t) => {
  const result = await runLocal(summed(), { spouts: { numbers: numbers(6) } });
  t.is(result.status, 'completed');
  t.deepEqual(result.emitted.sums, [{ sum: 3 }, { sum: 12 }]);
  t.is(result.acked, 6);
});

test('a tuple that is neither acked nor failed holds the run up, and the error says whose it is', async (t) => {
  await t.throwsAsync(runLocal(summed(), { spouts: { numbers: numbers(7) }, timeoutMs: 200 }), {
    code: 'ERR_SQUALL_LOCAL_TIMEOUT',
    message: /numbers has 1 tuple that is neither acked nor dead-lettered.*ack: 'manual'/,
  });
});

test('a tuple that fails downstream of several anchors is replayed with all of them', async (t) => {
  const lines = source();
  const seen = captureBolt<{ sum: number }>();
  const built = topology('anchors')
    .spout('numbers', lines)
    .bolt('sums', sums, (from) => from.global('numbers'))
    .bolt('shaky', bomb({ fails: ({ attempt }) => attempt === 1, output: { sum: is.number } }), (from) =>
      from.shuffle('sums'),
    )
    .bolt('seen', seen, (from) => from.shuffle('shaky'));
  const result = await runLocal(built, { spouts: { numbers: numbers(3) } });
  t.is(result.status, 'completed');
  t.is(result.spouts.numbers.replays.failed, 3);
  t.deepEqual(seen.values, [{ sum: 3 }]);
});

test('a direct stream goes to the task that was named, and its values are in emitted', async (t) => {
  const sorter = defineBolt({
    input: { n: is.number },
    output: direct({ n: is.number }),
    prepare: ({ tasksOf }) => ({
      execute({ values: { n } }, out) {
        out.emitDirect(tasksOf('seen')[n % 2], { n });
      },
    }),
  });
  const places: (readonly [number, number])[] = [];
  const seen = defineBolt({
    input: { n: is.number },
    prepare: ({ index }) => ({
      execute({ values: { n } }) {
        places.push([n, index]);
      },
    }),
  });
  const built = topology('direct')
    .spout('numbers', source())
    .bolt('sorter', sorter, (from) => from.shuffle('numbers'))
    .bolt('seen', seen, (from) => from.direct('sorter'), { tasks: 2 });
  const result = await runLocal(built, { spouts: { numbers: numbers(4) } });
  t.deepEqual(
    places.toSorted(([a], [b]) => a - b),
    [
      [0, 0],
      [1, 1],
      [2, 0],
      [3, 1],
    ],
  );
  t.deepEqual(result.emitted.sorter, numbers(4));
});

test('pause holds the spouts back until resume', async (t) => {
  const lines = source();
  const seen = captureBolt<{ n: number }>();
  const local = await startLocal(
    topology('paused')
      .spout('numbers', lines)
      .bolt('seen', seen, (from) => from.shuffle('numbers')),
  );
  lines.feed({ n: 1 });
  await local.settle();
  await local.pause();
  t.is(local.now, 0);
  lines.feed({ n: 2 });
  await local.advance(10_000);
  t.deepEqual(seen.values, [{ n: 1 }]);
  await local.resume();
  await local.settle();
  t.is(local.now, 10_000);
  t.deepEqual(seen.values, [{ n: 1 }, { n: 2 }]);
  t.is(local.result().status, 'running');
  await local.stop();
});

test('executes overlap as far as the bolt allows', async (t) => {
  let open = 0;
  let most = 0;
  const slow = defineBolt({
    concurrency: 4,
    async execute() {
      open += 1;
      most = Math.max(most, open);
      await new Promise<void>((resolve) => setImmediate(resolve));
      open -= 1;
    },
  });
  const built = topology('overlap')
    .spout('numbers', source())
    .bolt('slow', slow, (from) => from.shuffle('numbers'));
  const result = await runLocal(built, { spouts: { numbers: numbers(20) } });
  t.is(result.acked, 20);
  t.is(most, 4);
});

test('what a component counts itself is in the result', async (t) => {
  const counting = defineBolt({
    prepare({ metrics }) {
      const odd = metrics.counter('odd');
      return {
        execute({ values: { n } }) {
          if (Number(n) % 2 === 1) odd.add();
        },
      };
    },
  });
  const built = topology('metrics')
    .spout('numbers', source())
    .bolt('counting', counting, (from) => from.shuffle('numbers'), { tasks: 2 });
  const { bolts } = await runLocal(built, { spouts: { numbers: numbers(10) } });
  t.is(bolts.counting.metrics?.counters.odd, 5);
});

test('under debug, a value that its schema refuses fails where it is emitted', async (t) => {
  const positive = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => (Number(value) > 0 ? { value } : { issues: [{ message: 'not positive' }] }),
    },
  };
  const minus = defineBolt({
    input: { n: is.number },
    output: { n: positive },
    execute({ values: { n } }, out) {
      out.emit({ n: -n });
    },
  });
  const built = topology('debug')
    .spout('numbers', feeder({ n: is.number }, { retry: { attempts: 1 } }))
    .bolt('minus', minus, (from) => from.shuffle('numbers'))
    .bolt('seen', captureBolt(), (from) => from.shuffle('minus'));
  const result = await runLocal(built, { spouts: { numbers: [{ n: 1 }] }, debug: true });
  t.is(result.status, 'dead-letters');
  t.regex(result.deadLetters[0].attempts[0].failure.error?.message ?? '', /not positive/);
  t.deepEqual(result.emitted.minus, []);
});

test('under debug, a tuple that a bolt forgets fails, and a warning names the bolt', async (t) => {
  const forgetful = defineBolt({
    input: { n: is.number },
    ack: 'manual',
    execute(tuple, out) {
      if (tuple.values.n !== 1) out.ack(tuple);
    },
  });
  const built = topology('forgetful')
    .spout('numbers', feeder({ n: is.number }, { retry: { attempts: 2 } }))
    .bolt('forgetful', forgetful, (from) => from.shuffle('numbers'));
  const result = await runLocal(built, { spouts: { numbers: numbers(3) }, debug: true });
  t.is(result.status, 'dead-letters');
  t.deepEqual(result.deadLetters[0].values, { n: 1 });
  t.regex(result.warnings.join(), /forgetful\[2\]: a tuple from "numbers" was dropped without ack or fail/);
});
