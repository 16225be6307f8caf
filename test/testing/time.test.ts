import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { captureBolt, feeder, runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { t as is } from '../../core/topology/fields.js';
import { defineSpout } from '../../core/topology/spout.js';
import { spoutFrom } from '../../core/topology/spout-from.js';

const TICK_MS = 60_000;

/** Emits at each tick how many tuples have come since the last one. */
const windows = defineBolt({
  output: { count: is.number, at: is.number },
  tickEveryMs: TICK_MS,
  prepare({ now }) {
    let count = 0;
    return {
      execute() {
        count += 1;
      },
      tick(out) {
        out.emit({ count, at: now() });
        count = 0;
      },
    };
  },
});

const windowed = (lines = feeder({ line: is.string })) =>
  topology('windowed')
    .spout('lines', lines)
    .bolt('windows', windows, (from) => from.shuffle('lines'));

test('time stands still but for advance: a tick comes at its time, and not before', async (t) => {
  const lines = feeder({ line: is.string });
  const startAt = new Date('2026-01-01T00:00:00Z');
  const local = await startLocal(windowed(lines), { startAt });
  lines.feed({ line: 'a' });
  lines.feed({ line: 'b' });
  await local.settle();
  t.deepEqual(lines.acked, [0, 1]);
  t.is(local.now, 0);
  await local.advance(TICK_MS - 1);
  t.deepEqual(local.result().emitted.windows, []);
  await local.advance(1);
  t.deepEqual(local.result().emitted.windows, [{ count: 2, at: startAt.getTime() + TICK_MS }]);
  await local.advance(TICK_MS * 60);
  t.is(local.result().emitted.windows.length, 61);
  t.is((await local.stop()).status, 'stopped');
});

test('hours go by without waiting for them', async (t) => {
  const local = await startLocal(windowed());
  await local.advance(6 * 3_600_000);
  t.is(local.result().emitted.windows.length, 360);
  await local.stop();
});

test('calls that are not waited for run one after the other', async (t) => {
  const local = await startLocal(windowed());
  await Promise.all([local.advance(TICK_MS), local.advance(TICK_MS), local.settle()]);
  t.is(local.now, 2 * TICK_MS);
  await local.stop();
});

test('drain completes what is in flight and asks for no more', async (t) => {
  const lines = feeder({ line: is.string });
  const slow = defineBolt({ execute: () => delay(20) });
  const local = await startLocal(
    topology('drained')
      .spout('lines', lines)
      .bolt('slow', slow, (from) => from.shuffle('lines')),
  );
  lines.feed({ line: 'a' });
  await local.settle();
  t.true(await local.drain());
  lines.feed({ line: 'b' });
  await local.advance(1000);
  const result = await local.stop();
  t.is(result.status, 'stopped');
  t.deepEqual([...lines.acked], [0]);
  t.deepEqual([...lines.pending], [1]);
});

test('what is not complete within the message time-out is not drained, and drain says so', async (t) => {
  const lines = feeder({ line: is.string }, { retry: { attempts: 1000, backoff: { firstMs: 1000 } } });
  const never = defineBolt({
    execute() {
      throw new Error('never');
    },
  });
  const local = await startLocal(
    topology('stuck')
      .spout('lines', lines)
      .bolt('never', never, (from) => from.shuffle('lines')),
  );
  lines.feed({ line: 'a' });
  await local.settle();
  t.false(await local.drain());
  t.is(local.now, 30_000);
  await local.stop();
});

// ---- code that takes real time -----------------------------------------------------------------------------------

test('an execute that waits for the real world is waited for, and time-outs do not overtake it', async (t) => {
  const slow = defineBolt({ execute: () => delay(60) });
  const built = topology('slow')
    .spout('lines', feeder({ line: is.string }))
    .bolt('slow', slow, (from) => from.shuffle('lines'))
    .config({ messageTimeoutMs: 1000 });
  const { acked, spouts } = await runLocal(built, { spouts: { lines: [{ line: 'a' }, { line: 'b' }] } });
  t.is(acked, 2);
  t.is(spouts.lines.replays.timeout, 0);
});

test('settle waits for an execute that is under way, without time going on', async (t) => {
  const lines = feeder({ line: is.string });
  const slow = defineBolt({ execute: () => delay(30) });
  const local = await startLocal(
    topology('slow')
      .spout('lines', lines)
      .bolt('slow', slow, (from) => from.shuffle('lines')),
  );
  lines.feed({ line: 'a' });
  await local.settle();
  t.deepEqual([...lines.acked], [0]);
  t.is(local.now, 0);
  await local.stop();
});

test('a spout that waits for its source is waited for', async (t) => {
  const source = spoutFrom({ output: { n: is.number } }, async function* () {
    for (let n = 0; n < 5; n++) {
      await delay(2);
      yield { n };
    }
  });
  const seen = captureBolt<{ n: number }>();
  const result = await runLocal(
    topology('source')
      .spout('source', source)
      .bolt('seen', seen, (from) => from.shuffle('source')),
  );
  t.is(result.status, 'completed');
  t.deepEqual(
    seen.values,
    [0, 1, 2, 3, 4].map((n) => ({ n })),
  );
});

test('an execute that hangs is given up after its executeTimeoutMs, by the real clock at the latest', async (t) => {
  let calls = 0;
  const once = defineBolt({
    executeTimeoutMs: 50,
    execute() {
      calls += 1;
      return calls === 1 ? new Promise<void>(() => {}) : undefined;
    },
  });
  const built = topology('hangs')
    .spout('lines', feeder({ line: is.string }))
    .bolt('once', once, (from) => from.shuffle('lines'));
  const result = await runLocal(built, { spouts: { lines: [{ line: 'a' }] } });
  t.is(result.status, 'completed');
  t.is(result.spouts.lines.replays.failed, 1);
});

test('an execute that never settles ends the run with its name', async (t) => {
  const hangs = defineBolt({ execute: () => new Promise<void>(() => {}) });
  const built = topology('hangs')
    .spout('lines', feeder({ line: is.string }))
    .bolt('stuck', hangs, (from) => from.shuffle('lines'));
  await t.throwsAsync(runLocal(built, { spouts: { lines: [{ line: 'a' }] }, timeoutMs: 50 }), {
    code: 'ERR_SQUALL_LOCAL_TIMEOUT',
    message: /^execute of stuck\[2\] has not settled for /,
  });
});

test('an open that never settles ends the start with its name', async (t) => {
  const hangs = defineSpout({ output: { n: is.number }, open: () => new Promise<never>(() => {}) });
  await t.throwsAsync(startLocal(topology('hangs').spout('stuck', hangs), { timeoutMs: 50 }), {
    message: /^open of stuck\[1\] has not settled for /,
  });
});

test('a spout without an end is named, with what can be done', async (t) => {
  const endless = defineSpout({
    output: { n: is.number },
    open: () => ({
      next(out) {
        out.emit({ n: 1 }, { id: 1 });
      },
    }),
  });
  const built = topology('endless')
    .spout('endless', endless)
    .bolt('seen', captureBolt(), (from) => from.shuffle('endless'));
  await t.throwsAsync(runLocal(built, { timeoutMs: 100 }), {
    code: 'ERR_SQUALL_LOCAL_TIMEOUT',
    message: /Not ended: endless\[1\], seen\[2\].*never says 'done'/,
  });
});

test('a spout without an end whose tuples nobody takes is named, too', async (t) => {
  const endless = defineSpout({
    output: { n: is.number },
    open: () => ({
      next(out) {
        out.emit({ n: 1 });
      },
    }),
  });
  await t.throwsAsync(runLocal(topology('endless').spout('endless', endless), { timeoutMs: 100 }), {
    message: /Not ended: endless\[1\]/,
  });
});

test('a thenable that works anew with each then does its work once', async (t) => {
  let works = 0;
  const query = defineBolt({
    execute: () =>
      ({
        // biome-ignore lint/suspicious/noThenProperty: as query builders have it
        then(resolve: (value: unknown) => void) {
          works += 1;
          resolve(undefined);
        },
      }) as unknown as Promise<void>,
  });
  const built = topology('thenable')
    .spout('lines', feeder({ line: is.string }))
    .bolt('query', query, (from) => from.shuffle('lines'));
  t.is((await runLocal(built, { spouts: { lines: [{ line: 'a' }] } })).acked, 1);
  t.is(works, 1);
});

test('what was opened is closed when another component fails to open', async (t) => {
  let closed = 0;
  const source = defineSpout({
    output: { n: is.number },
    open: () => ({
      next: () => 'done' as const,
      close() {
        closed += 1;
      },
    }),
  });
  const broken = defineBolt({
    prepare() {
      throw new Error('broken');
    },
  });
  const built = topology('opened')
    .spout('source', source)
    .bolt('broken', broken, (from) => from.shuffle('source'));
  await t.throwsAsync(runLocal(built), { message: /broken/ });
  t.is(closed, 1);
});
