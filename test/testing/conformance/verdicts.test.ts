import test from 'ava';
import type { SinkEvidence } from '../../../core/testing/conformance/sink-evidence.js';
import { sinkVerdict } from '../../../core/testing/conformance/sink-verdict.js';
import type { SourceAct, SourceEvidence } from '../../../core/testing/conformance/source-evidence.js';
import { sourceVerdict } from '../../../core/testing/conformance/source-verdict.js';

const act = (what: SourceAct['what'], start: number, life: string, id: string | null = null): SourceAct => ({
  what,
  start,
  life,
  id,
  positioned: what === 'emit',
});

/** Two messages; the second was on its way when the source was killed, and came again. Then drained, and gone on. */
const SOURCE: SourceEvidence = {
  keys: ['a', 'b', 'c'],
  rejects: 0,
  tasks: 1,
  replay: 'squall',
  arrivals: [
    { start: 0, key: 'a', id: '1' },
    { start: 0, key: 'b', id: '2' },
    { start: 1, key: 'b', id: '2' },
    { start: 2, key: 'c', id: '3' },
  ],
  acts: [
    act('open', 0, '0.1'),
    act('emit', 0, '0.1', 'a'),
    act('ack', 0, '0.1', 'a'),
    act('emit', 0, '0.1', 'b'),
    act('emit', 1, '0.1', 'b'),
    act('ack', 1, '0.1', 'b'),
    act('close', 1, '0.1'),
    act('emit', 2, '0.1', 'c'),
    act('ack', 2, '0.1', 'c'),
    act('close', 2, '0.1'),
  ],
  letters: [],
  kills: [{ task: 'source[1]', at: 0.5 }],
  starts: [
    { how: 'cut-off', status: 'undrained', warnings: [], error: undefined },
    { how: 'drained', status: 'drained', warnings: [], error: undefined },
    { how: 'ended', status: 'completed', warnings: [], error: undefined },
  ],
  deaths: [],
  stuck: undefined,
  idleShare: 0.03,
};

const SINK: SinkEvidence = {
  keys: ['a', 'b', 'c'],
  idempotent: true,
  stored: ['a', 'c', 'b'],
  readings: [{ acked: 1, unreadable: [] }],
  order: { sent: ['x', 'y'], stored: ['x', 'y'] },
  outage: { errors: ['disk full'], deaths: 0 },
  kills: [],
  replays: 3,
  deaths: [],
  errors: [],
  warnings: [],
  stuck: undefined,
  cut: false,
};

test('a source and a sink that kept everything are not blamed', (t) => {
  t.deepEqual(sourceVerdict(SOURCE, 1), []);
  t.deepEqual(sinkVerdict(SINK, 1), []);
});

const SOURCES: readonly [string, string, Partial<SourceEvidence>][] = [
  ['nothing-lost', 'a message that never came', { keys: ['a', 'b', 'c', 'd'] }],
  ['nothing-invented', 'a message that nobody filled', { keys: ['a', 'b'] }],
  [
    'stable-ids',
    'another id for the same message',
    { arrivals: [...SOURCE.arrivals, { start: 1, key: 'a', id: '9' }] },
  ],
  ['tracked', 'an emit without an id', { acts: [...SOURCE.acts, act('emit', 0, '0.1')] }],
  ['settled-once', 'an ack too many', { acts: [...SOURCE.acts, act('ack', 0, '0.1', 'a')] }],
  ['resumes-after-drain', 'a message again after the drain', { acts: [...SOURCE.acts, act('emit', 2, '0.1', 'b')] }],
  [
    'rejects',
    'a reject that is not in the dead letters',
    { rejects: 1, acts: [...SOURCE.acts, act('reject', 0, '0.1', 'r')] },
  ],
  ['rejects', 'a dead letter of a message that was good', { letters: ['a'] }],
  ['quiet-when-empty', 'a whole processor for nothing', { idleShare: 0.98 }],
  ['lives-on', 'a process that fell', { deaths: ['source[1]: exit code 1'] }],
  ['closes', 'a run that could not be drained', { starts: [{ ...SOURCE.starts[0], how: 'drained' }] }],
  ['ends', 'a round that hung', { stuck: 'the run to begin: not within the time limit' }],
];
for (const [promise, what, change] of SOURCES) {
  test(`source: ${what} breaks ${promise}, and nothing else`, (t) => {
    const violations = sourceVerdict({ ...SOURCE, ...change }, 2);
    t.deepEqual(
      violations.map((one) => [one.promise, one.round]),
      [[promise, 2]],
    );
  });
}

test('source: what a kill let come twice is no repeat after a drain', (t) => {
  const acts = [
    act('emit', 1, '0.1', 'k'),
    act('ack', 1, '0.1', 'k'),
    ...SOURCE.acts.filter(({ what }) => what !== 'close'),
  ];
  // the life that had acked it was killed before its position was stored
  t.deepEqual(sourceVerdict({ ...SOURCE, acts: [...acts, act('emit', 2, '0.1', 'k')] }, 1), []);
});

test('source: tasks that share a source may give a message another id after a restart', (t) => {
  const arrivals = [...SOURCE.arrivals, { start: 1, key: 'a', id: '9' }];
  t.deepEqual(sourceVerdict({ ...SOURCE, arrivals, tasks: 2 }, 1), []);
});

const SINKS: readonly [string, string, Partial<SinkEvidence>][] = [
  ['at-least-once', 'a message that is not stored', { stored: ['a', 'b'] }],
  ['exactly-once', 'a duplicate of a sink that says it is idempotent', { stored: ['a', 'b', 'b', 'c'] }],
  ['stored-before-ack', 'an acked message that could not be read', { readings: [{ acked: 2, unreadable: ['b'] }] }],
  ['nothing-invented', 'a message that nobody sent', { stored: ['a', 'b', 'c', 'z'] }],
  ['ordered', 'a message behind a later one', { order: { sent: ['x', 'y'], stored: ['y', 'x'] } }],
  ['failing-store', 'a process that dies of a broken store', { outage: { errors: ['x'], deaths: 1 } }],
  ['failing-store', 'an error that says nothing', { outage: { errors: [' '], deaths: 0 } }],
  ['lives-on', 'a process that fell', { deaths: ['sink[3]: exit code 1'] }],
  ['ends', 'a round that hung', { stuck: 'the run to end: not within the time limit' }],
];
for (const [promise, what, change] of SINKS) {
  test(`sink: ${what} breaks ${promise}, and nothing else`, (t) => {
    const violations = sinkVerdict({ ...SINK, ...change }, 3);
    t.deepEqual(
      violations.map((one) => [one.promise, one.round]),
      [[promise, 3]],
    );
  });
}

test('sink: duplicates are no breach where nobody promised that there are none, and waiting is as good as failing', (t) => {
  const outage = { errors: [], deaths: 0 };
  t.deepEqual(sinkVerdict({ ...SINK, idempotent: false, stored: ['a', 'a', 'b', 'c'], outage }, 1), []);
});
