import test from 'ava';
import { captureBolt, feeder, runLocal, startLocal } from '../../core/testing/index.js';
import { waitsForNothingReal } from '../../core/testing/local-handle.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { t as is } from '../../core/topology/fields.js';
import { Gates, NUMBER, numbers, sleeper, sorted, source, virtual } from './local-tests.js';

const COUNT = 40;

for (const ack of ['auto', 'manual'] as const) {
  for (const concurrency of [1, 2, 7]) {
    for (const workers of [1, 'task'] as const) {
      test(`with concurrency ${concurrency}, so many executes overlap and no more: ack '${ack}', workers ${workers}`, async (t) => {
        let open = 0;
        let most = 0;
        const order: number[] = [];
        const overlaps = defineBolt({
          input: NUMBER,
          output: NUMBER,
          ack,
          concurrency,
          prepare(context) {
            const sleep = sleeper(context);
            return {
              // biome-ignore lint/suspicious/noExplicitAny: both kinds of `out`
              execute: (tuple, out: any) =>
                virtual(async () => {
                  const { n } = tuple.values;
                  open += 1;
                  most = Math.max(most, open);
                  await sleep(1 + ((n * 7) % 5));
                  open -= 1;
                  order.push(n);
                  out.emit({ n });
                  if (ack === 'manual') out.ack(tuple);
                }),
            };
          },
        });
        const seen = captureBolt<{ n: number }>();
        const built = topology('overlaps')
          .spout('numbers', source())
          .bolt('overlaps', overlaps, (from) => from.shuffle('numbers'))
          .bolt('seen', seen, (from) => from.shuffle('overlaps'));
        const result = await runLocal(built, { spouts: { numbers: numbers(COUNT) }, workers });
        t.is(result.acked, COUNT);
        t.is(most, concurrency);
        const inOrder = numbers(COUNT).map(({ n }) => n);
        if (concurrency === 1) t.deepEqual(order, inOrder);
        else t.notDeepEqual(order, inOrder);
        t.deepEqual(sorted(seen.values.map(({ n }) => n)), inOrder);
      });
    }
  }
}

test('what overlapping executes emit hangs on their own tuples, however they interleave', async (t) => {
  const attempts = new Map<number, number>();
  const interleaves = defineBolt({
    input: NUMBER,
    output: { n: is.number, part: is.number },
    concurrency: 5,
    prepare(context) {
      const sleep = sleeper(context);
      return {
        execute: ({ values: { n }, attempt }, out) =>
          virtual(async () => {
            attempts.set(n, attempt);
            for (let part = 0; part < 4; part++) {
              await sleep(1 + ((n + part) % 3));
              out.emit({ n, part });
            }
          }),
      };
    },
  });
  const judge = defineBolt({
    input: { n: is.number, part: is.number },
    execute({ values: { n, part }, attempt }) {
      if (n % 5 === 0 && part === 2 && attempt === 1) throw new Error('this one only');
    },
  });
  const built = topology('interleaves')
    .spout('numbers', source())
    .bolt('interleaves', interleaves, (from) => from.shuffle('numbers'))
    .bolt('judge', judge, (from) => from.shuffle('interleaves'));
  const result = await runLocal(built, { spouts: { numbers: numbers(COUNT) } });
  t.is(result.status, 'completed');
  t.is(result.spouts.numbers.replays.failed, COUNT / 5);
  for (const { n } of numbers(COUNT)) t.is(attempts.get(n), n % 5 === 0 ? 2 : 1, String(n));
});

test('an execute that rejects fails its own tuple only, while others are open', async (t) => {
  const gates = new Gates();
  const lines = feeder(NUMBER, { retry: { attempts: 1 } });
  const gated = defineBolt({ input: NUMBER, concurrency: 3, execute: ({ values: { n } }) => gates.wait(n) });
  const local = await startLocal(
    topology('rejects')
      .spout('numbers', lines)
      .bolt('gated', gated, (from) => from.shuffle('numbers')),
  );
  for (const values of numbers(5)) lines.feed(values);
  await local.settle();
  t.deepEqual(gates.open, [0, 1, 2]);
  gates.break(1, new Error('only this one'));
  await local.settle();
  t.deepEqual(gates.open, [0, 2, 3]);
  await local.advance(10);
  t.deepEqual(
    lines.failed.map(({ id, failure }) => [id, failure.error?.message]),
    [[1, 'only this one']],
  );
  for (const n of [0, 2, 3]) gates.release(n);
  await local.settle();
  gates.release(4);
  lines.end();
  await local.finish();
  t.deepEqual(sorted(lines.acked as number[]), [0, 2, 3, 4]);
  await local.stop();
});

