/**
 * Values of one field, one below the other: the form in which tuples are collected, sent, received and kept for replay.
 *
 * Invariant: what is in a column can no longer be changed by anybody. Strings, numbers, booleans and bigints are
 * immutable; dates are kept as numbers, bytes as a copy, everything else as MessagePack. `get` builds a value that
 * belongs to whoever asked. So a batch may be shared between a sender, its ledger and a receiver in the same process.
 *
 * Encoded: u8 form, u32 length of what follows, then the payload. Little-endian; decoders never trust a length.
 */
import { Packr } from 'msgpackr';
import type { FieldType } from '../topology/fields.js';
import { Malformed } from './malformed.js';

export interface Column {
  /** rows in it */
  readonly length: number;
  /** appends; returns the bytes it will take on the wire, within a factor of three for text */
  push(value: unknown): number;
  /** appends row `row` of a column of the same field */
  pushFrom(other: Column, row: number): number;
  get(row: number): unknown;
  /** forgets everything from `length` on */
  truncate(length: number): void;
  /** exact size of rows 0 … count − 1 on the wire, without the five bytes in front; keeps what `write` needs */
  measure(): number;
  /** writes what `measure` measured; returns the position behind it */
  write(into: Buffer, at: number): number;
  /** fills this empty column from the `bytes` that `write` made of `count` rows; throws Malformed */
  read(bytes: Buffer, form: number, count: number): void;
  /** first byte on the wire: which of the column's forms `measure` chose */
  readonly form: number;
}

export function createColumn(type: FieldType): Column {
  switch (type.kind) {
    case 'string':
      return new StringColumn();
    case 'number':
      return new NumberColumn();
    case 'boolean':
      return new BooleanColumn();
    case 'bigint':
      return new BigintColumn();
    case 'date':
      return new DateColumn();
    case 'bytes':
      return new BlobColumn(copyOf, copyOf);
    case 'nullable':
      return new NullableColumn(createColumn(type.inner as FieldType));
    default:
      return new BlobColumn(pack, unpack);
  }
}

/** Is `value` one that a field of this type can carry? For the message of an emit that is refused. */
export function fits(type: FieldType, value: unknown): boolean {
  switch (type.kind) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return typeof value === type.kind;
    case 'date':
      return value instanceof Date;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'nullable':
      return value === null || fits(type.inner as FieldType, value);
    case 'json':
      return value !== undefined;
    default:
      return true;
  }
}

/** Text as one run of UTF-8 (or ASCII, which is written and read several times faster) and a length in UTF-16 units. */
class StringColumn implements Column {
  readonly v: string[] = [];
  form = 0;
  #joined = '';

