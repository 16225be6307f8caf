import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { Credit } from '../../core/reliability/channel.js';
import { ReceiveChannel, SendChannel } from '../../core/reliability/channel.js';
import { holds } from '../support/property.js';

interface Frame {
  readonly frame: number;
  readonly records: number;
  readonly total: number;
  readonly xorHi: number;
  readonly xorLo: number;
  readonly ownHi: number;
  readonly ownLo: number;
}

const WINDOW_RECORDS = 40;
const WINDOW_BYTES = 400;
const BYTES_A_RECORD = 8;

function emptyCredit(): Credit {
  return { frame: 0, consumed: 0, failed: 0, lost: 0, windowRecords: 0, windowBytes: 0, missing: [] };
}

/** Both ends and the two ways between them. What is on the way is in `frames` and `credits`, for a test to spoil. */
class Line {
  readonly sender = new SendChannel<Frame>(2, 1, WINDOW_RECORDS, WINDOW_BYTES);
  readonly receiver = new ReceiveChannel(1, 1);
  frames: Frame[] = [];
  credits: Credit[] = [];
  /** frames that the sender was told are lost, each as often as it was told */
  readonly told: number[] = [];
  /** arrived and not executed */
  readonly queue: Frame[] = [];
  #edge = 0;

  send(records: number): Frame {
    let ownHi = 0;
    let ownLo = 0;
    for (let n = 0; n < records; n++) {
      this.#edge += 1;
      ownHi ^= Math.imul(this.#edge, 0x9e3779b1);
      ownLo ^= Math.imul(this.#edge, 0x85ebca6b) ^ 0x5bd1e995;
    }
    const { sender } = this;
    const frame = { frame: sender.frame + 1, records, ownHi, ownLo } as Frame;
    sender.send(records, records * BYTES_A_RECORD, ownHi, ownLo, frame);
    const sent = { ...frame, total: sender.sent, xorHi: sender.xorHi, xorLo: sender.xorLo };
    this.frames.push(sent);
    return sent;
  }

  arrive({ frame, records, total, xorHi, xorLo, ownHi, ownLo }: Frame): string {
    const arrival = this.receiver.arrive(frame, records, total, xorHi, xorLo, ownHi, ownLo);
    if (arrival !== 'duplicate') this.queue.push({ frame, records, total, xorHi, xorLo, ownHi, ownLo });
    return arrival;
  }

  execute(most: number, failing = 0): void {
    for (const { frame, records } of this.queue.splice(0, most)) {
      this.receiver.executed(frame, records, Math.min(failing, records));
    }
  }

  credit(windowRecords = WINDOW_RECORDS): Credit {
    const credit = emptyCredit();
    this.receiver.credit(windowRecords, WINDOW_BYTES, credit);
    return credit;
  }

  take(credit: Credit): void {
    this.sender.credit(credit, (_, frame) => this.told.push(frame));
  }

  /** Everything that is on the way arrives, is executed, and is confirmed. */
  settle(): void {
    for (const frame of this.frames.splice(0)) this.arrive(frame);
    this.execute(Number.POSITIVE_INFINITY);
    this.receiver.flushed();
    this.take(this.credit());
  }

  /** An idle sender asks after the unconfirmed. */
  probe(): void {
    this.send(0);
    this.settle();
  }

  get balance(): { sent: number; consumed: number; failed: number; lost: number; inFlight: number } {
    const { sent, consumed, failed, lost, inFlight } = this.sender;
    return { sent, consumed, failed, lost, inFlight };
  }
}

// ---- counts and credit -------------------------------------------------------------------------------------------

test('what was sent is in flight until its execution is confirmed, then consumed or failed', (t) => {
  const line = new Line();
  line.send(5);
  line.send(3);
  t.deepEqual(line.balance, { sent: 8, consumed: 0, failed: 0, lost: 0, inFlight: 8 });
  t.is(line.sender.room, WINDOW_RECORDS - 8);
  t.is(line.sender.bytes, 64);
  for (const frame of line.frames.splice(0)) t.is(line.arrive(frame), 'next');
  t.is(line.receiver.waiting, 8);
  line.execute(1, 2);
  // executed, but its results are not flushed: a death now would lose them
  line.take(line.credit());
  t.deepEqual(line.balance, { sent: 8, consumed: 0, failed: 0, lost: 0, inFlight: 8 });
  line.receiver.flushed();
  line.take(line.credit());
  t.deepEqual(line.balance, { sent: 8, consumed: 3, failed: 2, lost: 0, inFlight: 3 });
  t.is(line.sender.unconfirmedFrames, 1);
  t.is(line.sender.bytes, 24);
  line.settle();
  t.deepEqual(line.balance, { sent: 8, consumed: 6, failed: 2, lost: 0, inFlight: 0 });
  t.is(line.sender.room, WINDOW_RECORDS);
  t.is(line.receiver.waiting, 0);
});

test('there is no room when the window is used up, in records or in bytes', (t) => {
  const records = new Line();
  records.send(WINDOW_RECORDS);
  t.true(records.sender.room <= 0);
  records.settle();
  t.is(records.sender.room, WINDOW_RECORDS);
  const bytes = new Line();
  bytes.sender.send(1, WINDOW_BYTES, 1, 1, {} as Frame);
  t.is(bytes.sender.room, 0);
});

test('one frame may overdraw; the next credit counts it', (t) => {
  const line = new Line();
  line.send(WINDOW_RECORDS - 1);
  t.is(line.sender.room, 1);
  line.send(10);
  t.is(line.sender.room, -9);
  line.settle();
  t.is(line.sender.room, WINDOW_RECORDS);
});

test('the receiver sets the window, up and down', (t) => {
  const line = new Line();
  line.send(20);
  line.take(line.credit(100));
  t.is(line.sender.room, 80);
  line.take(line.credit(5));
  t.is(line.sender.room, -15);
});

test('a credit that was lost, came twice or comes late does no harm: the next one says it all', (t) => {
  const line = new Line();
  const credits: Credit[] = [];
  for (let n = 1; n <= 4; n++) {
    line.send(n);
    for (const frame of line.frames.splice(0)) line.arrive(frame);
    line.execute(1, n === 2 ? 1 : 0);
    line.receiver.flushed();
    credits.push(line.credit());
  }
  line.take(credits[2]);
  t.deepEqual(line.balance, { sent: 10, consumed: 5, failed: 1, lost: 0, inFlight: 4 });
  for (const late of [credits[0], credits[2], credits[1]]) line.take(late);
  t.deepEqual(line.balance, { sent: 10, consumed: 5, failed: 1, lost: 0, inFlight: 4 });
  t.is(line.sender.unconfirmedFrames, 1);
  line.take(credits[3]);
  t.deepEqual(line.balance, { sent: 10, consumed: 9, failed: 1, lost: 0, inFlight: 0 });
  t.deepEqual(line.told, []);
});

test('a credit for frames that were never sent is not believed', (t) => {
  const line = new Line();
  line.send(3);
  line.take({
    ...emptyCredit(),
    frame: 7,
    consumed: 100,
    windowRecords: 1 << 20,
    windowBytes: 1 << 20,
    missing: [1, 7],
  });
  t.deepEqual(line.balance, { sent: 3, consumed: 0, failed: 0, lost: 0, inFlight: 3 });
  t.is(line.sender.room, WINDOW_RECORDS - 3);
  t.deepEqual(line.told, []);
});

// ---- loss --------------------------------------------------------------------------------------------------------

test('a gap names the frames that are missing, once, while those before and after it are still executing', (t) => {
  const line = new Line();
  const frames = [1, 2, 3, 4, 5].map((records) => line.send(records));
  t.is(line.arrive(frames[0]), 'next');
  t.is(line.arrive(frames[3]), 'gap');
  t.is(line.arrive(frames[4]), 'next');
  line.take(line.credit());
  t.deepEqual(line.told, [2, 3]);
  line.take(line.credit());
  t.deepEqual(line.told, [2, 3]);
  // counted as lost when it is confirmed
  t.deepEqual(line.balance, { sent: 15, consumed: 0, failed: 0, lost: 0, inFlight: 15 });
  line.frames = [];
  line.settle();
  t.deepEqual(line.balance, { sent: 15, consumed: 10, failed: 0, lost: 5, inFlight: 0 });
  t.deepEqual(line.told, [2, 3]);
});

test('a frame that comes again, or after it was given up, is dropped', (t) => {
  const line = new Line();
  const frames = [1, 1, 1].map((records) => line.send(records));
  t.is(line.arrive(frames[0]), 'next');
  t.is(line.arrive(frames[0]), 'duplicate');
  t.is(line.arrive(frames[2]), 'gap');
  t.is(line.arrive(frames[1]), 'duplicate');
  t.is(line.receiver.duplicates, 2);
  t.is(line.receiver.arrived, 2);
  t.is(line.receiver.lost, 1);
});

test('a lost tail is found by asking: an empty numbered frame makes it a gap', (t) => {
  const line = new Line();
  const [first] = [line.send(2), line.send(3), line.send(4)];
  line.frames = [first];
  line.settle();
  t.is(line.sender.unconfirmedFrames, 2);
  t.deepEqual(line.told, []);
  line.probe();
  t.deepEqual(line.told, [2, 3]);
  t.deepEqual(line.balance, { sent: 9, consumed: 2, failed: 0, lost: 7, inFlight: 0 });
  t.is(line.sender.unconfirmedFrames, 0);
});

test('when a question is lost as well, the next one finds it all', (t) => {
  const line = new Line();
  line.send(2);
  line.send(0);
  line.send(0);
  line.frames = [];
  line.probe();
  t.true(line.told.includes(1));
  t.deepEqual(line.balance, { sent: 2, consumed: 0, failed: 0, lost: 2, inFlight: 0 });
});

test('a loss whose credit was lost is told with the next one, also when it is confirmed by then and another frame is missing', (t) => {
  const line = new Line();
  const frames = Array.from({ length: 6 }, () => line.send(2));
  line.frames = [];
  line.arrive(frames[0]);
  line.arrive(frames[2]);
  line.execute(2);
  line.receiver.flushed();
  // this one is lost
  line.credit();
  line.arrive(frames[4]);
  line.execute(1);
  line.receiver.flushed();
  line.take(line.credit());
  t.deepEqual(line.told, [2, 4]);
  t.deepEqual(line.balance, { sent: 12, consumed: 6, failed: 0, lost: 4, inFlight: 2 });
});

test('two gaps between two credits are both told, and nothing that arrived', (t) => {
  const line = new Line();
  const frames = Array.from({ length: 7 }, () => line.send(2));
  line.frames = [];
  for (const at of [0, 2, 3, 5, 6]) line.arrive(frames[at]);
  line.take(line.credit());
  t.deepEqual(line.told, [2, 5]);
});

test('many gaps between two credits are all told, the oldest as one range', (t) => {
  const line = new Line();
  const frames = Array.from({ length: 61 }, () => line.send(1));
  for (let at = 0; at < frames.length; at += 2) line.arrive(frames[at]);
  const credit = line.credit();
  // bounded, so that a credit stays small
  t.is(credit.missing.length, 32);
  line.take(credit);
  const lost = frames.filter((_, at) => at % 2 === 1).map(({ frame }) => frame);
  t.deepEqual(
    lost.filter((frame) => !line.told.includes(frame)),
    [],
  );
  // the newest are told one by one
  t.deepEqual(
    line.told.filter((frame) => frame > 30),
    lost.filter((frame) => frame > 30),
  );
});

test('when the receiver dies, every frame that is neither confirmed nor told as lost is hit, those before a gap too', (t) => {
  const line = new Line();
  const frames = Array.from({ length: 6 }, () => line.send(1));
  line.frames = [];
  for (const at of [0, 1, 2, 4]) line.arrive(frames[at]);
  line.execute(1);
  line.receiver.flushed();
  line.take(line.credit());
  t.deepEqual(line.told, [4]);
  const hit: number[] = [];
  line.sender.forEachUnconfirmed(({ frame }) => hit.push(frame));
  t.deepEqual(hit, [2, 3, 5, 6]);
});

// ---- everything at once ------------------------------------------------------------------------------------------

const operation = fc.record({
  kind: fc.constantFrom(
    ...Array<'send'>(6).fill('send'),
    ...Array<'arrive'>(8).fill('arrive'),
    ...Array<'execute'>(4).fill('execute'),
    ...Array<'flush'>(4).fill('flush'),
    ...Array<'say credit'>(4).fill('say credit'),
    ...Array<'take credit'>(4).fill('take credit'),
    'lose frame',
    'lose frames',
    'double frame',
    'delay frame',
    'lose credit',
    'double credit',
    'probe',
  ),
  pick: fc.nat({ max: 10_000 }),
});

test('frames and credits lost, doubled and delayed: in the end sent = consumed + failed + lost, every lost frame was told and no other, and no credit was overdrawn but by one frame', (t) => {
  holds(
    t,
    fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
      const line = new Line();
      const { sender, receiver } = line;
      const byNumber = new Map<number, number>();
      const arrived = new Set<number>();
      let gaps = 0;
      const arrive = (frame: Frame): void => {
        const arrival = line.arrive(frame);
        if (arrival !== 'duplicate') arrived.add(frame.frame);
        if (arrival === 'gap') gaps += 1;
      };
      const send = (records: number): void => {
        line.send(records);
        byNumber.set(sender.frame, records);
      };
      for (const { kind, pick } of operations) {
        const { frames, credits } = line;
        switch (kind) {
          case 'send':
            if (sender.room > 0) {
              const records = 1 + (pick % 12);
              send(records);
              assert.ok(sender.inFlight < WINDOW_RECORDS + records, 'overdrawn by more than one frame');
              assert.ok(sender.bytes < WINDOW_BYTES + records * BYTES_A_RECORD);
            }
            break;
          case 'probe':
            if (sender.unconfirmedFrames > 0) send(0);
            break;
          case 'arrive':
            if (frames.length > 0) arrive(frames.shift() as Frame);
            break;
          case 'execute':
            line.execute(1 + (pick % 3), pick % 5 === 0 ? 1 : 0);
            break;
          case 'flush':
            receiver.flushed();
            break;
          case 'say credit':
            credits.push(line.credit());
            break;
          case 'take credit':
            // in any order
            if (credits.length > 0) line.take(credits.splice(pick % credits.length, 1)[0]);
            break;
          case 'lose frame':
            frames.splice(pick % Math.max(1, frames.length), 1);
            break;
          case 'lose frames':
            frames.splice(pick % Math.max(1, frames.length), 3);
            break;
          case 'double frame':
            if (frames.length > 0) frames.splice(pick % frames.length, 0, frames[pick % frames.length]);
            break;
          case 'delay frame':
            if (frames.length > 1) frames.push(frames.splice(pick % frames.length, 1)[0]);
            break;
          case 'lose credit':
            credits.splice(pick % Math.max(1, credits.length), 1);
            break;
          case 'double credit':
            if (credits.length > 0) credits.push(credits[pick % credits.length]);
            break;
        }
        assert.ok(sender.inFlight >= 0);
        assert.equal(
          receiver.arrived,
          line.queue.reduce((sum, { records }) => sum + records, receiver.consumed + receiver.failed),
        );
        // what is hit when the receiver dies now: everything it has not confirmed, and was not told of
        const hit: number[] = [];
        sender.forEachUnconfirmed((frame) => hit.push(frame.frame));
        const from = sender.frame - sender.unconfirmedFrames + 1;
        assert.deepEqual(
          hit,
          Array.from({ length: sender.unconfirmedFrames }, (_, at) => from + at).filter(
            (frame) => !line.told.includes(frame),
          ),
        );
      }
      // fair from now on: one question, and every answer arrives
      for (const frame of line.frames.splice(0)) arrive(frame);
      send(0);
      arrive(line.frames.shift() as Frame);
      line.settle();
      const { sent, consumed, failed, lost, inFlight } = line.balance;
      assert.equal(inFlight, 0);
      assert.equal(sent, consumed + failed + lost);
      assert.equal(sender.unconfirmedFrames, 0);
      assert.equal(sender.bytes, 0);
      assert.deepEqual([consumed, failed, lost], [receiver.consumed, receiver.failed, receiver.lost]);
      assert.equal(receiver.waiting, 0);
      assert.equal(receiver.mismatches, 0);
      const missing = [...byNumber].filter(([frame, records]) => records > 0 && !arrived.has(frame));
      assert.equal(
        lost,
        missing.reduce((sum, [, records]) => sum + records, 0),
      );
      assert.equal(new Set(line.told).size, line.told.length, 'told twice');
      for (const [frame] of missing) assert.ok(line.told.includes(frame), `frame ${frame} is lost and was never told`);
      // of more gaps than a credit has room for, the oldest are told with what arrived between them
      if (gaps <= 16)
        assert.deepEqual(
          line.told.filter((frame) => arrived.has(frame)),
          [],
        );
    }),
    { numRuns: 1000 },
  );
});