test('a frame is confirmed when all of its executes are over, and those after it wait; acks do not', async (t) => {
  const gates = new Gates();
  const lines = source();
  const gated = defineBolt({ input: NUMBER, concurrency: 10, execute: ({ values: { n } }) => gates.wait(n) });
  const local = await startLocal(
    topology('frames')
      .spout('numbers', lines)
      .bolt('gated', gated, (from) => from.shuffle('numbers')),
    { workers: 'task' },
  );
  const inFlight = (): number => local.result().balance.inFlight;
  for (const frame of [0, 1]) {
    for (let n = 0; n < 4; n++) lines.feed({ n: frame * 4 + n });
    await local.settle();
  }
  t.deepEqual(gates.open, [0, 1, 2, 3, 4, 5, 6, 7]);
  t.is(inFlight(), 8);
  for (const n of [1, 2, 3, 4, 5, 6, 7]) gates.release(n);
  await local.advance(10);
  t.deepEqual(sorted(lines.acked as number[]), [1, 2, 3, 4, 5, 6, 7]);
  t.is(inFlight(), 8, 'the first execute of the first frame is open');
  gates.release(0);
  await local.advance(10);
  t.is(inFlight(), 0);
  t.deepEqual([...lines.pending], []);
  await local.stop();
});

for (const concurrency of [1, 3]) {
  test(`an execute that hangs fails after executeTimeoutMs, and what comes after it goes on, with concurrency ${concurrency}`, async (t) => {
    const hung: number[] = [];
    const hangs = defineBolt({
      input: NUMBER,
      output: NUMBER,
      concurrency,
      executeTimeoutMs: 500,
      execute: ({ values: { n }, attempt }, out) => {
        if (n % 10 !== 3 || attempt > 1) {
          out.emit({ n });
          return Promise.resolve();
        }
        hung.push(n);
        return waitsForNothingReal(new Promise<void>(() => {}));
      },
    });
    const seen = captureBolt<{ n: number }>();
    const built = topology('hangs')
      .spout('numbers', feeder(NUMBER, { retry: { attempts: 2 } }))
      .bolt('hangs', hangs, (from) => from.shuffle('numbers'))
      .bolt('seen', seen, (from) => from.shuffle('hangs'));
    const result = await runLocal(built, { spouts: { numbers: numbers(COUNT) } });
    t.is(result.status, 'completed');
    t.deepEqual(sorted(hung), [3, 13, 23, 33]);
    t.is(result.spouts.numbers.replays.failed, 4);
    t.is(result.spouts.numbers.replays.timeout, 0);
    t.true(result.elapsedMs >= (concurrency === 1 ? 2000 : 500) && result.elapsedMs < 3000, `${result.elapsedMs} ms`);
    t.deepEqual(
      sorted(seen.values.map(({ n }) => n)),
      numbers(COUNT).map(({ n }) => n),
    );
  });
}

test('what an execute that was given up does later has no effect on its tuple', async (t) => {
  const gates = new Gates();
  const lines = feeder(NUMBER, { retry: { attempts: 1 } });
  const slow = defineBolt({
    input: NUMBER,
    executeTimeoutMs: 100,
    concurrency: 2,
    execute: ({ values: { n } }) => gates.wait(n),
  });
  const local = await startLocal(
    topology('late')
      .spout('numbers', lines)
      .bolt('slow', slow, (from) => from.shuffle('numbers')),
  );
  lines.feed({ n: 0 });
  lines.feed({ n: 1 });
  await local.advance(150);
  t.deepEqual(
    lines.failed.map(({ id, failure }) => [id, failure.reason]),
    [
      [0, 'failed'],
      [1, 'failed'],
    ],
  );
  t.regex(
    lines.failed[0].failure.error?.message ?? '',
    /^slow\[2\]: execute did not settle within executeTimeoutMs = 100/,
  );
  gates.release(0);
  gates.break(1, new Error('late'));
  await local.advance(150);
  t.deepEqual([...lines.acked], []);
  t.is(lines.failed.length, 2);
  const { bolts, balance } = await local.stop();
  t.like(bolts.slow, { executed: 2, acked: 0, failed: 2 });
  t.is(balance.inFlight, 0);
});