  get length(): number {
    return this.v.length;
  }
  push(value: unknown): number {
    this.v.push(value as string);
    return (value as string).length + 2;
  }
  pushFrom(other: Column, row: number): number {
    return this.push((other as StringColumn).v[row]);
  }
  get(row: number): unknown {
    return this.v[row];
  }
  truncate(length: number): void {
    this.v.length = length;
  }
  measure(): number {
    let longest = 0;
    for (const text of this.v) if (text.length > longest) longest = text.length;
    this.#joined = this.v.join('');
    const bytes = Buffer.byteLength(this.#joined, 'utf8');
    const width = longest < 0x100 ? 1 : longest < 0x10000 ? 2 : 4;
    this.form = width | (bytes === this.#joined.length ? ASCII : 0);
    return this.v.length * width + bytes;
  }
  write(into: Buffer, at: number): number {
    const width = this.form & WIDTH;
    for (const text of this.v) {
      if (width === 1) into[at] = text.length;
      else if (width === 2) into.writeUInt16LE(text.length, at);
      else into.writeUInt32LE(text.length, at);
      at += width;
    }
    at += this.form & ASCII ? into.write(this.#joined, at, 'latin1') : into.write(this.#joined, at, 'utf8');
    this.#joined = '';
    return at;
  }
  read(bytes: Buffer, form: number, count: number): void {
    const width = form & WIDTH;
    if ((width !== 1 && width !== 2 && width !== 4) || count * width > bytes.length)
      throw new Malformed('string lengths');
    const start = count * width;
    const all = form & ASCII ? bytes.toString('latin1', start) : bytes.toString('utf8', start);
    const v = this.v;
    v.length = count;
    let at = 0;
    for (let row = 0; row < count; row++) {
      const length = width === 1 ? bytes[row] : width === 2 ? bytes.readUInt16LE(row * 2) : bytes.readUInt32LE(row * 4);
      v[row] = all.substring(at, at + length);
      at += length;
    }
    if (at !== all.length) throw new Malformed('string lengths');
  }
}
const WIDTH = 7;
const ASCII = 8;

/** 32-bit integers where all are, else doubles. */
class NumberColumn implements Column {
  readonly v: number[] = [];
  form = 0;

  get length(): number {
    return this.v.length;
  }
  push(value: unknown): number {
    this.v.push(value as number);
    return 8;
  }
  pushFrom(other: Column, row: number): number {
    return this.push((other as NumberColumn).v[row]);
  }
  get(row: number): unknown {
    return this.v[row];
  }
  truncate(length: number): void {
    this.v.length = length;
  }
  measure(): number {
    this.form = this.v.every(isInt32) ? INT32 : DOUBLE;
    return this.v.length * this.form;
  }
  write(into: Buffer, at: number): number {
    for (const value of this.v) at = this.form === INT32 ? into.writeInt32LE(value, at) : into.writeDoubleLE(value, at);
    return at;
  }
  read(bytes: Buffer, form: number, count: number): void {
    if ((form !== INT32 && form !== DOUBLE) || bytes.length !== count * form) throw new Malformed('numbers');
    const v = this.v;
    if (form === INT32) for (let row = 0; row < count; row++) v.push(bytes.readInt32LE(row * 4));
    else for (let row = 0; row < count; row++) v.push(bytes.readDoubleLE(row * 8));
  }
}
const INT32 = 4;
const DOUBLE = 8;
/** −0 is no 32-bit integer */
const isInt32 = (value: number): boolean => (value | 0) === value && (value !== 0 || 1 / value > 0);

class DateColumn extends NumberColumn {
  override push(value: unknown): number {
    return super.push((value as Date).getTime());
  }
  override pushFrom(other: Column, row: number): number {
    return super.push((other as DateColumn).v[row]);
  }
  override get(row: number): unknown {
    return new Date(this.v[row]);
  }
}

class BooleanColumn implements Column {
  readonly v: boolean[] = [];
  readonly form = 0;

  get length(): number {
    return this.v.length;
  }
  push(value: unknown): number {
    this.v.push(value as boolean);
    return 1;
  }
  pushFrom(other: Column, row: number): number {
    return this.push((other as BooleanColumn).v[row]);
  }
  get(row: number): unknown {
    return this.v[row];
  }
  truncate(length: number): void {
    this.v.length = length;
  }
  measure(): number {
    return this.v.length;
  }
  write(into: Buffer, at: number): number {
    for (const value of this.v) into[at++] = value ? 1 : 0;
    return at;
  }
  read(bytes: Buffer, _form: number, count: number): void {
    if (bytes.length !== count) throw new Malformed('booleans');
    for (let row = 0; row < count; row++) this.v.push(bytes[row] === 1);
  }
}

/** Any size, as hexadecimal text. */
class BigintColumn implements Column {
  readonly v: bigint[] = [];
  #texts = new StringColumn();

  get length(): number {
    return this.v.length;
  }
  get form(): number {
    return this.#texts.form;
  }
  push(value: unknown): number {
    this.v.push(value as bigint);
    const size = value as bigint;
    return size < 1n << 64n && size > -(1n << 64n) ? 18 : size.toString(16).length + 2;
  }
  pushFrom(other: Column, row: number): number {
    return this.push((other as BigintColumn).v[row]);
  }
  get(row: number): unknown {
    return this.v[row];
  }
  truncate(length: number): void {
    this.v.length = length;
  }
  measure(): number {
    this.#texts = new StringColumn();
    for (const value of this.v) this.#texts.push(value.toString(16));
    return this.#texts.measure();
  }
  write(into: Buffer, at: number): number {
    return this.#texts.write(into, at);
  }
  read(bytes: Buffer, form: number, count: number): void {
    const texts = new StringColumn();
    texts.read(bytes, form, count);
    for (const text of texts.v) {
      if (!/^-?[0-9a-f]+$/.test(text)) throw new Malformed('bigint');
      this.v.push(text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`));
    }
  }
}

/** Bytes per row: raw bytes, or a value packed at the moment of `push`, so that later changes to it are not seen. */
class BlobColumn implements Column {
  readonly v: Uint8Array[] = [];
  readonly form = 0;
  readonly #freeze: (value: unknown) => Uint8Array;
  readonly #thaw: (bytes: Uint8Array) => unknown;

  constructor(freeze: (value: unknown) => Uint8Array, thaw: (bytes: Uint8Array) => unknown) {
    this.#freeze = freeze;
    this.#thaw = thaw;
  }
  get length(): number {
    return this.v.length;
  }
  push(value: unknown): number {
    const bytes = this.#freeze(value);
    this.v.push(bytes);
    return bytes.length + 4;
  }
  pushFrom(other: Column, row: number): number {
    const bytes = (other as BlobColumn).v[row];
    this.v.push(bytes);
    return bytes.length + 4;
  }
  get(row: number): unknown {
    return this.#thaw(this.v[row]);
  }
  truncate(length: number): void {
    this.v.length = length;
  }
  measure(): number {
    let bytes = this.v.length * 4;
    for (const blob of this.v) bytes += blob.length;
    return bytes;
  }
  write(into: Buffer, at: number): number {
    for (const blob of this.v) at = into.writeUInt32LE(blob.length, at);
    for (const blob of this.v) {
      into.set(blob, at);
      at += blob.length;
    }
    return at;
  }
  read(bytes: Buffer, _form: number, count: number): void {
    if (count * 4 > bytes.length) throw new Malformed('blob lengths');
    let at = count * 4;
    for (let row = 0; row < count; row++) {
      const length = bytes.readUInt32LE(row * 4);
      if (at + length > bytes.length) throw new Malformed('blob lengths');
      this.v.push(copyOf(bytes.subarray(at, at + length)));
      at += length;
    }
    if (at !== bytes.length) throw new Malformed('blob lengths');
  }
}

class NullableColumn implements Column {
  readonly inner: Column;
  /** which row of `inner` a row is; −1 for null */
  readonly #rows: number[] = [];
  #innerCount = 0;
  #innerBytes = 0;

  constructor(inner: Column) {
    this.inner = inner;
  }
  get length(): number {
    return this.#rows.length;
  }
  get form(): number {
    return this.inner.form;
  }
  push(value: unknown): number {
    if (value === null) return this.#pushNull();
    this.#rows.push(this.#innerCount++);
    return 1 + this.inner.push(value);
  }
  pushFrom(other: Column, row: number): number {
    const from = other as NullableColumn;
    if (from.#rows[row] < 0) return this.#pushNull();
    this.#rows.push(this.#innerCount++);
    return 1 + this.inner.pushFrom(from.inner, from.#rows[row]);
  }
  #pushNull(): number {
    this.#rows.push(-1);
    return 1;
  }
  get(row: number): unknown {
    const inner = this.#rows[row];
    return inner < 0 ? null : this.inner.get(inner);
  }
  truncate(length: number): void {
    for (let row = length; row < this.#rows.length; row++) if (this.#rows[row] >= 0) this.#innerCount--;
    this.#rows.length = length;
    this.inner.truncate(this.#innerCount);
  }
  measure(): number {
    this.#innerBytes = this.inner.measure();
    return this.#rows.length + this.#innerBytes;
  }
  write(into: Buffer, at: number): number {
    for (const row of this.#rows) into[at++] = row < 0 ? 0 : 1;
    return this.inner.write(into, at);
  }
  read(bytes: Buffer, form: number, count: number): void {
    if (count > bytes.length) throw new Malformed('nulls');
    for (let row = 0; row < count; row++) this.#rows.push(bytes[row] === 1 ? this.#innerCount++ : -1);
    this.inner.read(bytes.subarray(count), form, this.#innerCount);
  }
}

/** Record structures on: only then do Maps stay Maps. */
const packr = new Packr({ moreTypes: true });

function pack(value: unknown): Uint8Array {
  return copyOf(packr.pack(value));
}
function unpack(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}
/** Never a Buffer, whatever came: its `slice` and `toString` are others. */
function copyOf(value: unknown): Uint8Array {
  return new Uint8Array(value as Uint8Array);
}
