import test from 'ava';
import { bomb, captureBolt, feeder, runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { Failure, MessageId, Tuple } from '../../core/topology/definition.js';
import { defineSpout } from '../../core/topology/spout.js';
import { NUMBER, numbers, refusalOf, sorted } from './local-tests.js';

const COUNT = 20;

/** A source that sends again what came back, and notes what it is told. */
function returning(count: number, told: { id: MessageId; failure: Failure }[], acked: MessageId[] = []) {
  return defineSpout({
    output: NUMBER,
    replay: 'source',
    open() {
      const waiting = numbers(count).map(({ n }) => n);
      let pending = 0;
      return {
        next(out) {
          const n = waiting.shift();
          if (n === undefined) return pending === 0 ? 'done' : 'idle';
          pending += 1;
          out.emit({ n }, { id: n });
          return;
        },
        ack(id) {
          pending -= 1;
          acked.push(id);
        },
        fail(id, failure) {
          pending -= 1;
          told.push({ id, failure });
          waiting.push(Number(id));
        },
      };
    },
  });
}

for (const workers of [1, 'task'] as const) {
  test(`with replay: 'source' what fails is told to the source at once, and is its own to send again, with workers ${workers}`, async (t) => {
    const told: { id: MessageId; failure: Failure }[] = [];
    const acked: MessageId[] = [];
    const tries = new Map<number, number>();
    const attempts = new Set<number>();
    const shaky = defineBolt({
      input: NUMBER,
      output: NUMBER,
      execute({ values: { n }, attempt, replayReason }, out) {
        attempts.add(attempt);
        t.is(replayReason, undefined);
        const tried = (tries.get(n) ?? 0) + 1;
        tries.set(n, tried);
        if (tried <= n % 4) throw new Error(`not at ${tried}`);
        out.emit({ n });
      },
    });
    const seen = captureBolt<{ n: number }>();
    const built = topology('returns')
      .spout('numbers', returning(COUNT, told, acked))
      .bolt('shaky', shaky, (from) => from.shuffle('numbers'))
      .bolt('seen', seen, (from) => from.shuffle('shaky'));
    const result = await runLocal(built, { workers });
    const returned = numbers(COUNT).reduce((sum, { n }) => sum + (n % 4), 0);
    t.is(result.status, 'completed');
    t.like(result.spouts.numbers, { emitted: COUNT + returned, acked: COUNT, returned, deadLettered: 0, pending: 0 });
    const { failed, ...others } = result.spouts.numbers.replays;
    t.is(failed, returned, 'each has its reason');
    t.deepEqual(others, { timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 });
    t.deepEqual([...attempts], [1], 'each is a first attempt: what came before, the source knows');
    t.is(told.length, returned);
    for (const { failure } of told) {
      t.like(failure, { reason: 'failed', attempts: 1, component: 'shaky', task: 2 });
      t.regex(failure.error?.message ?? '', /^not at \d$/);
    }
    t.deepEqual(
      sorted(acked as number[]),
      numbers(COUNT).map(({ n }) => n),
    );
    t.deepEqual(
      sorted(seen.values.map(({ n }) => n)),
      numbers(COUNT).map(({ n }) => n),
    );
    t.is(result.balance.inFlight, 0);
  });
}

test("with replay: 'source' a tuple whose worker died comes back as worker-lost", async (t) => {
  const told: { id: MessageId; failure: Failure }[] = [];
  const pass = defineBolt({
    input: NUMBER,
    output: NUMBER,
    prepare: ({ epoch }) => ({
      execute({ values: { n } }, out) {
        out.emit({ n: n * 10 + epoch });
      },
    }),
  });
  let exited = false;
  const dies = bomb(pass, {
    exits: ({ values }) => {
      if (exited || values.n !== 7) return false;
      exited = true;
      return true;
    },
  });
  const seen = captureBolt<{ n: number }>();
  const built = topology('returns')
    .spout('numbers', returning(COUNT, told))
    .bolt('dies', dies, (from) => from.shuffle('numbers'))
    .bolt('seen', seen, (from) => from.shuffle('dies'));
  const result = await runLocal(built, { workers: 'task' });
  t.true(exited);
  t.is(result.restarts, 1);
  t.true(told.length > 0);
  for (const { failure } of told) t.is(failure.reason, 'worker-lost');
  t.is(result.spouts.numbers.returned, told.length);
  t.is(result.acked, COUNT);
  const arrived = new Set(seen.values.map(({ n }) => Math.floor(n / 10)));
  t.deepEqual(
    sorted(arrived),
    numbers(COUNT).map(({ n }) => n),
  );
});

test("with replay: 'source' an emit with a position is refused, and says why", async (t) => {
  const errors: Error[] = [];
  const spout = defineSpout({
    output: NUMBER,
    replay: 'source',
    open() {
      let n = 0;
      return {
        next(out) {
          if (n === 3) return 'done';
          errors.push(refusalOf(() => out.emit({ n }, { id: n, position: n })));
          out.emit({ n }, { id: n++ });
          return;
        },
      };
    },
  });
  const built = topology('positions')
    .spout('numbers', spout)
    .bolt('seen', captureBolt(), (from) => from.shuffle('numbers'));
  const { acked } = await runLocal(built);
  t.is(acked, 3);
  t.is(errors.length, 3);
  for (const { message } of errors)
    t.regex(message, /^numbers\[1\]: emit with a position .*replay: 'source'.*leave position out/);
});

test('a tree of which one part died with its process, while another part was held by a slow task, is replayed as worker-lost soon after, not timed out', async (t) => {
  const TIMEOUT_MS = 600_000;
  const SLOW_MS = 10_000;
  const slow = bomb({ slowsDownMs: SLOW_MS, slows: ({ attempt }) => attempt === 1 });
  const held: Tuple[] = [];
  const holds = defineBolt({
    input: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      // the first is kept for good, and dies with the process
      if (tuple.values.n === 0 && tuple.attempt === 1) held.push(tuple);
      else out.ack(tuple);
    },
  });
  const dies = ({ values: { n }, attempt }: Tuple) => n === 1 && attempt === 1;
  const lines = feeder(NUMBER);
  const built = topology('parts')
    .spout('numbers', lines)
    .bolt('slow', slow, (from) => from.shuffle('numbers'))
    .bolt('holds', bomb(holds, { exits: dies }), (from) => from.shuffle('numbers'))
    .config({ messageTimeoutMs: TIMEOUT_MS });
  const run = await startLocal(built, { workers: 'task' });
  lines.feed({ n: 0 });
  await run.advance(100);
  t.is(held.length, 1);
  lines.feed({ n: 1 });
  lines.end();
  await run.finish();
  const { status, spouts, elapsedMs } = run.result();
  t.is(status, 'completed');
  t.is(spouts.numbers.replays.timeout, 0);
  t.is(spouts.numbers.replays['worker-lost'], 2);
  t.true(elapsedMs < SLOW_MS * 4, `${elapsedMs} ms on the clock of the run`);
});

