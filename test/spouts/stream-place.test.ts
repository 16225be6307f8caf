import test from 'ava';
import type { ConsumerInfo } from '../../core/transport/consumer.js';
import { checkPlace, placeOf } from '../../spouts/stream-place.js';

const INFO: ConsumerInfo = {
  streamCreated: 'A',
  firstSeq: 1,
  lastSeq: 100,
  keeps: true,
  ackedSeq: 0,
  unacked: 0,
  waiting: 0,
};
const check = (info: Partial<ConsumerInfo>, whole = true) =>
  checkPlace(placeOf('A', 50), 'IN', { ...INFO, ...info }, 'numbers[1]', whole);
const REFUSED = { code: 'ERR_SQUALL_STREAM_CHANGED' };

test('a stream that has all that comes behind the place is accepted, also when it has nothing before it', (t) => {
  t.notThrows(() => check({}));
  t.notThrows(() => check({ firstSeq: 51 }));
  t.notThrows(() => check({ firstSeq: 51, lastSeq: 50 }));
});

test('messages removed behind the place are counted in the refusal, and it says how to go on', (t) => {
  const error = t.throws(() => check({ firstSeq: 54 }), REFUSED);
  t.regex(
    error?.message ?? '',
    /numbers\[1\].*message 50 of the stream IN.*begins at message 54: the 3 between.*--fresh/,
  );
});

test('a stream that was made anew, or ends before the place, is refused', (t) => {
  t.throws(() => check({ streamCreated: 'B' }), { ...REFUSED, message: /was made anew since/ });
  t.throws(() => check({ lastSeq: 49 }), { ...REFUSED, message: /now ends at message 49/ });
});

test('a gap says nothing to one of several tasks, to one that reads some subjects, nor in a stream that drops what is acked', (t) => {
  t.notThrows(() => check({ firstSeq: 90 }, false));
  t.notThrows(() => check({ firstSeq: 90, keeps: false }));
  t.throws(() => check({ streamCreated: 'B', keeps: false }, false), REFUSED);
});

test('without a stored place everything is accepted, and so is a place of another spout', (t) => {
  t.notThrows(() => checkPlace(undefined, 'IN', INFO, 'numbers[1]', true));
  t.notThrows(() => checkPlace(7, 'IN', INFO, 'numbers[1]', true));
});
