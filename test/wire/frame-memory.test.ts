import test from 'ava';
import { frameMemory, newTurn } from '../../core/wire/frame-memory.js';

test('the frames of a turn lie side by side: none reaches into another', (t) => {
  newTurn();
  const frames = [1, 7, 8, 9, 100, 0, 4096].map((bytes) => frameMemory(bytes));
  for (const [at, frame] of frames.entries()) frame.fill(at + 1);
  t.deepEqual(
    frames.map(({ length }) => length),
    [1, 7, 8, 9, 100, 0, 4096],
  );
  t.true(frames.every((frame, at) => frame.every((byte) => byte === at + 1)));
});

test('every frame begins where typed arrays may begin', (t) => {
  newTurn();
  for (const bytes of [1, 2, 3, 5, 13, 56]) t.is(frameMemory(bytes).byteOffset % 8, 0);
});

test('the next turn begins where this one began', (t) => {
  newTurn();
  const first = frameMemory(100);
  frameMemory(200);
  newTurn();
  const next = frameMemory(100);
  t.is(next.buffer, first.buffer);
  t.is(next.byteOffset, first.byteOffset);
});

test('what does not fit into the slab any more has memory of its own, and small ones still fit', (t) => {
  newTurn();
  const slab = frameMemory(1).buffer;
  const large = [frameMemory(900 << 10), frameMemory(900 << 10), frameMemory(4 << 20)];
  t.deepEqual(
    large.map(({ buffer }) => buffer === slab),
    [true, false, false],
  );
  t.is(frameMemory(100).buffer, slab);
  for (const [at, frame] of large.entries()) frame.fill(at);
  t.true(large.every((frame, at) => frame.every((byte) => byte === at)));
});
