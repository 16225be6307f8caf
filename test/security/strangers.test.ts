/** Somebody on the same account, who hears all of a run and may say anything to it, does it no harm. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { connect } from 'nats';
import { loadPlan } from '../../core/runtime/load-topology.js';
import { FRAME_HEADER_BYTES, type FrameHeader, sealFrame } from '../../core/wire/frame.js';
import { Workspace } from '../support/e2e.js';
import { balanceCloses } from '../support/e2e-checks.js';
import { writeTopology } from '../support/e2e-files.js';
import { startRun } from '../support/e2e-run.js';
import { TestNats } from '../support/nats.js';

/** Enough for the stranger to hear every kind of frame while it goes on. */
const COUNT = 300;
/** Of each kind that it sends; a frame that it hears is answered with a dozen. */
const HEARD = 400;

const TOPOLOGY = `
  const numbers = spoutFrom({ output: { n: t.number } }, async function* () {
    for (let n = 0; n < ${COUNT}; n++) { yield { n }; await new Promise((resolve) => setTimeout(resolve, 5)); }
  });
  const pass = defineBolt({
    input: { n: t.number },
    output: { n: t.number },
    execute({ values, attempt }, out) {
      if (values.n % 100 === 50 && attempt === 1) throw new Error('once');
      out.emit(values);
    },
    tick() {},
    tickEveryMs: 1000,
  });
  export default ({ name, output }) => topology(name)
    .spout('numbers', numbers)
    .bolt('pass', pass, (from) => from.shuffle('numbers'), { tasks: 2 })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('pass'))
    .config({ messageTimeoutMs: 10_000 });
`;

test('frames that are random, captured, of another topology or forged are dropped, counted, and change nothing', async (t) => {
  const place = await Workspace.create(t);
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const file = writeTopology(place, 'numbers.mjs', TOPOLOGY);
  const output = place.path('out.tsv');
  const { hash } = await loadPlan(file, { name: place.name, output });

  const hostile = await connect({ servers: `127.0.0.1:${nats.port}`, token: 'test-token' });
  t.teardown(() => hostile.close());
  const heard = new Map<string, number>();
  const said = new Set<string>();
  /** token of the run, from the first subject that is heard */
  let run = '';
  hostile.subscribe(`squall.${place.name}.>`, {
    callback: (_error, { subject, data }) => {
      const text = Buffer.from(data).toString('latin1');
      const kind = subject.split('.')[3];
      if (run === '' && data.length >= FRAME_HEADER_BYTES) run = subject.split('.')[2];
      // its own words come back to it
      if (said.delete(text) || data.length < FRAME_HEADER_BYTES || (heard.get(kind) ?? 0) > HEARD) return;
      heard.set(kind, (heard.get(kind) ?? 0) + 1);
      for (const frame of hostileFrames(Buffer.from(data), hash)) {
        said.add(frame.toString('latin1'));
        hostile.publish(subject, frame);
      }
    },
  });
  await hostile.flush();

  const watched = startRun(t, place, file, { nats: nats.options, set: { output } });
  await watched.ackedAtLeast(COUNT / 4);
  // a payload as large as the server takes, on each subject that is known to be heard, and requests that are none
  for (const subject of ['t.2.1', 't.4.1', 'a.5.1', 's.1.1', 'c.1', 'c.all', 'm.0.data']) {
    const large = randomBytes(1 << 20);
    said.add(large.toString('latin1'));
    hostile.publish(`squall.${place.name}.${run}.${subject}`, large);
  }
  for (const request of [
    '{',
    '[]',
    'null',
    '{"squall":1,"action":"kill"}',
    '{"squall":1,"action":"kill","reply":"a.>"}',
  ]) {
    hostile.publish(`squall.${place.name}._control`, Buffer.from(request));
    hostile.publish('squall._control', Buffer.from(request));
  }
  hostile.publish('squall._control', randomBytes(1 << 20));

  const result = await watched.run.result;
  t.is(result.status, 'completed', JSON.stringify(result));
  t.like(result.spouts.numbers, { emitted: COUNT, acked: COUNT, deadLettered: 0 });
  t.deepEqual(
    readFileSync(output, 'utf8')
      .trim()
      .split('\n')
      .map(Number)
      .sort((a, b) => a - b),
    Array.from({ length: COUNT }, (_, n) => n),
    'every number once: nothing was executed twice, nothing is missing',
  );
  balanceCloses(t, result);
  t.deepEqual(result.workers, { started: 5, restarts: 0 });
  t.is(result.spouts.numbers.replays.failed, 3);
  t.deepEqual([...heard.keys()].sort(), ['a', 'c', 's', 't'], 'it has heard every kind');
  for (const cause of ['truncated', 'magic', 'version', 'length', 'checksum', 'foreign', 'forged', 'duplicate'])
    t.true((result.dropped[cause] ?? 0) > 0, `${cause} is counted: ${JSON.stringify(result.dropped)}`);
});

/** What somebody makes of a frame that he has heard, knowing all about frames but the key. */
function* hostileFrames(frame: Buffer, hash: number): Generator<Buffer> {
  yield Buffer.from(frame); // as it was
  yield frame.subarray(0, 20);
  yield randomBytes(frame.length);
  yield Buffer.concat([frame, Buffer.alloc(1)]);
  for (const at of [2, FRAME_HEADER_BYTES - 1, frame.length - 1]) {
    const spoilt = Buffer.from(frame);
    spoilt[at] ^= 1;
    yield spoilt;
  }
  const header = headerIn(frame);
  const forged = (change: Partial<FrameHeader>, of = hash): Buffer => {
    const made = Buffer.from(frame);
    sealFrame(made, of, { ...header, ...change });
    return made;
  };
  yield forged({}, (hash ^ 1) >>> 0);
  yield forged({ frame: header.frame + 1 });
  yield forged({ frame: header.frame + 1000, total: header.total + 1000 });
  yield forged({ sender: 77, frame: 1, senderEpoch: 1 });
  yield forged({ senderEpoch: header.senderEpoch + 1, frame: 1 });
  yield forged({ frame: header.frame + 1, flags: 1, count: 0 });
}

/** As anybody can read it. */
function headerIn(frame: Buffer): FrameHeader {
  return {
    kind: frame[3],
    sender: frame.readUInt16LE(16),
    receiver: frame.readUInt16LE(18),
    senderEpoch: frame.readUInt32LE(20),
    receiverEpoch: frame.readUInt32LE(24),
    frame: frame.readUInt32LE(28),
    xorHi: frame.readUInt32LE(32),
    xorLo: frame.readUInt32LE(36),
    total: frame.readDoubleLE(40),
    edge: frame.readUInt16LE(48),
    flags: frame.readUInt16LE(50),
    count: frame.readUInt32LE(52),
  };
}
