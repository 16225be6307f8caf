import test from 'ava';
import fc from 'fast-check';
import { lineFormatter } from '../../bolts/line-format.js';

const fail = (mistake: string) => {
  throw new Error(mistake);
};
const tsv = lineFormatter('tsv', fail);
const jsonl = lineFormatter('jsonl', fail);

test('tsv is the default: the values in declared order, separated by tabs', (t) => {
  t.is(lineFormatter(undefined, fail)({ word: 'a b', count: 3, b: '', a: true }), 'a b\t3\t\ttrue');
  t.is(tsv({}), '');
  t.is(tsv({ only: '' }), '');
});

test('tsv escapes tabs, newlines, carriage returns and backslashes', (t) => {
  t.is(tsv({ a: 'x\ty', b: '\n\r\n', c: '\\t', d: '\\' }), 'x\\ty\t\\n\\r\\n\t\\\\t\t\\\\');
});

test('a tsv line of any strings is one line, and gives them back', (t) => {
  const back: Record<string, string> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.stringMatching(/^[\t\n\r\\tnr]*$/)), { minLength: 1 }), (strings) => {
      const line = tsv({ ...strings });
      t.false(/[\n\r]/.test(line));
      const read = line.split('\t').map((cell) => cell.replace(/\\(.)/g, (_, escaped: string) => back[escaped]));
      t.deepEqual(read, strings);
    }),
  );
});

test('tsv writes every field type as sensible text, and null apart from every string', (t) => {
  const date = new Date(Date.UTC(2024, 1, 29, 12, 30, 0, 5));
  t.is(tsv({ a: 12345678901234567890n, b: -0, c: Number.NaN, d: 1e21 }), '12345678901234567890\t0\tNaN\t1e+21');
  t.is(tsv({ a: date, b: new Uint8Array([0, 255, 16]), c: Buffer.from('hi') }), '2024-02-29T12:30:00.005Z\tAP8Q\taGk=');
  t.is(tsv({ a: null, b: undefined, c: '\\N', d: 'null' }), '\\N\t\\N\t\\\\N\tnull');
  t.is(tsv({ a: { x: [1, 'a\tb', 2n] }, b: [] }), '{"x":[1,"a\\\\tb","2"]}\t[]');
  t.is(tsv({ a: new Date(Number.NaN) }), 'Invalid Date');
});

test('jsonl writes an object a line, with what JSON lacks as strings', (t) => {
  t.is(
    jsonl({ word: 'a\n"b"', count: 3, ok: false, none: null }),
    '{"word":"a\\n\\"b\\"","count":3,"ok":false,"none":null}',
  );
  t.is(
    jsonl({
      n: 12345678901234567890n,
      at: new Date(0),
      raw: new Uint8Array([0, 255, 16]),
      deep: { b: Buffer.from('hi'), n: 1n },
    }),
    '{"n":"12345678901234567890","at":"1970-01-01T00:00:00.000Z","raw":"AP8Q","deep":{"b":"aGk=","n":"1"}}',
  );
});

test('a function writes the line itself, and must return a string', (t) => {
  const format = lineFormatter(({ a }: { a: number }) => `<${a}>`, fail);
  t.is(format({ a: 1 }), '<1>');
  t.throws(() => lineFormatter(() => 7, fail)({}), {
    message: 'format returned 7 (number); expected the line as a string',
  });
});

test('another format is reported', (t) => {
  for (const format of ['csv', 7, null, {}]) {
    t.throws(() => lineFormatter(format, fail), { message: /^format: expected 'tsv', 'jsonl' or a function/ });
  }
});
