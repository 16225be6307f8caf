import test from 'ava';
import { defineBolt, defineSpout, SquallError, spoutFrom, t as type } from '../../core/index.js';
import type { BoltDefinition, SpoutDefinition } from '../../core/topology/definition.js';
import { contextOf, DEFAULT_CONFIG, recordingOut } from './support.js';

const output = { n: type.number };

// For what only JavaScript can write.
const anySpout = defineSpout as unknown as (options: unknown) => SpoutDefinition;
const anyBolt = defineBolt as unknown as (options: unknown) => BoltDefinition;
const anySpoutFrom = spoutFrom as unknown as (options: unknown, generate: unknown) => SpoutDefinition;

test('spoutFrom tracks what a generator yields with the ids 0, 1, 2, …, and its return is done', async (t) => {
  const numbers = function* () {
    yield { n: 7 };
    yield { n: 8 };
  };
  const asyncNumbers = async function* () {
    yield* numbers();
  };
  for (const generate of [numbers, asyncNumbers, () => [{ n: 7 }, { n: 8 }]]) {
    const spout = spoutFrom({ output }, generate);
    const instance = await spout.open(contextOf());
    const out = recordingOut();
    t.is(await instance.next(out), undefined);
    t.is(await instance.next(out), undefined);
    t.is(await instance.next(out), 'done');
    t.deepEqual(out.emitted, [
      [{ n: 7 }, { id: 0 }],
      [{ n: 8 }, { id: 1 }],
    ]);
  }
});

test('spoutFrom asks for a value only when it is asked for one', async (t) => {
  let made = 0;
  const spout = spoutFrom({ output }, function* () {
    for (;;) yield { n: made++ };
  });
  const instance = await spout.open(contextOf());
  t.is(made, 0);
  await instance.next(recordingOut());
  t.is(made, 1);
});

test('spoutFrom hands its context to the generator, and its errors on', async (t) => {
  const spout = spoutFrom({ output }, async function* (context) {
    yield { n: context.task };
    throw new Error('the source is gone');
  });
  const instance = await spout.open(contextOf({ task: 5 }));
  const out = recordingOut();
  await instance.next(out);
  t.deepEqual(out.emitted, [[{ n: 5 }, { id: 0 }]]);
  await t.throwsAsync(async () => instance.next(out), { message: 'the source is gone' });
});

test('closing a spoutFrom runs what its generator does finally', async (t) => {
  const closed: string[] = [];
  const sync = function* () {
    try {
      yield { n: 1 };
    } finally {
      closed.push('sync');
    }
  };
  const async = async function* () {
    try {
      yield { n: 1 };
    } finally {
      await Promise.resolve();
      closed.push('async');
    }
  };
  for (const generate of [sync, async]) {
    const instance = await spoutFrom({ output }, generate).open(contextOf());
    await instance.next(recordingOut());
    await instance.close?.();
  }
  t.deepEqual(closed, ['sync', 'async']);
});

test('closing a spoutFrom does not wait for a generator that waits for its source, and says what that then threw', async (t) => {
  let answer = () => {};
  const warned = new Promise<string>((resolve) => {
    const spout = spoutFrom({ output }, async function* () {
      try {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        yield { n: 1 };
      } finally {
        await Promise.reject(new Error('cannot close the source'));
      }
    });
    const log = { ...contextOf().log, warn: (message: string) => resolve(message) };
    void (async () => {
      const instance = await spout.open(contextOf({ log }));
      const pending = instance.next(recordingOut());
      await instance.close?.();
      answer();
      await pending;
    })();
  });
  t.regex(await warned, /failed while it was closed/);
});

test('spoutFrom refuses at open what is no iterable, by the name of the component', (t) => {
  const spout = anySpoutFrom({ output }, () => 'words');
  const error = t.throws(() => spout.open(contextOf({ component: 'feed' })), { instanceOf: SquallError });
  t.is(error?.code, 'ERR_SQUALL_COMPONENT');
  t.regex(error?.message ?? '', /'feed' returned 'words' \(string\); expected a generator/);
});

test('a spout has its streams in declared order and a complete retry policy', (t) => {
  const spout = defineSpout({
    output,
    streams: { late: output, errors: { text: type.string } },
    retry: { backoff: { firstMs: 20_000 } },
    open: () => ({ next: () => 'done' as const }),
  });
  t.is(spout.kind, 'spout');
  t.deepEqual(
    spout.streams.map(({ name }) => name),
    ['default', 'late', 'errors'],
  );
  t.deepEqual(spout.retry, { attempts: 10, backoff: { firstMs: 20_000, maxMs: 20_000 } });
  t.deepEqual(spoutFrom({ output }, () => []).retry, { attempts: 10, backoff: { firstMs: 0, maxMs: 10_000 } });
  t.deepEqual(spoutFrom({ output, retry: { attempts: 2 } }, () => []).retry.attempts, 2);
});

