import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { isSquallError } from '../../core/errors.js';
import { type FieldType, t as type } from '../../core/topology/fields.js';
import { RowLayout } from '../../core/wire/layout.js';
import { holds } from '../support/property.js';
import { batchOf, layoutOf, overTheWire, type Row, rowsOf } from './trip.js';

// ---- what fits, and why not --------------------------------------------------------------------------------------

test('values fit when every declared field has a value of its type', (t) => {
  const cases: [FieldType, unknown[], unknown[]][] = [
    [type.string, ['', 'x'], [1, null, undefined, new String('x')]],
    [type.number, [0, Number.NaN], ['1', 1n, null]],
    [type.bigint, [0n], [0, '0']],
    [type.boolean, [true, false], [0, 'true', null]],
    [type.bytes, [new Uint8Array(), Buffer.from('x')], ['x', [1], new ArrayBuffer(1), new Uint16Array(1)]],
    [type.date, [new Date(), new Date(Number.NaN)], [0, '2020-01-01']],
    [type.json(), [null, 0, 'x', {}, []], [undefined]],
    [type.any, [undefined, null, 0, {}], []],
    [type.nullable(type.string), [null, ''], [undefined, 0]],
    [type.nullable(type.date), [null, new Date()], [0]],
  ];
  for (const [field, good, bad] of cases) {
    const layout = layoutOf({ before: type.number, x: field });
    for (const x of good) t.true(layout.fits({ before: 1, x }), `${field.kind} ${String(x)}`);
    for (const x of bad) t.false(layout.fits({ before: 1, x }), `${field.kind} ${String(x)}`);
    t.false(layout.fits({ x: good[0] }), 'the other field is missing');
  }
});

test('what is no object fits nothing, also where nothing is declared', (t) => {
  for (const layout of [layoutOf({}), layoutOf({ x: type.any })]) {
    for (const values of [null, undefined, 1, 'x']) t.false(layout.fits(values as unknown as Row));
    t.true(layout.fits({}));
  }
});

test('a refusal names the first field that does not fit, what it expects, what it got, and where', (t) => {
  const layout = layoutOf({ word: type.string, count: type.number, at: type.nullable(type.date) });
  const refusals: [unknown, RegExp][] = [
    [{ word: 'x', count: '7', at: null }, /^split\[0\]: field "count" expects number, got '7' \(string\)$/],
    [{ count: 7, at: null }, /field "word" expects string, got undefined$/],
    [{ word: 'x', count: 7, at: 5 }, /field "at" expects date or null, got 5 \(number\)$/],
    [null, /emit expects an object of values, got null$/],
    ['x', /emit expects an object of values, got 'x' \(string\)$/],
    [
      { word: 'x', count: 7, at: null, wrod: 1 },
      /a field "wrod" that the stream does not declare; it declares word, count, at$/,
    ],
  ];
  for (const [values, says] of refusals) {
    const error = layout.refusal(values, 'split[0]');
    t.true(isSquallError(error));
    t.is(error.code, 'ERR_SQUALL_EMIT');
    t.regex(error.message, says);
  }
  t.deepEqual(layout.refusal({ word: 1 }, '').facts, { field: 'word', expected: 'string' });
});

test('a value whose field is not declared is found, and only own fields count', (t) => {
  const layout = layoutOf({ word: type.string });
  t.is(layout.undeclared({ word: 'x' }, ''), undefined);
  t.is(layout.undeclared(Object.create({ inherited: 1 }) as Row, ''), undefined);
  t.deepEqual(layout.undeclared({ word: 'x', '': 1 }, 'a')?.facts, { field: '' });
  t.regex(layoutOf({}).undeclared({ x: 1 }, 'a')?.message ?? '', /it declares none$/);
});

// ---- rows --------------------------------------------------------------------------------------------------------

test("a bolt reads the fields it declared, in its order; without a declaration all, in the stream's order", (t) => {
  const layout = layoutOf({ a: type.number, b: type.string, c: type.date, d: type.nullable(type.boolean) });
  const { columns } = batchOf(layout, [{ a: 1, b: 'x', c: new Date(5), d: null }]);
  const some = layout.reader([
    { name: 'd', type: type.nullable(type.boolean) },
    { name: 'b', type: type.string },
  ])(columns, 0);
  t.deepEqual(Object.entries(some), [
    ['d', null],
    ['b', 'x'],
  ]);
  t.deepEqual(Object.keys(layout.all(columns, 0)), ['a', 'b', 'c', 'd']);
  t.deepEqual(layout.reader([])(columns, 0), {});
});

test('a row is an object of its own with the declared fields only', (t) => {
  const layout = layoutOf({ a: type.number });
  const { columns } = batchOf(layout, [{ a: 1, undeclared: 2 }]);
  const [one, other] = [layout.all(columns, 0), layout.all(columns, 0)];
  t.not(one, other);
  t.deepEqual(one, { a: 1 });
  t.is(Object.getPrototypeOf(one), Object.prototype);
});

