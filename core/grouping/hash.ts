/**
 * Hashing of values by value, equal in every process and every run: the base of fields grouping and of stable ids.
 * A value is written in a canonical form (a tag for its type, then its bytes) and hashed by xxHash32.
 *
 * Equal: equal strings, equal bytes (whatever view holds them), equal dates, −0 and 0, any NaN and any NaN, a number
 * and a number. Different: 1, '1', 1n and true. Objects (json fields) compare by their sorted-key JSON.
 */
import createXxhash from 'xxhash-wasm';

const xxhash = await createXxhash();
const encoder = new TextEncoder();

/** One string, the commonest key: no canonical copy is made. */
export function hashString(value: string, seed = 0): number {
  return xxhash.h32(value, seed);
}

export function hashBytes(bytes: Uint8Array, seed = 0): number {
  return xxhash.h32Raw(bytes, seed);
}

/** Hash of a list of values, order and types included. */
export function hashValues(values: readonly unknown[], seed = 0): number {
  if (values.length === 1 && typeof values[0] === 'string') return xxhash.h32(values[0], seed);
  let length = 0;
  for (const value of values) length = write(value, length);
  return xxhash.h32Raw(scratch.subarray(0, length), seed);
}

let scratch = new Uint8Array(1024);
let view = new DataView(scratch.buffer);

function reserve(length: number, more: number): void {
  if (length + more <= scratch.length) return;
  const grown = new Uint8Array(Math.max(scratch.length * 2, length + more));
  grown.set(scratch);
  scratch = grown;
  view = new DataView(grown.buffer);
}

/** Appends the canonical form of `value` at `at`; returns the new length. */
function write(value: unknown, at: number): number {
  switch (typeof value) {
    case 'string':
      return writeText(TAG_STRING, value, at);
    case 'number':
      reserve(at, 9);
      scratch[at] = TAG_NUMBER;
      // + 0 makes −0 into 0; every NaN becomes the one quiet NaN
      view.setFloat64(at + 1, Number.isNaN(value) ? Number.NaN : value + 0, true);
      return at + 9;
    case 'boolean':
      reserve(at, 2);
      scratch[at] = TAG_BOOLEAN;
      scratch[at + 1] = value ? 1 : 0;
      return at + 2;
    case 'bigint':
      return writeText(TAG_BIGINT, value.toString(16), at);
    default:
  }
  if (value === null || value === undefined) {
    reserve(at, 1);
    scratch[at] = TAG_NULL;
    return at + 1;
  }
  if (value instanceof Date) {
    reserve(at, 9);
    scratch[at] = TAG_DATE;
    view.setFloat64(at + 1, value.getTime(), true);
    return at + 9;
  }
  if (value instanceof Uint8Array) {
    reserve(at, 5 + value.length);
    scratch[at] = TAG_BYTES;
    view.setUint32(at + 1, value.length, true);
    scratch.set(value, at + 5);
    return at + 5 + value.length;
  }
  return writeText(TAG_JSON, canonicalJson(value), at);
}

function writeText(tag: number, text: string, at: number): number {
  reserve(at, 5 + text.length * 3);
  const { written } = encoder.encodeInto(text, scratch.subarray(at + 5));
  scratch[at] = tag;
  view.setUint32(at + 1, written, true);
  return at + 5 + written;
}

/** JSON with sorted keys, so that equal objects give equal text however they were built. */
export function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => {
      if (typeof inner === 'bigint') return `${inner}n`;
      if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? 'undefined'
  );
}

const TAG_NULL = 0;
const TAG_STRING = 1;
const TAG_NUMBER = 2;
const TAG_BOOLEAN = 3;
const TAG_BIGINT = 4;
const TAG_DATE = 5;
const TAG_BYTES = 6;
const TAG_JSON = 7;