test('an execute without prepare is wrapped in one that gives each task the hooks', async (t) => {
  const execute = () => {};
  const end = () => {};
  const bolt = defineBolt({ input: output, execute, end });
  const instance = await bolt.prepare(contextOf());
  t.is(instance.execute, execute);
  t.is(instance.end, end);
  t.is(instance.tick, undefined);
  t.not(await bolt.prepare(contextOf()), instance);
});

test('prepare is called in each task with its context, and may be async', async (t) => {
  const bolt = defineBolt({
    input: output,
    prepare: async (context) => ({ execute: () => {}, cleanup: () => void prepared.push(context.task) }),
  });
  const prepared: number[] = [];
  for (const task of [3, 4]) await (await bolt.prepare(contextOf({ task }))).cleanup?.();
  t.deepEqual(prepared, [3, 4]);
});

test('a bolt keeps state where it has a prepare, unless it says otherwise', (t) => {
  const prepare = () => ({ execute() {} });
  t.false(defineBolt({ execute() {} }).keepsState);
  t.true(defineBolt({ prepare }).keepsState);
  t.false(defineBolt({ prepare, keepsState: false }).keepsState);
  t.true(defineBolt({ execute() {}, keepsState: true }).keepsState);
});

test('a bolt without input takes what comes, one without output has no stream', (t) => {
  const bolt = defineBolt({ execute() {} });
  t.deepEqual(bolt.inputs, [{ name: 'default', fields: undefined }]);
  t.deepEqual(bolt.streams, []);
});

test('a bolt with inputs has each by its name, in declared order', (t) => {
  const bolt = defineBolt({ inputs: { b: output, a: { text: type.string } }, execute() {} });
  t.deepEqual(bolt.inputs, [
    { name: 'b', fields: [{ name: 'n', type: type.number }] },
    { name: 'a', fields: [{ name: 'text', type: type.string }] },
  ]);
});

test('a bolt acks by itself and executes in order, unless it says otherwise', (t) => {
  const { ack, concurrency } = defineBolt({ execute() {} });
  t.deepEqual([ack, concurrency], ['auto', 1]);
  const other = defineBolt({ ack: 'manual', concurrency: 1024, execute() {} });
  t.deepEqual([other.ack, other.concurrency], ['manual', 1024]);
});

test('Squall replays, unless a spout says that its source does', (t) => {
  const open = () => ({ next: () => 'done' as const });
  t.is(defineSpout({ output, open }).replay, 'squall');
  t.is(defineSpout({ output, open, replay: 'source' }).replay, 'source');
  t.is(spoutFrom({ output }, () => []).replay, 'squall');
});

test('a tuple may be tried for ever', (t) => {
  t.is(spoutFrom({ output, retry: { attempts: Infinity } }, () => []).retry.attempts, Infinity);
});

test('a flush that prepare returned is refused where executes make no batch, by the name of the component', async (t) => {
  const prepare = () => ({ execute() {}, flush() {} });
  const refused = { instanceOf: SquallError, code: 'ERR_SQUALL_COMPONENT' };
  const concurrent = { ...DEFAULT_CONFIG, concurrency: 3 };
  t.throws(() => anyBolt({ ack: 'manual', prepare }).prepare(contextOf()), {
    ...refused,
    message: /prepare of 'part' returned a flush beside ack: 'manual'; remove one of them/,
  });
  t.throws(() => anyBolt({ prepare }).prepare(contextOf({ config: concurrent })), {
    ...refused,
    message: /prepare of 'part' returned a flush beside concurrency: 3; remove one of them/,
  });
  t.truthy(await anyBolt({ prepare }).prepare(contextOf()));
  t.truthy(await anyBolt({ prepare: () => ({ execute() {} }) }).prepare(contextOf({ config: concurrent })));
});

test('open and prepare must make what can run', async (t) => {
  const open = (made: unknown) => anySpout({ output, open: () => made }).open(contextOf());
  const prepare = (made: unknown) => anyBolt({ prepare: () => made }).prepare(contextOf());
  const expected = { instanceOf: SquallError, code: 'ERR_SQUALL_COMPONENT' };
  t.regex(
    t.throws(() => open(undefined), expected)?.message ?? '',
    /open of 'part' .* an object with next\(…\), found undefined/,
  );
  t.throws(() => open({ nxt() {} }), { ...expected, message: /a function next, found undefined/ });
  t.throws(() => open({ next() {}, ack: 3 }), { ...expected, message: /a function ack, or none, found 3/ });
  t.throws(() => prepare({}), { ...expected, message: /prepare of 'part' .* a function execute, found undefined/ });
  t.throws(() => prepare({ execute() {}, end: true }), { ...expected, message: /a function end, or none, found true/ });
  await t.throwsAsync(async () => prepare(Promise.resolve(null)), { ...expected, message: /found null/ });
});
