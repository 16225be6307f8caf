import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { type FieldType, t as type } from '../../core/topology/fields.js';
import { createColumn } from '../../core/wire/columns.js';
import { Malformed } from '../../core/wire/malformed.js';
import { holds } from '../support/property.js';
import { layoutOf, overTheWire } from './trip.js';

/** The values of one column after a trip over the wire. */
function trip(of: FieldType, values: readonly unknown[]): unknown[] {
  return overTheWire(
    layoutOf({ x: of }),
    values.map((x) => ({ x })),
  ).map(({ x }) => x);
}

/** Bytes that the column takes on the wire, without its header. */
function size(of: FieldType, values: readonly unknown[]): number {
  const column = createColumn(of);
  for (const value of values) column.push(value);
  return column.measure();
}

const text = fc.string({ unit: 'binary' });
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    Number.NaN,
    -0,
    0,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    0.1,
  ),
);
/**
 * What `json` and `any` carry: everything but −0, which becomes 0 as in JSON, and keys named __proto__. Not here either:
 * invalid dates, which node:assert takes for different from each other; a test below has them.
 */
const nested = fc
  .anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    key: fc.string({ unit: 'binary' }),
    maxDepth: 3,
  })
  .filter((value) => !has(value, (inner, key) => Object.is(inner, -0) || key === '__proto__' || isInvalidDate(inner)));

function isInvalidDate(value: unknown): boolean {
  return value instanceof Date && Number.isNaN(value.getTime());
}

function has(value: unknown, wanted: (value: unknown, key?: unknown) => boolean, key?: unknown): boolean {
  if (wanted(value, key)) return true;
  if (value === null || typeof value !== 'object') return false;
  if (value instanceof Map) return [...value].some(([k, v]) => has(k, wanted) || has(v, wanted));
  if (value instanceof Set) return [...value].some((inner) => has(inner, wanted));
  return Object.entries(value).some(([k, v]) => has(v, wanted, k));
}

const KINDS: Readonly<Record<string, readonly [FieldType, fc.Arbitrary<unknown>]>> = {
  string: [type.string, text],
  number: [type.number, number],
  'number (32-bit integers)': [type.number, fc.integer()],
  boolean: [type.boolean, fc.boolean()],
  bigint: [type.bigint, fc.bigInt()],
  date: [type.date, fc.date({ noInvalidDate: false })],
  bytes: [type.bytes, fc.uint8Array()],
  json: [type.json(), nested.filter((value) => value !== undefined)],
  any: [type.any, nested],
};

function comparable(value: unknown): unknown {
  return isInvalidDate(value) ? 'Invalid Date' : value;
}

for (const [kind, [of, value]] of Object.entries(KINDS)) {
  test(`every value of t.${kind}, and of nullable ones, comes out as it went in, over the wire and in the same process`, (t) => {
    for (const [field, values] of [
      [of, value],
      [type.nullable(of), fc.option(value.filter((one) => one !== null))],
      [type.nullable(type.nullable(of)), fc.option(value.filter((one) => one !== null))],
    ] as const) {
      holds(
        t,
        fc.property(fc.array(values, { maxLength: 40 }), (values) => {
          assert.deepEqual(trip(field, values).map(comparable), values.map(comparable));
          const column = createColumn(field);
          for (const value of values) column.push(value);
          assert.equal(column.length, values.length);
          assert.deepEqual(
            values.map((_, row) => comparable(column.get(row))),
            values.map(comparable),
          );
        }),
        { numRuns: 100 },
      );
    }
  });

  test(`a column of t.${kind} takes rows of another, and forgets its last ones, alone or nullable`, (t) => {
    const op = fc.oneof(
      { weight: 3, arbitrary: fc.record({ push: value.filter((one) => one !== null) }) },
      { weight: 2, arbitrary: fc.record({ pushFrom: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ truncate: fc.nat() }) },
    );
    const others = fc.array(
      value.filter((one) => one !== null),
      { minLength: 1, maxLength: 5 },
    );
    for (const nullable of [false, true]) {
      const field = nullable ? type.nullable(of) : of;
      holds(
        t,
        fc.property(others, fc.array(op, { maxLength: 30 }), (others, ops) => {
          const given: unknown[] = nullable ? [null, ...others, null] : others;
          const other = createColumn(field);
          for (const value of given) other.push(value);
          const column = createColumn(field);
          const model: unknown[] = [];
          for (const op of ops) {
            if ('push' in op) {
              const value = nullable && model.length % 3 === 1 ? null : op.push;
              column.push(value);
              model.push(value);
            } else if ('pushFrom' in op) {
              column.pushFrom(other, op.pushFrom % given.length);
              model.push(given[op.pushFrom % given.length]);
            } else {
              const length = op.truncate % (model.length + 1);
              column.truncate(length);
              model.length = length;
            }
          }
          assert.equal(column.length, model.length);
          assert.deepEqual(
            model.map((_, row) => comparable(column.get(row))),
            model.map(comparable),
          );
          // and what travels is the same
          const bytes = Buffer.alloc(column.measure());
          assert.equal(column.write(bytes, 0), bytes.length);
          const arrived = createColumn(field);
          arrived.read(bytes, column.form, model.length);
          assert.deepEqual(
            model.map((_, row) => comparable(arrived.get(row))),
            model.map(comparable),
          );
        }),
        { numRuns: 60 },
      );
    }
  });

  test(`what a push to a column of t.${kind} says it will take is right within a factor of three, and some bytes a row`, (t) => {
    holds(
      t,
      fc.property(fc.array(value, { maxLength: 30 }), (values) => {
        const column = createColumn(of);
        const estimate = values.reduce<number>((sum, value) => sum + column.push(value), 0);
        const bytes = column.measure();
        assert.ok(
          bytes <= estimate * 3 + values.length * 4 && estimate <= bytes * 3 + values.length * 18,
          `${estimate} for ${bytes}`,
        );
      }),
      { numRuns: 60 },
    );
  });
}

