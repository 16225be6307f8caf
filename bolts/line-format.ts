import { shown } from '../core/errors.js';
import type { Report } from '../core/topology/options.js';

/**
 * How a tuple becomes a line (without its ending).
 *
 * `tsv`: the values in declared order, separated by tabs; a tab, newline, carriage return or backslash in a value is
 * written \t, \n, \r, \\. Null is \N, bytes are base64, dates ISO 8601, JSON values JSON. (What PostgreSQL and MySQL read.)
 *
 * `jsonl`: a JSON object. bigint is a string of digits, bytes are a base64 string, dates an ISO 8601 string.
 */
export type LineFormat<V> = 'tsv' | 'jsonl' | ((values: V) => string);

/** Writes the values of one tuple as a line, without its ending. */
export type Formatter = (values: Readonly<Record<string, unknown>>) => string;

const FORMATTERS = { tsv: tsvLine, jsonl: jsonLine } satisfies Record<string, Formatter>;

/** The formatter that `format` means; a wrong one is reported. */
export function lineFormatter(format: unknown, report: Report): Formatter {
  if (format === undefined || format === 'tsv') return FORMATTERS.tsv;
  if (format === 'jsonl') return FORMATTERS.jsonl;
  if (typeof format !== 'function') {
    report(`format: expected 'tsv', 'jsonl' or a function from values to a line, found ${shown(format)}`);
    return FORMATTERS.tsv;
  }
  return (values) => {
    const line: unknown = format(values);
    if (typeof line !== 'string') throw new TypeError(`format returned ${shown(line)}; expected the line as a string`);
    return line;
  };
}

const SPECIAL = /[\t\n\r\\]/;
const ESCAPES: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' };

function tsvLine(values: Readonly<Record<string, unknown>>): string {
  let line: string | undefined;
  for (const name in values) {
    const cell = tsvCell(values[name]);
    line = line === undefined ? cell : `${line}\t${cell}`;
  }
  return line ?? '';
}

function tsvCell(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (value === null || value === undefined) return '\\N';
  const text = typeof value === 'string' ? value : plainText(value);
  return SPECIAL.test(text) ? text.replace(/[\t\n\r\\]/g, (special) => ESCAPES[special]) : text;
}

function plainText(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (value instanceof Uint8Array) return base64(value);
  return typeof value === 'object' ? JSON.stringify(value, jsonValue) : String(value);
}

function jsonLine(values: Readonly<Record<string, unknown>>): string {
  for (const name in values) {
    const value = values[name];
    // a replacer costs more than all the rest, so only where it may be needed
    if (typeof value === 'bigint' || (typeof value === 'object' && value !== null)) {
      return JSON.stringify(values, jsonValue);
    }
  }
  return JSON.stringify(values);
}

/** A replacer: `this` has the value as it was before a `toJSON` of its own. */
function jsonValue(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  const original = (this as Record<string, unknown>)[key];
  return original instanceof Uint8Array ? base64(original) : value;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