test('with attempts: Infinity a tuple is tried until it succeeds: each attempt has its number and its reason', async (t) => {
  const LAST = 60;
  const seen: [number, string | undefined][] = [];
  const lines = feeder(NUMBER, { retry: { attempts: Number.POSITIVE_INFINITY, backoff: { firstMs: 1, maxMs: 100 } } });
  const stubborn = defineBolt({
    input: NUMBER,
    execute({ attempt, replayReason }) {
      seen.push([attempt, replayReason]);
      if (attempt < LAST) throw new Error('not yet');
    },
  });
  lines.feed({ n: 1 });
  lines.end();
  const built = topology('forever')
    .spout('numbers', lines)
    .bolt('stubborn', stubborn, (from) => from.shuffle('numbers'));
  const { status, deadLetters, elapsedMs } = await runLocal(built);
  t.is(status, 'completed');
  t.deepEqual(deadLetters, []);
  t.deepEqual(
    seen,
    Array.from({ length: LAST }, (_, at) => [at + 1, at === 0 ? undefined : 'failed']),
  );
  t.true(elapsedMs > LAST * 40 && elapsedMs <= LAST * 100, `the backoff grows, to its limit: ${elapsedMs} ms`);
});

test('beyond 255 attempts a tuple still comes, and its number stays at 255', async (t) => {
  let executed = 0;
  let highest = 0;
  const lines = feeder(NUMBER, { retry: { attempts: Number.POSITIVE_INFINITY, backoff: { firstMs: 0, maxMs: 1 } } });
  const stubborn = defineBolt({
    input: NUMBER,
    execute({ attempt }) {
      executed += 1;
      highest = Math.max(highest, attempt);
      if (executed <= 300) throw new Error('not yet');
    },
  });
  lines.feed({ n: 1 });
  lines.end();
  const built = topology('forever')
    .spout('numbers', lines)
    .bolt('stubborn', stubborn, (from) => from.shuffle('numbers'));
  const { acked, spouts } = await runLocal(built);
  t.is(acked, 1);
  t.is(spouts.numbers.replays.failed, 300);
  t.is(highest, 255);
});