test('ticks come between overlapping executes, while there is room for one more', async (t) => {
  const gates = new Gates();
  const lines = source();
  let ticks = 0;
  const ticking = defineBolt({
    input: NUMBER,
    concurrency: 2,
    tickEveryMs: 100,
    execute: ({ values: { n } }) => gates.wait(n),
    tick() {
      ticks += 1;
    },
  });
  const local = await startLocal(
    topology('ticks')
      .spout('numbers', lines)
      .bolt('ticking', ticking, (from) => from.shuffle('numbers')),
  );
  lines.feed({ n: 0 });
  await local.advance(250);
  t.deepEqual(gates.open, [0]);
  t.is(ticks, 2);
  lines.feed({ n: 1 });
  await local.advance(100);
  t.deepEqual(gates.open, [0, 1]);
  t.is(ticks, 2, 'no tick beside as many executes as may overlap');
  gates.release(0);
  await local.settle();
  t.is(ticks, 3, 'the one that was due');
  gates.release(1);
  await local.settle();
  t.deepEqual([...lines.acked], [0, 1]);
  await local.stop();
});

test('nothing is executed while an async tick is open, and its emits are complete trees', async (t) => {
  const gates = new Gates();
  const lines = source();
  const events: string[] = [];
  const ticking = defineBolt({
    input: NUMBER,
    output: NUMBER,
    concurrency: 4,
    tickEveryMs: 100,
    execute({ values: { n } }) {
      events.push(`execute ${n}`);
    },
    tick: (out) =>
      virtual(async () => {
        events.push('tick');
        await gates.wait(0);
        out.emit({ n: 7 });
        events.push('ticked');
      }),
  });
  const local = await startLocal(
    topology('ticks')
      .spout('numbers', lines)
      .bolt('ticking', ticking, (from) => from.shuffle('numbers'))
      .bolt('seen', captureBolt(), (from) => from.shuffle('ticking')),
  );
  await local.advance(100);
  lines.feed({ n: 1 });
  await local.advance(10);
  t.deepEqual(events, ['tick']);
  gates.release(0);
  await local.settle();
  t.deepEqual(events, ['tick', 'ticked', 'execute 1']);
  t.is(local.result().bolts.ticking.trees?.acked, 1);
  await local.stop();
});

for (const ack of ['auto', 'manual'] as const) {
  test(`end waits for all executes, those that come again included: ack '${ack}'`, async (t) => {
    let open = 0;
    const done = new Set<number>();
    const ends: { readonly open: number; readonly done: number }[] = [];
    const counting = defineBolt({
      input: NUMBER,
      output: { total: is.number },
      ack,
      concurrency: 6,
      prepare(context) {
        const sleep = sleeper(context);
        return {
          // biome-ignore lint/suspicious/noExplicitAny: both kinds of `out`
          execute: (tuple, out: any) =>
            virtual(async () => {
              const { n } = tuple.values;
              open += 1;
              await sleep(5 + (n % 4) * 20);
              open -= 1;
              if (n % 9 === 0 && tuple.attempt === 1) throw new Error('once more');
              done.add(n);
              if (ack === 'manual') out.ack(tuple);
            }),
          // biome-ignore lint/suspicious/noExplicitAny: both kinds of `out`
          end(out: any) {
            ends.push({ open, done: done.size });
            out.emit({ total: done.size });
          },
        };
      },
    });
    const seen = captureBolt<{ total: number }>();
    const built = topology('ends')
      .spout('numbers', source())
      .bolt('counting', counting, (from) => from.shuffle('numbers'))
      .bolt('seen', seen, (from) => from.shuffle('counting'));
    const result = await runLocal(built, { spouts: { numbers: numbers(COUNT) } });
    t.is(result.status, 'completed');
    t.deepEqual(ends, [{ open: 0, done: COUNT }]);
    t.deepEqual(seen.values, [{ total: COUNT }]);
  });
}