test('a column that has bytes for fewer or for more rows than it says is refused', (t) => {
  for (const [kind, [of, value]] of Object.entries(KINDS)) {
    for (const field of [of, type.nullable(of)]) {
      const column = createColumn(field);
      for (const one of fc.sample(value, { numRuns: 5, seed: 1 })) column.push(one);
      const bytes = Buffer.alloc(column.measure());
      column.write(bytes, 0);
      t.notThrows(() => createColumn(field).read(bytes, column.form, 5));
      for (const count of [4, 6, 1000]) {
        t.throws(
          () => createColumn(field).read(bytes, column.form, count),
          { instanceOf: Malformed },
          `${kind} ${count}`,
        );
      }
      // a row of a nullable column takes a byte, also when it is null
      t.throws(() => createColumn(type.nullable(field)).read(Buffer.alloc(0), column.form, 3), {
        instanceOf: Malformed,
      });
    }
  }
});

// ---- text --------------------------------------------------------------------------------------------------------

test('strings of any length and script: empty, of 255, 256, 300 and 70 000 characters, of 1 to 4 bytes each', (t) => {
  const long = [
    '',
    'x',
    'ü'.repeat(255),
    'x'.repeat(256),
    '漢'.repeat(300),
    '🌙'.repeat(70_000),
    'x'.repeat(65_535),
    'x'.repeat(65_536),
  ];
  t.deepEqual(trip(type.string, long), long);
  for (const one of long) t.deepEqual(trip(type.string, [one, '', one]), [one, '', one]);
});

test('short ASCII takes a byte a character and one for its length', (t) => {
  t.is(size(type.string, ['the', 'cow', 'jumped']), 12 + 3);
  t.is(size(type.string, ['thé', 'cow']), 7 + 2);
  t.is(size(type.string, ['x'.repeat(256), 'y']), 257 + 2 * 2);
  t.is(size(type.string, ['x'.repeat(65_536), 'y']), 65_537 + 2 * 4);
});

test('half of a surrogate pair is no text: it becomes U+FFFD, as UTF-8 has it, and its neighbours stay whole', (t) => {
  t.deepEqual(trip(type.string, ['a\ud83cb', '🌙', '\udf19']), ['a\ufffdb', '🌙', '\ufffd']);
  holds(
    t,
    fc.property(fc.array(fc.array(fc.integer({ min: 0xd700, max: 0xe000 }), { maxLength: 6 })), (units) => {
      // a row that ends with the first half, before one that begins with the second, would make a pair of them
      const texts = units.map((row) => `${String.fromCharCode(...row)}.`);
      assert.deepEqual(
        trip(type.string, texts),
        texts.map((one) => Buffer.from(one).toString()),
      );
    }),
    { numRuns: 200 },
  );
});

test('the halves of one pair in two neighbouring rows come out as they went in', (t) => {
  t.deepEqual(trip(type.string, ['a\ud83c', '\udf19b']), ['a\ud83c', '\udf19b']);
});

// ---- numbers, dates ----------------------------------------------------------------------------------------------

test('numbers take 4 bytes where all are 32-bit integers, else 8; one −0, NaN or fraction makes all of them doubles', (t) => {
  const whole = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
  t.is(size(type.number, whole), whole.length * 4);
  for (const odd of [
    -0,
    Number.NaN,
    0.5,
    2 ** 31,
    -(2 ** 31) - 1,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    5e-324,
  ]) {
    const values = [...whole, odd, 7];
    t.is(size(type.number, values), values.length * 8);
    const back = trip(type.number, values);
    t.true(
      back.every((value, at) => Object.is(value, values[at])),
      String(odd),
    );
  }
});

test('bigints of any size and sign', (t) => {
  const values = [
    0n,
    -1n,
    2n ** 63n,
    -(2n ** 64n),
    2n ** 64n - 1n,
    10n ** 1000n,
    -(10n ** 1000n),
    2n ** 4_500_000n + 1n,
  ];
  t.true(trip(type.bigint, values).every((value, at) => value === values[at]));
});

