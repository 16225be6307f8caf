import test from 'ava';
import { defineBolt, defineSpout, topology, t as type } from '../../core/index.js';
import { captureBolt, feeder, runLocal, startLocal } from '../../core/testing/index.js';

const NUMBER = { n: type.number };

/** A spout whose only call of `next` emits for as long as it is let. */
const endless = () =>
  defineSpout({
    output: NUMBER,
    open: () => ({
      async next(out) {
        for (let n = 0; ; n++) {
          await out.ready();
          out.emit({ n }, { id: n });
        }
      },
    }),
  });

/** Takes nothing by itself: what is emitted stays pending until the test lets it go. */
function gate() {
  const waiting: (() => void)[] = [];
  const bolt = defineBolt({
    input: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      waiting.push(() => out.ack(tuple));
    },
  });
  const letGo = (): void => {
    for (const go of waiting.splice(0)) go();
  };
  return { bolt, letGo, waiting };
}

test('a spout that awaits out.ready() emits nothing more once it is paused, and goes on when it is resumed', async (t) => {
  const { bolt, letGo, waiting } = gate();
  const built = topology('t')
    .spout('s', endless())
    .bolt('b', bolt, (from) => from.shuffle('s'))
    .config({ maxSpoutPending: 10 });
  const local = await startLocal(built);
  await local.settle();
  t.is(waiting.length, 10);
  await local.pause();
  letGo();
  await local.advance(100);
  t.is(waiting.length, 0, 'there is room, and still nothing comes');
  t.is(local.result().spouts.s.acked, 10);
  await local.resume();
  await local.settle();
  t.is(waiting.length, 10);
  await local.stop();
});

test('a spout that awaits out.ready() has stopped when the run drains', async (t) => {
  const { bolt, letGo, waiting } = gate();
  const built = topology('t')
    .spout('s', endless())
    .bolt('b', bolt, (from) => from.shuffle('s'))
    .config({ maxSpoutPending: 10 });
  const local = await startLocal(built);
  await local.settle();
  const drained = local.drain();
  letGo();
  t.true(await drained);
  t.is(waiting.length, 0);
  const { spouts } = await local.stop();
  t.deepEqual([spouts.s.emitted, spouts.s.acked, spouts.s.pending], [10, 10, 0]);
});

for (const ackers of [0, 1]) {
  test(`a bolt that still holds untracked tuples does not say END: what is emitted on them arrives, with ackers ${ackers}`, async (t) => {
    const order: string[] = [];
    const hold = defineBolt({
      input: NUMBER,
      output: NUMBER,
      ack: 'manual',
      prepare: () => ({
        execute(tuple, out) {
          setTimeout(() => {
            out.emit(tuple.values, { anchors: [tuple] });
            out.ack(tuple);
          }, 20);
        },
        end: () => void order.push('end of hold'),
      }),
    });
    const sink = defineBolt({
      input: NUMBER,
      prepare: () => ({
        execute: () => void order.push('executed'),
        end: () => void order.push('end of sink'),
      }),
    });
    const numbers = defineSpout({
      output: NUMBER,
      open: () => ({
        next(out) {
          for (let n = 0; n < 3; n++) out.emit({ n });
          return 'done';
        },
      }),
    });
    const built = topology('t')
      .spout('numbers', numbers)
      .bolt('hold', hold, (from) => from.shuffle('numbers'))
      .bolt('sink', sink, (from) => from.shuffle('hold'));
    const local = await startLocal(built, { ackers });
    // what it waits for is a timer of its own, in real time
    await new Promise((resolve) => setTimeout(resolve, 0));
    await local.settle();
    t.deepEqual(order, []);
    while (order.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await local.advance(1);
    }
    await local.finish();
    t.is(order.filter((what) => what === 'executed').length, 3);
    t.is(order.at(-1), 'end of sink');
    const result = await local.stop();
    t.is(result.bolts.hold.acked, 3);
  });
}

