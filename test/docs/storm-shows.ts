/** What the tests of `docs/coming-from-storm.md` share. */
import test, { type ExecutionContext } from 'ava';
import { feeder } from '../../core/testing/index.js';
import { t as is } from '../../core/topology/fields.js';

/** Rows of Storm's that a test has shown. */
export const shown = new Set<string>();

/** A test that shows the counterpart of a row. */
export function shows(row: string, claim: string, body: (t: ExecutionContext) => Promise<void> | void): void {
  shown.add(row);
  test(`${row}: ${claim}`, body);
}

export const N = { n: is.number };
export const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
export const source = (attempts = 10) => feeder(N, { retry: { attempts } });