test('dates: the first and the last there are, before 1970, and invalid ones', (t) => {
  const values = [new Date(-8.64e15), new Date(8.64e15), new Date(-1), new Date(0), new Date(Number.NaN), new Date()];
  t.deepEqual(trip(type.date, values), values);
});

// ---- bytes and nested values -------------------------------------------------------------------------------------

test('bytes come out as a plain Uint8Array of their own, whatever view they were, over the wire and in the same process', (t) => {
  const memory = Uint8Array.from({ length: 100 }, (_, at) => at);
  const views = [memory.subarray(10, 20), Buffer.from(memory.buffer, 10, 10), new Uint8Array(), Buffer.alloc(0)];
  const column = createColumn(type.bytes);
  for (const view of views) column.push(view);
  for (const [row, value] of trip(type.bytes, views).entries()) {
    for (const one of [value as Uint8Array, column.get(row) as Uint8Array]) {
      t.is(Object.getPrototypeOf(one), Uint8Array.prototype);
      t.deepEqual([...one], [...views[row]]);
      t.is(one.buffer.byteLength, one.length);
    }
  }
});

test('nested values: maps, sets, dates, bigints, undefined, bytes and typed arrays stay what they are', (t) => {
  const value = {
    map: new Map<unknown, unknown>([
      ['a', { b: 1 }],
      [2, new Map([[null, new Set([1n])]])],
    ]),
    set: new Set([1, 'x', 2n ** 100n]),
    dates: [new Date(0), new Date(Number.NaN)],
    nothing: undefined,
    empty: [{}, [], '', null],
    bytes: new Uint8Array([1, 2, 3]),
    floats: new Float32Array([1.5, -2]),
    deep: { deeper: { deepest: [[[['here']]]] } },
  };
  t.deepEqual(trip(type.json(), [value, { ...value }]), [value, value]);
  t.deepEqual(trip(type.any, [undefined, null, 1, 'x', value]), [undefined, null, 1, 'x', value]);
});

test('keys like __proto__ and constructor in nested values do not pollute anything', (t) => {
  const hostile = JSON.parse(
    '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 2}}, "a": 1}',
  ) as unknown;
  const [value] = trip(type.json(), [hostile]) as [Record<string, unknown>];
  t.is(({} as { polluted?: unknown }).polluted, undefined);
  t.is(value.polluted, undefined);
  t.is(Object.getPrototypeOf(value), Object.prototype);
  t.is(value.a, 1);
  const [map] = trip(type.any, [new Map([['__proto__', { polluted: 3 }]])]) as [Map<string, unknown>];
  t.deepEqual(map.get('__proto__'), { polluted: 3 });
  t.is(({} as { polluted?: unknown }).polluted, undefined);
});

// ---- nobody can change what is in a column -----------------------------------------------------------------------

test('what is changed after it was emitted is not seen by anybody', (t) => {
  const value = { list: [1], bytes: new Uint8Array([1]), map: new Map([['a', 1]]) };
  const bytes = new Uint8Array([1, 2]);
  const date = new Date(5);
  const columns = [type.json(), type.any, type.bytes, type.date, type.nullable(type.json())].map(createColumn);
  for (const [at, given] of [value, value, bytes, date, value].entries()) columns[at].push(given);
  value.list.push(2);
  value.bytes[0] = 9;
  value.map.clear();
  bytes[0] = 9;
  date.setTime(77);
  const before = { list: [1], bytes: new Uint8Array([1]), map: new Map([['a', 1]]) };
  t.deepEqual(
    columns.map((column) => column.get(0)),
    [before, before, new Uint8Array([1, 2]), new Date(5), before],
  );
});

test('each reader has objects of its own: what one does to them no other sees, nor a replay', (t) => {
  const value = { list: [1], bytes: new Uint8Array([1]), floats: new Float32Array([1]), set: new Set([1]) };
  const given: [FieldType, unknown][] = [
    [type.json(), value],
    [type.any, value],
    [type.bytes, new Uint8Array([1, 2])],
    [type.date, new Date(5)],
    [type.nullable(type.bytes), new Uint8Array([7])],
  ];
  for (const [field, one] of given) {
    const column = createColumn(field);
    column.push(one);
    const copy = createColumn(field);
    copy.pushFrom(column, 0);
    const first = column.get(0);
    const second = column.get(0);
    t.not(first, second);
    if (first instanceof Uint8Array) first.fill(9);
    else if (first instanceof Date) first.setTime(9);
    else {
      const mine = first as typeof value;
      mine.list.push(2);
      mine.bytes[0] = 9;
      mine.floats[0] = 9;
      mine.set.clear();
    }
    for (const seen of [second, column.get(0), copy.get(0)]) t.deepEqual(seen, one);
  }
});