test('an emit after END throws, and is counted', async (t) => {
  let late: (() => void) | undefined;
  const bolt = defineBolt({
    input: NUMBER,
    output: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      late = () => out.emit({ n: 1 }, { anchors: [] });
      out.ack(tuple);
    },
  });
  const lines = feeder(NUMBER);
  const seen = captureBolt();
  const local = await startLocal(
    topology('t')
      .spout('lines', lines)
      .bolt('bolt', bolt, (from) => from.shuffle('lines'))
      .bolt('seen', seen, (from) => from.shuffle('bolt')),
  );
  lines.feed({ n: 0 });
  lines.end();
  await local.finish();
  t.throws(() => late?.(), { code: 'ERR_SQUALL_MISUSE', message: /^bolt\[2\]: emit after the end of its input/ });
  t.is((await local.stop()).dropped['emit-after-end'], 1);
});

test('a tuple that is forgotten is found within the time-out and an eighth, without debug', async (t) => {
  let times = 0;
  const bolt = defineBolt({
    input: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      times += 1;
      if (tuple.attempt > 1) out.ack(tuple);
    },
  });
  const lines = feeder(NUMBER);
  const local = await startLocal(
    topology('t')
      .spout('lines', lines)
      .bolt('bolt', bolt, (from) => from.shuffle('lines'))
      .config({ messageTimeoutMs: 4000 }),
  );
  lines.feed({ n: 0 });
  lines.end();
  await local.settle();
  t.is(times, 1);
  // what a turn has touched is not garbage before the turn is over
  for (let ms = 0; ms < 4600; ms += 100) {
    await local.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(times, 2);
  const result = await local.stop();
  t.is(result.spouts.lines.replays.failed, 1);
  t.is(result.spouts.lines.replays.timeout, 0);
});

test('hooks that prepare returns are checked: misspelt, or never called', async (t) => {
  const withHooks = (hooks: object) =>
    topology('t')
      .spout('lines', feeder(NUMBER))
      .bolt('b', defineBolt({ input: NUMBER, prepare: () => ({ execute() {}, ...hooks }) }), (from) =>
        from.shuffle('lines'),
      );
  await t.throwsAsync(runLocal(withHooks({ ennd() {} })), {
    message: /prepare of 'b' returned .* found 'ennd\(…\) \(did you mean 'end'\?\)/,
  });
  await t.throwsAsync(runLocal(withHooks({ tick() {} })), {
    message: /prepare of 'b' returned a tick, which is never called without tickEveryMs; add it/,
  });
  const own = await startLocal(withHooks({ helper() {} }));
  await own.stop();
});

test('under debug an emit option that is not there is refused; it would make a tuple untracked', async (t) => {
  const numbers = defineSpout({
    output: NUMBER,
    open: () => ({
      next(out) {
        out.emit({ n: 1 }, { Id: 1 } as never);
        return 'done';
      },
    }),
  });
  const built = topology('t')
    .spout('numbers', numbers)
    .bolt('b', defineBolt({ input: NUMBER, execute() {} }), (from) => from.shuffle('numbers'));
  await t.throwsAsync(runLocal(built, { debug: true }), {
    message: /numbers\[1\].*emit has no option "Id" \(did you mean 'id'\?\); it has stream, id, position/,
  });
});

test('a metric takes numbers only, and a task has a limited number of them', async (t) => {
  const bad: [string, (context: { metrics: import('../../core/index.js').MetricRegistry }) => void, RegExp][] = [
    [
      'a text',
      ({ metrics }) => metrics.counter('c').add('q' as never),
      /metric 'c': expected a number from 0 to add, found 'q'/,
    ],
    ['less than nothing', ({ metrics }) => metrics.counter('c').add(-1), /found -1/],
    ['no number', ({ metrics }) => metrics.histogram('h').record(Number.NaN), /metric 'h': .* found NaN/],
    ['no name', ({ metrics }) => void metrics.gauge(''), /the name of a metric: expected 1 to 128 characters/],
    [
      'a name per key',
      ({ metrics }) => {
        for (let key = 0; key <= 1000; key++) metrics.counter(`c${key}`);
      },
      /a task may have 1000 metrics/,
    ],
  ];
  for (const [what, act, message] of bad) {
    const bolt = defineBolt({
      input: NUMBER,
      prepare: (context) => {
        act(context);
        return { execute() {} };
      },
    });
    const built = topology('t')
      .spout('lines', feeder(NUMBER))
      .bolt('b', bolt, (from) => from.shuffle('lines'));
    await t.throwsAsync(startLocal(built), { message }, what);
  }
});
