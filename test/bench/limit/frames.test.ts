import test from 'ava';
import { FRAME_TUPLES, numbersOf, RecordWriter, TupleReader, TupleWriter } from '../../../bench/limit/frames.js';

/** A payload as the NATS client hands it over: a piece of a larger buffer, at any offset. */
function unaligned(payload: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(payload.length + 1);
  chunk.set(payload, 1);
  return chunk.subarray(1);
}

test('tuples come out of a frame as they went in', (t) => {
  const frames: Uint8Array[] = [];
  const writer = new TupleWriter((payload) => frames.push(payload));
  writer.add(1, 2, 0xffff_ffff, 'cow');
  writer.add(4, 5, 6, 'with\nnewline, Ö and 😀');
  t.is(frames.length, 0);
  writer.flush();
  writer.flush();
  t.is(frames.length, 1);
  const reader = new TupleReader();
  reader.read(unaligned(frames[0]));
  t.deepEqual(reader.values, ['cow', 'with\nnewline, Ö and 😀']);
  t.deepEqual([...reader.ids.subarray(0, 6)], [1, 2, 0xffff_ffff, 4, 5, 6]);
});

test('a full frame goes out by itself', (t) => {
  const frames: Uint8Array[] = [];
  const writer = new TupleWriter((payload) => frames.push(payload));
  for (let i = 0; i < FRAME_TUPLES; i++) writer.add(i, i, i, `value ${i}`);
  t.is(frames.length, 1);
  const reader = new TupleReader();
  reader.read(frames[0]);
  t.is(reader.values.length, FRAME_TUPLES);
  t.is(reader.values[FRAME_TUPLES - 1], `value ${FRAME_TUPLES - 1}`);
});

test('acks of a root within a flush are one record, its halves XORed', (t) => {
  const frames: Uint8Array[] = [];
  const writer = new RecordWriter((payload) => frames.push(payload), 8);
  writer.add(3, 0b1100, 0x8000_0000);
  writer.add(5, 7, 8);
  writer.add(3, 0b1010, 1);
  writer.flush();
  t.deepEqual([...numbersOf(unaligned(frames[0]))], [3, 0b0110, 0x8000_0001, 5, 7, 8]);
});

test('the next generation of a slot is another root', (t) => {
  const frames: Uint8Array[] = [];
  const writer = new RecordWriter((payload) => frames.push(payload), 8);
  writer.add(3, 1, 1);
  writer.flush();
  writer.add(11, 2, 2);
  writer.flush();
  t.deepEqual(
    frames.map((frame) => [...numbersOf(frame)]),
    [
      [3, 1, 1],
      [11, 2, 2],
    ],
  );
});