// ---- the balance -------------------------------------------------------------------------------------------------

test('an edge altered, dropped, added or doubled within a frame of the right number is noticed, once', (t) => {
  const half = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const none = fc.constant(0);
  const edge = fc
    .oneof(fc.tuple(half, half), fc.tuple(half, none), fc.tuple(none, half))
    .filter(([hi, lo]) => hi !== 0 || lo !== 0);
  holds(
    t,
    fc.property(
      fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 12 }),
      fc.nat(),
      fc.constantFrom('altered', 'dropped', 'added', 'doubled'),
      edge,
      (sizes, pick, how, [hi, lo]) => {
        const line = new Line();
        const frames = sizes.map((records) => line.send(records + 1));
        const at = pick % frames.length;
        for (const [number, frame] of frames.entries()) {
          const { records, ownHi, ownLo } = frame;
          if (number !== at) t.is(line.arrive(frame), 'next');
          else if (how === 'altered') line.arrive({ ...frame, ownHi: ownHi ^ hi, ownLo: ownLo ^ lo });
          else if (how === 'dropped')
            line.arrive({ ...frame, records: records - 1, ownHi: ownHi ^ hi, ownLo: ownLo ^ lo });
          else if (how === 'added')
            line.arrive({ ...frame, records: records + 1, ownHi: ownHi ^ hi, ownLo: ownLo ^ lo });
          // the same edge once more: it cancels itself out of the XOR
          else line.arrive({ ...frame, records: records + 1 });
        }
        assert.equal(line.receiver.mismatches, 1);
      },
    ),
    { numRuns: 300 },
  );
});

test('the signs of the XOR halves do not matter: headers carry them unsigned', (t) => {
  const line = new Line();
  const frames = Array.from({ length: 50 }, () => line.send(3));
  for (const frame of frames) {
    t.is(
      line.arrive({ ...frame, xorHi: frame.xorHi >>> 0, xorLo: frame.xorLo >>> 0, ownHi: frame.ownHi >>> 0 }),
      'next',
    );
  }
  t.is(line.receiver.mismatches, 0);
});

test('after a gap the XOR goes on from what the sender says: the next frames agree again', (t) => {
  const line = new Line();
  const frames = Array.from({ length: 5 }, () => line.send(3));
  for (const at of [0, 3, 4]) line.arrive(frames[at]);
  t.is(line.receiver.mismatches, 0);
  t.is(line.receiver.lost, 6);
});
