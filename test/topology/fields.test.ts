import test from 'ava';
import { t as type } from '../../core/index.js';
import { carries, declareFields, type FieldType, type StandardSchema, typeName } from '../../core/topology/fields.js';

const schema: StandardSchema<string> = {
  '~standard': { version: 1, vendor: 'some', validate: (value) => ({ value }) },
};

function declare(fields: unknown) {
  const mistakes: string[] = [];
  return { fields: declareFields(fields, 'input', (mistake) => mistakes.push(mistake)), mistakes };
}

test('fields keep their declared order and are frozen', (t) => {
  const { fields, mistakes } = declare({ z: type.string, a: type.nullable(type.date), m: type.json() });
  t.deepEqual(
    fields.map(({ name, type }) => [name, typeName(type)]),
    [
      ['z', 'string'],
      ['a', 'nullable(date)'],
      ['m', 'json'],
    ],
  );
  t.deepEqual(mistakes, []);
  t.true(Object.isFrozen(fields) && fields.every((field) => Object.isFrozen(field)));
});

test('a Standard Schema is accepted as a field type, as an object, as a function and within nullable', (t) => {
  const callable = Object.assign(() => {}, schema);
  const { fields, mistakes } = declare({ a: schema, b: callable, c: type.nullable(schema) });
  t.deepEqual(mistakes, []);
  t.deepEqual(
    fields.map(({ type }) => typeName(type)),
    ['standard(some)', 'standard(some)', 'nullable(standard(some))'],
  );
  t.is(fields[0].type.schema, schema);
  t.is(fields[1].type.schema, callable);
  t.is(fields[2].type.inner?.schema, schema);
});

test('what is no field type is refused by the name of its field', (t) => {
  const { mistakes } = declare({
    word: 'string',
    json: type.json,
    maybe: type.nullable,
    built: String,
    odd: { kind: 'odd' },
    inner: { kind: 'nullable', inner: { kind: 'odd' } },
    nothing: undefined,
    '': type.string,
  });
  t.is(mistakes.length, 8);
  t.regex(mistakes[0], /^input: field 'word' has no type: expected t\.string, .*, found 'string' \(string\)$/);
  t.regex(mistakes[1], /'json'.*call it: t\.json\(\)/);
  t.regex(mistakes[2], /'maybe'.*call it: t\.nullable\(t\.string\)/);
  t.regex(mistakes[3], /'built'.*found function String/);
  t.regex(mistakes[4], /'odd'/);
  t.regex(mistakes[5], /'inner'/);
  t.regex(mistakes[6], /'nothing'.*found undefined/);
  t.regex(mistakes[7], /empty name/);
});

test('a field named __proto__ is refused, whether it is a key or makes a prototype', (t) => {
  for (const fields of [
    { ['__proto__']: type.string },
    { __proto__: type.string },
    { __proto__: schema, a: type.string },
  ]) {
    t.deepEqual(declare(fields).mistakes, [`input: a field cannot be named '__proto__'; choose another name`]);
  }
});

test('fields that are no record are refused', (t) => {
  for (const fields of [null, 3, ['word'], type.string, schema]) {
    t.regex(declare(fields).mistakes.join(), /^input: expected fields such as \{ word: t\.string \}, found/);
  }
});

test('a field carries what it can be told to carry', (t) => {
  const { any, boolean, bytes, date, json, nullable, number, string } = type;
  const standard: FieldType = { kind: 'standard', schema };
  const right: [FieldType, FieldType][] = [
    [string, string],
    [string, nullable(string)],
    [nullable(string), nullable(string)],
    [string, any],
    [any, date],
    [nullable(date), any],
    [standard, number],
    [bytes, standard],
    [number, json()],
    [json(), boolean],
    [nullable(number), json()],
    [json(), nullable(string)],
  ];
  const wrong: [FieldType, FieldType][] = [
    [string, number],
    [nullable(string), string],
    [nullable(string), nullable(number)],
    [type.bigint, number],
    [date, json()],
    [json(), bytes],
    [nullable(date), json()],
  ];
  for (const [given, taken] of right) t.true(carries(given, taken), `${typeName(given)} → ${typeName(taken)}`);
  for (const [given, taken] of wrong) t.false(carries(given, taken), `${typeName(given)} → ${typeName(taken)}`);
});
