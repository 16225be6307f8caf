import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { captureBolt, runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { Tuple } from '../../core/topology/definition.js';
import { NUMBER, numbers, sleeper, sorted, source, virtual } from './local-tests.js';

const TIMEOUT_MS = 1000;

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

for (const workers of [1, 'task'] as const) {
  test(`what a bolt holds does not time out, however long: also what is made of several tuples, with workers ${workers}`, async (t) => {
    const held: Tuple<object>[] = [];
    const pairs = defineBolt({
      input: NUMBER,
      output: { a: NUMBER.n, b: NUMBER.n },
      ack: 'manual',
      prepare() {
        let first: Tuple<{ n: number }> | undefined;
        return {
          execute(tuple, out) {
            if (first === undefined) {
              first = tuple;
              return;
            }
            out.emit({ a: first.values.n, b: tuple.values.n }, { anchors: [first, tuple] });
            out.ack(first);
            out.ack(tuple);
            first = undefined;
          },
        };
      },
    });
    let settle = false;
    const holds = defineBolt({
      input: { a: NUMBER.n, b: NUMBER.n },
      ack: 'manual',
      tickEveryMs: 100,
      execute(tuple) {
        held.push(tuple);
      },
      tick(out) {
        if (settle) for (const tuple of held.splice(0)) out.ack(tuple);
      },
    });
    const lines = source();
    const built = topology('held')
      .spout('numbers', lines)
      .bolt('pairs', pairs, (from) => from.global('numbers'))
      .bolt('holds', holds, (from) => from.shuffle('pairs'))
      .config({ messageTimeoutMs: TIMEOUT_MS });
    const local = await startLocal(built, { workers, ackers: 2 });
    for (const values of numbers(11)) lines.feed(values);
    await local.advance(20 * TIMEOUT_MS);
    t.is(held.length, 5);
    t.is(lines.pending.length, 11, 'the last one has no partner yet');
    t.is(local.result().spouts.numbers.replays.timeout, 0);
    settle = true;
    await local.advance(200);
    t.deepEqual([...lines.pending], [10]);
    const { spouts, bolts } = await local.stop();
    t.like(spouts.numbers, { emitted: 11, acked: 10 });
    t.deepEqual(Object.values(spouts.numbers.replays), [0, 0, 0, 0, 0]);
    t.is(bolts.holds.executed, 5);
  });

  for (const ack of ['auto', 'manual'] as const) {
    test(`executes that take longer than the message time-out cause none: ack '${ack}', workers ${workers}`, async (t) => {
      const slow = defineBolt({
        input: NUMBER,
        output: NUMBER,
        ack,
        concurrency: 2,
        prepare(context) {
          const sleep = sleeper(context);
          return {
            // biome-ignore lint/suspicious/noExplicitAny: both kinds of `out`
            execute: (tuple, out: any) =>
              virtual(async () => {
                await sleep(3 * TIMEOUT_MS);
                out.emit(tuple.values);
                if (ack === 'manual') out.ack(tuple);
              }),
          };
        },
      });
      const seen = captureBolt<{ n: number }>();
      const built = topology('slow')
        .spout('numbers', source())
        .bolt('slow', slow, (from) => from.shuffle('numbers'))
        .bolt('seen', seen, (from) => from.shuffle('slow'))
        .config({ messageTimeoutMs: TIMEOUT_MS });
      const result = await runLocal(built, { spouts: { numbers: numbers(30) }, workers });
      t.is(result.status, 'completed');
      t.true(result.elapsedMs >= 15 * 3 * TIMEOUT_MS, `${result.elapsedMs} ms`);
      t.deepEqual(Object.values(result.spouts.numbers.replays), [0, 0, 0, 0, 0]);
      t.deepEqual(
        sorted(seen.values.map(({ n }) => n)),
        numbers(30).map(({ n }) => n),
      );
    });
  }
}

test('what waits in an outbox, for a task whose queue is full, does not time out', async (t) => {
  const pass = defineBolt({
    input: NUMBER,
    output: NUMBER,
    execute({ values }, out) {
      out.emit(values);
    },
  });
  const slow = defineBolt({
    input: NUMBER,
    prepare(context) {
      const sleep = sleeper(context);
      return { execute: () => sleep(50) };
    },
  });
  const built = topology('queues')
    .spout('numbers', source())
    .bolt('pass', pass, (from) => from.shuffle('numbers'))
    .bolt('slow', slow, (from) => from.shuffle('pass'))
    .config({ messageTimeoutMs: TIMEOUT_MS });
  const result = await runLocal(built, { spouts: { numbers: numbers(400) }, workers: 'task' });
  t.is(result.status, 'completed');
  t.is(result.spouts.numbers.replays.timeout, 0);
  t.true(result.elapsedMs >= 20 * TIMEOUT_MS);
});

/** Forgets each tuple at its first attempt. */
function forgetful() {
  return defineBolt({
    input: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      if (tuple.attempt > 1) out.ack(tuple);
    },
  });
}

for (const debug of [true, false]) {
  test(`a tuple that a bolt has forgotten fails long before the time-out, ${debug ? 'under debug by itself' : 'once its memory is freed'}`, async (t) => {
    const collect = collector();
    const lines = source();
    const built = topology('forgets')
      .spout('numbers', lines)
      .bolt('forgetful', forgetful(), (from) => from.shuffle('numbers'))
      .config({ messageTimeoutMs: 10 * TIMEOUT_MS });
    const local = await startLocal(built, { debug, timeoutMs: 20_000 });
    for (const values of numbers(5)) lines.feed(values);
    await local.settle();
    // WeakRefs hold on to what they were asked for until the turn of the event loop is over
    for (let round = 0; round < 20 && lines.acked.length < 5; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!debug) collect();
      await local.advance(250);
    }
    t.deepEqual(sorted(lines.acked as number[]), [0, 1, 2, 3, 4]);
    t.true(local.now < 5 * TIMEOUT_MS, `${local.now} ms`);
    const { spouts, dropped, bolts, warnings } = await local.stop();
    t.deepEqual(spouts.numbers.replays, { failed: 5, timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 });
    t.deepEqual(dropped, { 'dropped-unsettled': 5 });
    t.is(bolts.forgetful.failed, 5);
    const warning = warnings.find((text) => text.includes('dropped without')) ?? '';
    t.regex(
      warning,
      /^forgetful\[2\]: a tuple from "numbers" was dropped without ack or fail.*it fails and is replayed/,
    );
    t.is(/tuple [0-9a-f]{32}/.test(warning), debug, warning);
  });
}

test('a tuple that the author still has is not taken for forgotten, whatever is collected', async (t) => {
  const kept: Tuple<object>[] = [];
  const collect = collector();
  const lines = source();
  const keeps = defineBolt({
    input: NUMBER,
    ack: 'manual',
    execute(tuple) {
      kept.push(tuple);
    },
  });
  const built = topology('keeps')
    .spout('numbers', lines)
    .bolt('keeps', keeps, (from) => from.shuffle('numbers'))
    .config({ messageTimeoutMs: TIMEOUT_MS });
  const local = await startLocal(built, { debug: true });
  for (const values of numbers(5)) lines.feed(values);
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    await local.advance(TIMEOUT_MS);
  }
  const { dropped, spouts } = await local.stop();
  t.is(kept.length, 5);
  t.deepEqual(dropped, {});
  t.like(spouts.numbers, { emitted: 5, pending: 5 });
});
