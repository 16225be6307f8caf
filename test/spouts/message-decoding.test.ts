import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { t as is } from '../../core/index.js';
import { decoderOf } from '../../spouts/message-decoding.js';
import { holds } from '../support/property.js';

const message = (data: Uint8Array | string) => ({
  subject: 'in.a',
  data: typeof data === 'string' ? Buffer.from(data) : data,
});
function decoder(decode?: unknown, output?: unknown) {
  const mistakes: string[] = [];
  const made = decoderOf(decode, output, (mistake) => void mistakes.push(mistake));
  return { made, mistakes };
}

test('any bytes are handed on as they are by default', (t) => {
  const { made, mistakes } = decoder();
  t.deepEqual(mistakes, []);
  t.deepEqual(Object.keys(made.output), ['subject', 'data']);
  holds(
    t,
    fc.property(fc.uint8Array(), (data) => {
      assert.deepEqual(made.decode(message(data)), { subject: 'in.a', data });
    }),
  );
});

test('any text comes through as text, and what is no UTF-8 throws', (t) => {
  const { made } = decoder('text');
  holds(
    t,
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal((made.decode(message(text)) as { text: string }).text, text.replace(/^\uFEFF/, ''));
    }),
  );
  t.throws(() => made.decode(message(Uint8Array.of(0xff, 0xfe))), { instanceOf: TypeError });
});

test('json gives the declared fields of an object and no others, whatever their names', (t) => {
  const { made } = decoder('json', { n: is.number, constructor: is.any });
  holds(
    t,
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const found = made.decode(message(JSON.stringify(object)));
      assert.deepEqual(Object.keys(found), ['n', 'constructor']);
      assert.deepEqual(found.n, JSON.parse(JSON.stringify(object)).n);
    }),
  );
  t.is(Object.getPrototypeOf(made.decode(message('{"__proto__": {"n": 1}}'))), Object.prototype);
});

test('json of a field that the object lacks is undefined, also where every object has something of its name', (t) => {
  const { made } = decoder('json', { constructor: is.any, toString: is.any });
  t.deepEqual(made.decode(message('{}')), { constructor: undefined, toString: undefined } as never);
});

test('what is no JSON object throws, and says what it is', (t) => {
  const { made } = decoder('json', { n: is.number });
  for (const text of ['', '{', '1', 'null', '"x"', '[1]']) t.throws(() => made.decode(message(text)));
  t.throws(() => made.decode(message('[1]')), { message: /expected a JSON object, found \[1\]/ });
});

test('a function decodes; one that returns no values throws', (t) => {
  const { made } = decoder(({ data }: { data: Uint8Array }) => ({ n: data.length }), { n: is.number });
  t.deepEqual(made.decode(message('abc')), { n: 3 });
  const { made: none } = decoder(() => 5, { n: is.number });
  t.throws(() => none.decode(message('abc')), { message: /decode returned 5 \(number\); expected values/ });
});

test('json without output, output without json, and an unknown word are mistakes that say what is expected', (t) => {
  t.regex(decoder('json').mistakes[0], /output: expected the fields/);
  t.regex(decoder('text', { n: is.number }).mistakes[0], /output: stands with decode: 'json' or a function only/);
  t.regex(decoder('xml').mistakes[0], /decode: expected 'bytes', 'text', 'json' or a function/);
});
