/** The examples of the page do what it says of them. */
import test from 'ava';
import { feeder, runLocal, startLocal } from '../../core/testing/index.js';
import { t as is } from '../../core/topology/fields.js';
import { planOf } from '../../core/topology/plan.js';
import { Examples } from './storm-page.js';

const examples = new Examples();
test.after.always(() => examples.remove());

const lines = (...texts: string[]) => ({ lines: texts.map((line) => ({ line })) });

test('the word count of the page counts words', async (t) => {
  const built = await examples.topology('storm-word-count.ts');
  const { emitted, status } = await runLocal(built, { spouts: lines('to be or', 'not to be') });
  t.is(status, 'completed');
  const last = new Map(emitted.count.map(({ word, count }) => [word, count]));
  t.deepEqual([...last].sort(), [
    ['be', 2],
    ['not', 1],
    ['or', 1],
    ['to', 2],
  ]);
});

test('the join of the page joins in either order, and both parts are acked', async (t) => {
  const built = await examples.topology('storm-join.ts');
  const { emitted, status, acked } = await runLocal(built, {
    spouts: {
      orders: [
        { id: 'a', cents: 300 },
        { id: 'b', cents: 500 },
      ],
      payments: [
        { id: 'b', cents: 500 },
        { id: 'a', cents: 100 },
      ],
    },
  });
  t.is(status, 'completed');
  t.is(acked, 4);
  t.deepEqual(
    emitted.join.toSorted((x, y) => (x.id < y.id ? -1 : 1)),
    [
      { id: 'a', due: 200 },
      { id: 'b', due: 0 },
    ],
  );
});

test('the join of the page gives up after a minute, each time, until the part is a dead letter that says why', async (t) => {
  const built = await examples.topology('storm-join.ts');
  const orders = feeder({ id: is.string, cents: is.number });
  const local = await startLocal(built, { spouts: { orders, payments: [] } });
  orders.feed({ id: 'a', cents: 1 }, 'a');
  await local.advance(50_000);
  t.is(local.result().spouts.orders.replays.failed, 0, 'held for longer than the message time-out, and not replayed');
  await local.advance(15_000);
  t.is(local.result().spouts.orders.replays.failed, 1);
  await local.advance(11 * 75_000);
  t.regex(orders.failed[0].failure.error?.message ?? '', /no partner for a minute/);
  t.is(local.result().deadLetters[0].attempts.length, 10);
  await local.stop();
});

test('the ticks of the page tell counts every ten seconds, and begin again at zero', async (t) => {
  const built = await examples.topology('storm-ticks.ts');
  const tags = feeder({ line: is.string });
  const local = await startLocal(built, { spouts: { tags } });
  for (const line of ['x', 'x', 'y']) tags.feed({ line });
  await local.advance(10_000);
  tags.feed({ line: 'x' });
  await local.advance(10_000);
  const { emitted } = await local.stop();
  t.deepEqual(emitted.trend.map(({ tag, count }) => `${tag} ${count}`).sort(), ['x 1', 'x 2', 'y 1']);
});

test('the direct stream of the page goes to the task that the router names', async (t) => {
  const built = await examples.topology('storm-direct.ts');
  const { emitted } = await runLocal(built, { spouts: lines('', 'a', 'bb', 'ccc', 'dddd') });
  t.deepEqual(emitted.store.map(({ line, index }) => `${line} ${index}`).sort(), [
    ' 0',
    'a 1',
    'bb 2',
    'ccc 3',
    'dddd 0',
  ]);
});

test('the custom grouping of the page goes by the first letter', async (t) => {
  const built = await examples.topology('storm-custom.ts');
  const { emitted } = await runLocal(built, { spouts: lines('apple', 'avocado', 'banana', 'elder') });
  t.deepEqual(emitted.store.map(({ line, index }) => `${line} ${index}`).sort(), [
    'apple 1',
    'avocado 1',
    'banana 2',
    'elder 1',
  ]);
});

test('the settings of the page hold for the component that has them', async (t) => {
  const { components } = planOf(await examples.topology('storm-settings.ts'));
  const [spout, trend] = components.map(({ config }) => config);
  t.is(spout.maxSpoutPending, 100);
  t.is(trend.maxSpoutPending, 1000);
  t.is(trend.messageTimeoutMs, 60_000);
  t.is(trend.tickEveryMs, 5000);
});
