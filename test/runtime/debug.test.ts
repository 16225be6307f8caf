import test from 'ava';
import { type LocalOptions, runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { t as is, type StandardSchema, type Values } from '../../core/topology/fields.js';
import { defineSpout } from '../../core/topology/spout.js';
import { NUMBER, numbers, refusalOf, source } from './local-tests.js';

/** A Standard Schema of a test's own. */
function schema<T>(validate: (value: unknown) => unknown): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}
const even = schema<number>((value) =>
  typeof value === 'number' && value % 2 === 0 ? { value } : { issues: [{ message: 'must be even', path: ['n'] }] },
);
const asynchronous = schema<number>((value) => Promise.resolve({ value }));
const rejecting = schema<number>(() => Promise.reject(new Error('of a promise that nobody waits for')));
const transforming = schema<number>((value) => ({ value: Number(value) + 1 }));
const throwing = schema<number>(() => {
  throw new Error('the schema is broken');
});

const SCHEMAS: readonly (readonly [string, StandardSchema<number>, RegExp])[] = [
  ['refuses the value', even, /field "x" is refused by its schema \(test\): n: must be even; got 1/],
  ['is asynchronous', asynchronous, /field "x" has a schema \(test\) that checks asynchronously/],
  ['rejects', rejecting, /field "x" has a schema \(test\) that checks asynchronously/],
  ['transforms', transforming, /field "x" has a schema \(test\) that makes 1 \(number\) into 2 \(number\)/],
];

/** Emits `x` at every place where one can; returns the errors there, and what arrived. */
async function emitEverywhere(x: StandardSchema<number>, value: number, options: LocalOptions) {
  const errors: Error[] = [];
  const arrived: number[] = [];
  const tried = (emit: () => void): void => {
    try {
      emit();
    } catch (error) {
      errors.push(error as Error);
    }
  };
  const spout = defineSpout({
    output: NUMBER,
    streams: { checked: { x: is.nullable(x) } },
    open() {
      let n = 0;
      return {
        next(out) {
          if (n === 1) return 'done';
          out.emit({ n }, { id: n++ });
          tried(() => out.emit({ x: value }, { stream: 'checked', id: 'x' }));
          out.emit({ x: null }, { stream: 'checked', id: 'null' });
          return;
        },
      };
    },
  });
  const auto = defineBolt({
    input: NUMBER,
    output: { x },
    execute: (_tuple, out) => tried(() => out.emit({ x: value })),
    end: (out) => tried(() => out.emit({ x: value })),
  });
  const manual = defineBolt({
    input: NUMBER,
    output: { x },
    ack: 'manual',
    execute(tuple, out) {
      tried(() => out.emit({ x: value }));
      out.ack(tuple);
    },
  });
  const seen = defineBolt({
    input: { x: is.any },
    execute: ({ values }) => void (values.x === null || arrived.push(values.x)),
  });
  const built = topology('schemas')
    .spout('spout', spout)
    .bolt('auto', auto, (from) => from.shuffle('spout'))
    .bolt('manual', manual, (from) => from.shuffle('spout'))
    .bolt('seen', seen, (from) => [
      from.shuffle('spout', { stream: 'checked' }),
      from.shuffle('auto'),
      from.shuffle('manual'),
    ]);
  const result = await runLocal(built, options);
  return { errors, arrived, result };
}

for (const [what, x, message] of SCHEMAS) {
  test(`under debug a schema that ${what} refuses the emit, whoever emits; nothing of it arrives`, async (t) => {
    const { errors, arrived, result } = await emitEverywhere(x, 1, { debug: true });
    t.is(errors.length, 4);
    t.deepEqual(errors.map((error) => error.message.split(' ')[0]).sort(), [
      'auto[2]',
      'auto[2]',
      'manual[3]',
      'spout[1]',
    ]);
    for (const error of errors) t.regex(error.message, message);
    t.deepEqual(arrived, []);
    t.is(result.status, 'completed');
  });

  test(`without debug a schema that ${what} is not asked`, async (t) => {
    const { errors, arrived } = await emitEverywhere(x, 1, {});
    t.deepEqual(errors, []);
    t.deepEqual(arrived, [1, 1, 1, 1]);
  });
}

test('under debug a schema that takes the value changes nothing', async (t) => {
  const { errors, arrived } = await emitEverywhere(even, 2, { debug: true });
  t.deepEqual(errors, []);
  t.deepEqual(arrived, [2, 2, 2, 2]);
});

test('a schema that throws is an error of the emit', async (t) => {
  const { errors } = await emitEverywhere(throwing, 1, { debug: true });
  t.is(errors.length, 4);
  for (const { message } of errors)
    t.regex(
      message,
      /^(spout|auto|manual)\[\d\] stream .* field "x" has a schema \(test\) that threw.*: the schema is broken/,
    );
});

