/** What is deliberately different from Storm. */
import test from 'ava';
import { bomb, feeder, runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { t as is } from '../../core/topology/fields.js';
import { defineSpout } from '../../core/topology/spout.js';
import { N, numbers, source } from './storm-shows.js';

test('each misuse that hangs in Storm throws at once, and names component and task', async (t) => {
  const refusals: string[] = [];
  const attempt = (what: () => void) => {
    refusals.push(String(t.throws(what)?.message));
  };
  let late = (): void => {};
  const auto = defineBolt({
    input: N,
    output: N,
    execute({ values }, out) {
      attempt(() => (out as unknown as { ack(tuple: unknown): void }).ack(values));
      out.emit(values);
      late = () => out.emit(values);
    },
  });
  const manual = defineBolt({
    input: N,
    output: N,
    ack: 'manual',
    execute(tuple, out) {
      attempt(() => out.ack({ ...tuple }));
      out.ack(tuple);
      attempt(() => out.ack(tuple));
      attempt(() => out.fail(tuple));
      attempt(() => out.emit(tuple.values));
    },
  });
  let outside = (): void => {};
  const spout = defineSpout({
    output: N,
    open: () => ({
      next(out) {
        if (refusals.length > 0) return 'done';
        outside = () => out.emit({ n: 2 });
        out.emit({ n: 1 }, { id: 1 });
        return 'idle';
      },
    }),
  });
  const local = await startLocal(
    topology('misuse')
      .spout('numbers', spout)
      .bolt('auto', auto, (from) => from.shuffle('numbers'))
      .bolt('manual', manual, (from) => from.shuffle('auto')),
  );
  await local.settle();
  attempt(late);
  attempt(outside);
  await local.finish();
  t.is((await local.stop()).status, 'completed');
  const says = [
    /^auto\[2\]: out\.ack in a bolt with ack: 'auto'/,
    /^manual\[3\]: ack of .*which this task was not given/,
    /^manual\[3\]: ack of its tuple .*acked before/,
    /^manual\[3\]: fail of its tuple .*acked before/,
    /^manual\[3\]: emit on its tuple .*acked before/,
    /^auto\[2\]: emit after its execute has settled/,
    /^numbers\[1\]: emit outside of next/,
  ];
  t.is(refusals.length, says.length);
  for (const [at, said] of says.entries()) t.regex(refusals[at], said);
});

test('an emit of a bolt with manual acks is anchored to its input where it names no anchors', async (t) => {
  const pass = defineBolt({
    input: N,
    output: N,
    ack: 'manual',
    execute(tuple, out) {
      out.emit(tuple.values);
      out.ack(tuple);
    },
  });
  const { status, spouts } = await runLocal(
    topology('anchored')
      .spout('numbers', source())
      .bolt('pass', pass, (from) => from.shuffle('numbers'))
      .bolt('shaky', bomb({ fails: ({ attempt }) => attempt === 1 }), (from) => from.shuffle('pass')),
    { spouts: { numbers: numbers(3) } },
  );
  t.is(status, 'completed');
  t.is(spouts.numbers.replays.failed, 3);
});

test('a tuple is not to blame for a crash: what is lost with a process uses no attempt up', async (t) => {
  let deaths = 0;
  const { status, spouts, restarts } = await runLocal(
    topology('crash')
      .spout('numbers', source(1))
      .bolt('mortal', bomb({ exits: () => ++deaths === 2, output: N }), (from) => from.shuffle('numbers')),
    { spouts: { numbers: numbers(5) }, workers: 'task' },
  );
  t.is(restarts, 1);
  t.is(status, 'completed');
  t.true(spouts.numbers.replays['worker-lost'] > 0);
});

test('tasks of one process share no value: what one bolt changes no other sees', async (t) => {
  const FIELDS = { list: is.json<number[]>(), bytes: is.bytes, date: is.date, any: is.any };
  const seen: string[] = [];
  const spoil = defineBolt({
    input: FIELDS,
    execute({ values: { list, bytes, date, any } }) {
      seen.push(JSON.stringify([list, [...bytes], date, any]));
      list.push(9);
      bytes[0] = 9;
      date.setTime(0);
      any.deep.list.push(9);
    },
  });
  const given = { list: [1], bytes: new Uint8Array([1]), date: new Date(1000), any: { deep: { list: [1] } } };
  await runLocal(
    topology('copies')
      .spout('source', feeder(FIELDS))
      .bolt('a', spoil, (from) => from.all('source'), { tasks: 2 })
      .bolt('b', spoil, (from) => from.all('source')),
    { spouts: { source: [given] } },
  );
  t.is(seen.length, 3);
  t.deepEqual(new Set(seen), new Set([JSON.stringify([[1], [1], new Date(1000), { deep: { list: [1] } }])]));
});
