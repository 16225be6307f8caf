/** That the suites blame, on real processes. Good ones are checked in `docs/own-connectors.md`, all in `npm run test:faults`. */
import test, { type ExecutionContext } from 'ava';
import type { SquallError } from '../../../core/index.js';
import { checkSink, checkSource, type Violation } from '../../../core/testing/index.js';
import { ofLines, toFile, toFolder } from './cases.js';

const COUNT = 200;
/** Most of it is the machine's other work. */
const WITHIN_MS = 300_000;

/** A kill that comes between two pages, or two writes, shows nothing: that all of so many do is not to be expected. */
const MOST_ROUNDS = 6;

/** The promises that the first round to find something found broken. */
async function violations(t: ExecutionContext, check: () => Promise<unknown>): Promise<string[]> {
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const error = await check().then(
      () => undefined,
      (thrown: SquallError) => thrown,
    );
    if (error === undefined) continue;
    t.is(error.code, 'ERR_SQUALL_CONFORMANCE', error.message);
    t.regex(error.message, /\{ seed: \d+ \}/);
    return (error.facts.violations as readonly Violation[]).map(({ promise }) => promise);
  }
  return [];
}

const short = (t: ExecutionContext) => {
  t.timeout(WITHIN_MS);
  return { count: COUNT, log: (line: string) => t.log(line) };
};

test.serial('a source whose position is the end of its page is caught', async (t) => {
  t.true((await violations(t, () => checkSource({ ...ofLines('hasty'), ...short(t) }))).includes('nothing-lost'));
});

test.serial('a sink that acks before it writes is caught', async (t) => {
  t.true((await violations(t, () => checkSink({ ...toFile('early'), ...short(t) }))).includes('stored-before-ack'));
});

const WRONG: readonly [string, () => Promise<unknown>, RegExp][] = [
  [
    'options that are none',
    () => checkSource({ ...ofLines('lines'), round: 3 } as never),
    /there is no option 'round'.*rounds/,
  ],
  ['a missing fill', () => checkSource({ ...ofLines('lines'), fill: undefined as never }), /fill: expected a function/],
  [
    'an export that is no component',
    () => checkSource({ ...ofLines('noComponent'), log() {} }),
    /expected 'noComponent' to be a spout.*found 42.*exports/,
  ],
  [
    'a spout in the place of a sink',
    () => checkSink({ ...toFile('lines'), log() {} }),
    /expected 'lines' to be a bolt.*found a spout/,
  ],
  [
    'two messages with one key',
    () => checkSource({ ...ofLines('lines'), fill: () => ({ keys: ['a', 'a'] }), log() {} }),
    /another key for each message/,
  ],
  [
    'fields that the own tuples lack',
    () => checkSink({ ...toFile('rows'), log() {} }),
    /rows takes id, at, name.*values: 'rowOf'/,
  ],
  [
    'half an outage',
    () => checkSink({ ...toFolder('files'), outage: { begin() {} } as never }),
    /outage: expected \{ begin, end \}/,
  ],
];
for (const [what, check, message] of WRONG) {
  test(`${what}: refused, with what was expected`, async (t) => {
    t.timeout(WITHIN_MS);
    await t.throwsAsync(check, { code: 'ERR_SQUALL_USAGE', message });
  });
}