test('under debug what a tick or an end emits is checked at once, also where it has to wait for room', async (t) => {
  const errors: Error[] = [];
  const floods = defineBolt({
    input: NUMBER,
    output: { x: even },
    execute() {},
    end(out) {
      for (let n = 0; n < 20_000; n += 2) out.emit({ x: n });
      errors.push(refusalOf(() => out.emit({ x: 1 })));
    },
  });
  const seen = defineBolt({ input: { x: is.any }, execute() {} });
  const built = topology('late')
    .spout('numbers', source())
    .bolt('floods', floods, (from) => from.shuffle('numbers'))
    .bolt('seen', seen, (from) => from.shuffle('floods'));
  const result = await runLocal(built, { spouts: { numbers: [] }, debug: true });
  t.is(result.status, 'completed');
  t.regex(errors[0].message, /^floods\[2\].* is refused by its schema/);
  t.is(result.bolts.seen.executed, 10_000);
});

// ---- values are the receiver's -----------------------------------------------------------------------------------

const VALUES = {
  n: is.number,
  json: is.json<{ list: number[]; deep: { text: string } }>(),
  any: is.any,
  bytes: is.bytes,
  date: is.date,
  maybe: is.nullable(is.json<number[]>()),
};
type Received = Values<typeof VALUES>;
const valuesOf = (n: number): Received => ({
  n,
  json: { list: [n, n], deep: { text: `text ${n}` } },
  any: { map: new Map([['n', n]]), set: new Set([n]) },
  bytes: Uint8Array.of(n, n + 1),
  date: new Date(n),
  maybe: [n],
});

/** Changes whatever can be changed. Where it is frozen that throws, and nothing is changed either. */
function spoil(values: Received): void {
  const ways: readonly (() => void)[] = [
    () => values.json.list.push(-1),
    () => void (values.json.deep.text = 'spoilt'),
    () => values.any.map.set('n', -1),
    () => values.any.set.clear(),
    () => values.bytes.fill(0),
    () => void values.date.setTime(0),
    () => values.maybe?.push(-1),
    () => void (values.n = -1),
  ];
  for (const way of ways) {
    try {
      way();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

for (const workers of [1, 2, 'task'] as const) {
  for (const debug of [true, false]) {
    test(`what a receiver or the emitter does to values nobody else sees, nor a replay, with workers ${workers}, debug ${debug}`, async (t) => {
      const wrong: string[] = [];
      let looked = 0;
      const look = (values: Received, n: number, where: string): void => {
        looked += 1;
        try {
          const { ...found } = values;
          if (!t.deepEqual(found, valuesOf(n))) wrong.push(where);
        } catch (error) {
          wrong.push(`${where}: ${(error as Error).message}`);
        }
      };
      const spout = defineSpout({
        output: VALUES,
        open() {
          let n = 0;
          return {
            next(out) {
              if (n === 10) return 'done';
              const values = valuesOf(n);
              out.emit(values, { id: n++ });
              spoil(values);
              return;
            },
          };
        },
      });
      /** Fails at first, after having done its worst; the id says which number it was. */
      const spoils = (where: string) =>
        defineBolt({
          input: VALUES,
          output: VALUES,
          ack: 'manual',
          execute(tuple, out) {
            const { n } = tuple.values;
            look(tuple.values, n, `${where} ${tuple.attempt}`);
            const passed = valuesOf(n);
            out.emit(passed);
            spoil(passed);
            spoil(tuple.values);
            if (tuple.attempt === 1 && n % 2 === 0) out.fail(tuple, 'once more');
            else out.ack(tuple);
          },
        });
      const last = defineBolt({
        input: VALUES,
        execute({ values, attempt }) {
          look(values, values.n, `last ${attempt}`);
          spoil(values);
        },
      });
      const built = topology('values')
        .spout('values', spout)
        .bolt('first', spoils('first'), (from) => from.all('values'), { tasks: 2 })
        .bolt('second', spoils('second'), (from) => from.shuffle('values'))
        .bolt('last', last, (from) => [from.all('first'), from.shuffle('second'), from.shuffle('values')], {
          tasks: 2,
        });
      const result = await runLocal(built, { workers, debug });
      t.is(result.status, 'completed');
      t.is(result.spouts.values.replays.failed, 5);
      t.true(looked > 100);
      t.deepEqual(wrong, []);
    });
  }
}

test('what a tick emits and changes afterwards leaves as it was, also where it has to wait for room', async (t) => {
  const wrong: number[] = [];
  let looked = 0;
  const floods = defineBolt({
    input: NUMBER,
    output: { n: is.number, list: is.json<number[]>() },
    execute() {},
    end(out) {
      const list = [0];
      for (let n = 0; n < 10_000; n++) {
        list[0] = n;
        out.emit({ n, list });
      }
      list[0] = -1;
    },
  });
  const seen = defineBolt({
    input: { n: is.number, list: is.json<number[]>() },
    execute({ values: { n, list } }) {
      looked += 1;
      if (list[0] !== n) wrong.push(n);
    },
  });
  const built = topology('ends')
    .spout('numbers', source())
    .bolt('floods', floods, (from) => from.shuffle('numbers'))
    .bolt('seen', seen, (from) => from.shuffle('floods'));
  await runLocal(built, { spouts: { numbers: numbers(1) } });
  t.is(looked, 10_000);
  t.deepEqual(wrong, []);
});
