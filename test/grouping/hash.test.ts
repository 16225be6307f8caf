import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { canonicalJson, hashBytes, hashString, hashValues } from '../../core/grouping/hash.js';
import { holds } from '../support/property.js';

const utf8 = new TextEncoder();

test('strings and bytes hash as xxHash32 says', (t) => {
  // test vectors of the algorithm's own specification and test suite
  t.is(hashString(''), 0x02cc5d05);
  t.is(hashString('a'), 0x550d7456);
  t.is(hashString('abc'), 0x32d153ff);
  t.is(hashString('Nobody inspects the spammish repetition'), 0xe2293b2f);
  t.is(hashBytes(utf8.encode('abc')), 0x32d153ff);
});

/** Nothing may ever change here: a resumed run would send equal keys to other tasks than before. */
const GOLDEN: readonly (readonly [readonly unknown[], number])[] = [
  [['the'], 0x41781a45],
  [['moon'], 0x08afc316],
  [['日本語'], 0xc8ae20bd],
  [[''], 0x02cc5d05],
  [[0], 0x9f14c998],
  [[1], 0x1ec751d9],
  [[-1], 0xb7f8158e],
  [[1.5], 0x3b497155],
  [[1e15], 0x305e539a],
  [[Number.NaN], 0x2a5c44b7],
  [[Number.POSITIVE_INFINITY], 0xdcdf9067],
  [[true], 0xfa302659],
  [[false], 0xe3bf9359],
  [[null], 0xcf65b03e],
  [['the', 1], 0x9a7a3d4a],
  [['a', 'b', 'c'], 0x99e6e78b],
  [[[1, 'two', null]], 0x89155264],
  [[{ b: 1, a: { d: 2, c: 3 } }], 0x2be4b8af],
  [[12345678901234567890n], 0x30c01e58],
  [[-1n], 0x78674ea7],
  [[new Date(0)], 0x4f517751],
  [[new Uint8Array([1, 2, 3])], 0x64f56698],
  [['card', 7n, new Date(1e12)], 0x50d87226],
];

test('hashes are pinned: every release sends equal values to the same task', (t) => {
  t.deepEqual(
    GOLDEN.map(([values]) => hashValues(values)),
    GOLDEN.map(([, hash]) => hash),
  );
});

test('another process computes the same hashes, whatever it has hashed before', async (t) => {
  const module = new URL('../../core/grouping/hash.js', import.meta.url).href;
  const values = GOLDEN.slice(0, 9).map(([values]) => values);
  const script = `
    import { hashValues } from ${JSON.stringify(module)};
    const all = JSON.parse(process.argv[1]).reverse();
    hashValues(['x'.repeat(5000), 1]);
    console.log(JSON.stringify(all.map((values) => hashValues(values)).reverse()));
  `;
  const args = ['--input-type=module', '-e', script, JSON.stringify(values)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  t.deepEqual(
    JSON.parse(stdout),
    values.map((one) => hashValues(one)),
  );
});

/** A NaN with other bits than the usual one. */
function oddNaN(): number {
  return new Float64Array(new BigUint64Array([0xfff8dead_beef0001n]).buffer)[0];
}

test('equal values meet: −0 and 0, any two NaN, equal dates, equal bytes in any view, equal objects in any order', (t) => {
  const bytes = utf8.encode('--words--').subarray(2, 7);
  const pairs: [unknown, unknown][] = [
    [-0, 0],
    [Number.NaN, oddNaN()],
    [new Date(1234), new Date(1234)],
    [new Date(Number.NaN), new Date('never')],
    [bytes, Buffer.from('words')],
    [bytes, utf8.encode('words')],
    [new Uint8Array(), Buffer.alloc(0)],
    [
      { a: 1, b: { c: [2], d: null } },
      { b: { d: null, c: [2] }, a: 1 },
    ],
    [[{ x: 1, y: 2 }], [{ y: 2, x: 1 }]],
    [12n, BigInt('12')],
    [null, undefined],
    ['e', String.fromCharCode(101)],
  ];
  for (const [one, other] of pairs) {
    t.is(hashValues([one]), hashValues([other]));
    t.is(hashValues(['before', one, 'after']), hashValues(['before', other, 'after']));
  }
});

test('different values are told apart, by type, by content, by where one ends and the next begins', (t) => {
  const all: (readonly unknown[])[] = [
    [1],
    ['1'],
    [1n],
    [-1n],
    [true],
    [false],
    [0],
    [''],
    [null],
    [null, null],
    [new Date(1)],
    [new Date(0)],
    [utf8.encode('1')],
    [new Uint8Array()],
    [new Uint8Array(1)],
    [{}],
    [[]],
    [[1]],
    [{ a: 1 }],
    [{ a: '1' }],
    [{ a: 1n }],
    ['{"a":1}'],
    ['ab', 'c'],
    ['a', 'bc'],
    ['abc'],
    ['c', 'ab'],
    [utf8.encode('ab'), utf8.encode('c')],
    [utf8.encode('a'), utf8.encode('bc')],
    [1.5],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY],
    [Number.MAX_SAFE_INTEGER],
  ];
  const hashes = new Map(all.map((values) => [hashValues(values), values]));
  t.is(hashes.size, all.length);
});

test('a lone string hashes as hashString does, with any seed, and seeds give different hashes', (t) => {
  holds(
    t,
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 0xffff }), (text, seed) => {
      assert.equal(hashValues([text]), hashString(text));
      assert.equal(hashValues([text], seed), hashString(text, seed));
      assert.notEqual(hashString(text, seed), hashString(text, seed + 1));
      assert.equal(hashValues([text, 1], seed), hashValues([text, 1], seed));
    }),
  );
});

const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array(),
  fc.jsonValue(),
);

test('the hash of values is that of their copies, and an unsigned 32-bit integer', (t) => {
  holds(
    t,
    fc.property(fc.array(value, { maxLength: 5 }), (values) => {
      const hash = hashValues(values);
      assert.equal(hashValues(structuredClone(values)), hash);
      assert.equal(hash, hash >>> 0);
    }),
    { numRuns: 300 },
  );
});

test('values of any length hash alike before and after the scratch space has grown, and to their last byte', (t) => {
  for (const length of [1000, 1023, 1024, 5000, 100_000]) {
    const text = 'ü'.repeat(length);
    const first = hashValues(['key', text, 7]);
    t.is(hashValues(['key', text, 7]), first);
    t.not(hashValues(['key', `${text.slice(1)}u`, 7]), first);
    t.not(hashValues(['kez', text, 7]), first);
    t.not(hashValues(['key', text, 8]), first);
    const bytes = new Uint8Array(length).fill(7);
    const ofBytes = hashValues([1, bytes, null]);
    bytes[length - 1] = 8;
    t.not(hashValues([1, bytes, null]), ofBytes);
  }
});

test('a key named __proto__ in an object is a key like any other', (t) => {
  const one = JSON.parse('{"__proto__": 1, "a": 2}') as unknown;
  const other = JSON.parse('{"a": 2, "__proto__": 2}') as unknown;
  t.not(hashValues([one]), hashValues([other]));
  t.is(canonicalJson(one), '{"__proto__":1,"a":2}');
});