test('a stream without fields carries rows all the same', (t) => {
  t.deepEqual(overTheWire(layoutOf({}), [{}, {}, {}]), [{}, {}, {}]);
});

// ---- names in generated code -------------------------------------------------------------------------------------

const ODD = [
  'constructor',
  'prototype',
  '__proto__',
  '__defineGetter__',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'then',
  'row',
  'rows',
  'columns',
  'column',
  'values',
  'error',
  'fits',
  'types',
  'return',
  'class',
  'this',
  'arguments',
  'eval',
  'a-b',
  'a b',
  '0',
  '-1',
  '1e3',
  '',
  ' ',
  "'",
  '"',
  '`',
  '\\',
  '\\"',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what a hostile name would be
  '${values}',
  ']',
  '];throw 1;//',
  '*/',
  '//',
  '<!--',
  'line\nbreak',
  'carriage\rreturn',
  '\u2028',
  '\u2029',
  '\0',
  'ünïcödé',
  '漢字',
  '🌙',
  '\ud800',
];

test('field names that are odd, reserved or hostile are names like any other in the generated code', (t) => {
  // all at once, and each alone: of every kind of column, and of those that may throw
  for (const names of [ODD, ...ODD.map((name) => [name])]) {
    for (const [field, value] of [
      [type.string, 'x'],
      [type.json(), { y: 1 }],
      [type.nullable(type.number), 7],
    ] as const) {
      const layout = new RowLayout({
        name: 'default',
        direct: false,
        fields: names.map((name) => ({ name, type: field })),
      });
      const row = Object.create(null) as Row;
      for (const name of names) row[name] = value;
      t.true(layout.fits(row));
      const [back] = overTheWire(layout, [row]);
      t.deepEqual(Object.getOwnPropertyNames(back).sort(), [...names].sort());
      for (const name of names) t.deepEqual(Object.getOwnPropertyDescriptor(back, name)?.value, value);
      t.is(Object.getPrototypeOf(back), Object.prototype);
      t.deepEqual(Object.keys(layout.reader(layout.fields.slice(0, 1))(batchOf(layout, [row]).columns, 0)), [names[0]]);
    }
  }
  t.is(({} as { y?: unknown }).y, undefined);
});

test('a field called constructor or toString is missing when a row has none of its own', (t) => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    const layout = new RowLayout({ name: 'default', direct: false, fields: [{ name, type: type.string }] });
    t.false(layout.fits({}));
    t.regex(layout.refusal({}, '').message, /expects string, got/);
  }
});

test('any names at all are safe', (t) => {
  const names = fc.uniqueArray(fc.string({ unit: 'binary' }), { maxLength: 6 });
  holds(
    t,
    fc.property(names, (names) => {
      const layout = new RowLayout({
        name: 'default',
        direct: false,
        fields: names.map((name) => ({ name, type: type.number })),
      });
      const row = Object.fromEntries(names.map((name, at) => [name, at]));
      assert.ok(layout.fits(row));
      assert.deepEqual(overTheWire(layout, [row, row]), [row, row]);
    }),
    { numRuns: 60 },
  );
});

// ---- a row that cannot be packed ---------------------------------------------------------------------------------

test('a row with a value that cannot be packed leaves nothing behind: the rows before and after it stay whole', (t) => {
  const cycle: Row = {};
  cycle.self = cycle;
  const unpackable = [
    cycle,
    Symbol('x'),
    { deep: [Symbol('x')] },
    {
      get bad(): never {
        throw new Error('no');
      },
    },
  ];
  const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'));
  const value = fc.oneof({ weight: 3, arbitrary: json }, { weight: 1, arbitrary: fc.constantFrom(...unpackable) });
  const rows = fc.array(
    fc.record({ text: fc.string(), first: value, n: fc.integer(), maybe: fc.option(value), last: value }),
    { maxLength: 12 },
  );
  const fields = {
    text: type.string,
    first: type.json(),
    n: type.number,
    maybe: type.nullable(type.json()),
    last: type.any,
  };
  let refused = 0;
  holds(
    t,
    fc.property(rows, (rows) => {
      const layout = layoutOf(fields);
      const batch = batchOf(layout, []);
      const kept: Row[] = [];
      for (const row of rows) {
        try {
          layout.push(batch.columns, row);
          kept.push(row);
        } catch {
          refused += 1;
        }
        assert.deepEqual(
          batch.columns.map(({ length }) => length),
          Array(5).fill(kept.length),
        );
      }
      batch.count = kept.length;
      assert.deepEqual(
        rowsOf(batch),
        kept.map((row) => JSON.parse(JSON.stringify(row))),
      );
    }),
    { numRuns: 60 },
  );
  t.true(refused > 10);
});
