import test from 'ava';
import { captureBolt, feeder, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { t as is } from '../../core/topology/fields.js';

const picky = defineBolt({
  input: { n: is.number },
  output: { n: is.number },
  execute({ values: { n } }, out) {
    if (n < 0) throw new Error('negative');
    out.emit({ n });
  },
});

function setUp(tasks = 1) {
  const numbers = feeder({ n: is.number }, { retry: { attempts: 2 } });
  const seen = captureBolt<{ n: number }>();
  const built = topology('fed')
    .spout('numbers', numbers, { tasks })
    .bolt('picky', picky, (from) => from.shuffle('numbers'))
    .bolt('seen', seen, (from) => from.shuffle('picky'));
  return { numbers, seen, built };
}

test('what is fed is pending until it is acked or out of attempts', async (t) => {
  const { numbers, seen, built } = setUp();
  const local = await startLocal(built);
  t.is(numbers.feed({ n: 1 }), 0);
  t.is(numbers.feed({ n: -1 }, 'bad'), 'bad');
  t.deepEqual(numbers.pending, [0, 'bad']);
  await local.settle();
  t.deepEqual([...numbers.acked], [0]);
  await local.advance(10_000);
  t.deepEqual(numbers.pending, []);
  t.deepEqual(
    numbers.failed.map(({ id, failure }) => [id, failure.reason, failure.attempts, failure.error?.message]),
    [['bad', 'failed', 2, 'negative']],
  );
  t.deepEqual(seen.values, [{ n: 1 }]);
  numbers.end();
  await local.finish();
  t.is((await local.stop()).status, 'dead-letters');
});

test('what was fed before the start is emitted, and end ends the run', async (t) => {
  const { numbers, seen, built } = setUp(3);
  for (let n = 0; n < 7; n++) numbers.feed({ n });
  numbers.end();
  const local = await startLocal(built);
  await local.finish();
  t.is((await local.stop()).status, 'completed');
  t.deepEqual(new Set(seen.values.map(({ n }) => n)), new Set([0, 1, 2, 3, 4, 5, 6]));
});

test('a task that waits gets what is fed, whichever it is', async (t) => {
  const { numbers, seen, built } = setUp(3);
  const local = await startLocal(built, { workers: 'task' });
  for (let n = 0; n < 7; n++) {
    numbers.feed({ n });
    await local.settle();
    t.is(seen.tuples.length, n + 1);
  }
  await local.stop();
});

test('an id that is pending, and a tuple after the end, are refused', (t) => {
  const { numbers } = setUp();
  numbers.feed({ n: 1 }, 5);
  t.throws(() => numbers.feed({ n: 2 }, 5), { code: 'ERR_SQUALL_FEEDER' });
  numbers.end();
  t.throws(() => numbers.feed({ n: 2 }), { code: 'ERR_SQUALL_FEEDER' });
});

test('a capture bolt tells where its tuples came from, and forgets them when asked', async (t) => {
  const { numbers, seen, built } = setUp();
  numbers.feed({ n: 1 });
  const local = await startLocal(built);
  await local.settle();
  const [{ id, ...tuple }] = seen.tuples;
  t.regex(id, /^[0-9a-f]{32}$/);
  t.deepEqual(tuple, {
    values: { n: 1 },
    input: 'default',
    source: 'picky',
    stream: 'default',
    task: 2,
    attempt: 1,
  });
  seen.clear();
  t.deepEqual(seen.tuples, []);
  await local.stop();
});
