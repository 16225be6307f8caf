import test, { type ExecutionContext } from 'ava';
import { topologyFile, until, Workspace } from '../support/e2e.js';
import { balanceCloses } from '../support/e2e-checks.js';
import { startRun } from '../support/e2e-run.js';
import { TestNats } from '../support/nats.js';
import { TestStreams } from '../support/streams.js';

const THROUGH = topologyFile('through-streams');

async function place(t: ExecutionContext) {
  const folder = await Workspace.create(t);
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const streams = await TestStreams.connect(t, nats.options);
  await streams.make('IN', 'in.n');
  await streams.make('OUT', 'out.n');
  const consumer = `squall-${folder.name}-numbers`.slice(0, 64);
  return { folder, nats, streams, consumer };
}

test.serial(
  'from stream to stream: every message once, though one in ten failed once and a worker was killed',
  async (t) => {
    const { folder, nats, streams, consumer } = await place(t);
    const count = 8_000;
    await streams.fill('in.n', 0, count);
    const watched = startRun(t, folder, THROUGH, { nats: nats.options, set: { at: '10' } });
    await watched.ackedAtLeast(1000);
    await watched.killAndAwait('second[3]');
    const result = await watched.run.result;
    t.is(result.status, 'completed');
    t.is(result.spouts.numbers.acked, count);
    t.true(result.spouts.numbers.replays.failed > 0);
    balanceCloses(t, result);
    const found = await streams.numbers('OUT');
    t.is(found.size, count);
    t.is(Math.max(...found.values()), 1, 'the ids of replays are recognised');
    t.is((await streams.settled('IN', consumer)).ackedSeq, count);
  },
);

test.serial(
  'a spout that dies goes on where it was within seconds, and its server that restarts loses nothing',
  async (t) => {
    const { folder, nats, streams, consumer } = await place(t);
    const count = 10_000;
    await streams.fill('in.n', 0, count);
    const watched = startRun(t, folder, THROUGH, { nats: nats.options, set: { tasks: '2' } });
    await watched.ackedAtLeast(1000);
    await watched.killAndAwait('numbers[1]');
    // a quick machine may be nearly through by now
    await watched.ackedAtLeast(Math.min(watched.acked + 1000, count - 1000));
    await nats.kill9();
    await nats.restart();
    const result = await watched.run.result;
    t.is(result.status, 'completed');
    const found = await streams.numbers('OUT');
    t.is(found.size, count);
    t.is((await streams.settled('IN', consumer)).ackedSeq, count);
  },
);

test.serial(
  'a spout refuses a stream that is missing, was made anew or lost what nobody read, and says what to do',
  async (t) => {
    const { folder, nats, streams } = await place(t);
    const start = (set: Record<string, string>, fresh = false) =>
      startRun(t, folder, THROUGH, { nats: nats.options, set, fresh }).run.result;
    const missing = await start({ stream: 'NONE' });
    t.is(missing.status, 'failed');
    t.regex(missing.error?.message ?? '', /expected the stream NONE, but there is none of this name/);

    const unread = await start({ subject: 'nobody.stores.this' });
    t.is(unread.status, 'failed');
    t.regex(unread.error?.message ?? '', /expected a stream that stores nobody\.stores\.this, found none\. Make one/);

    // a run that is cut off has its position stored; then the stream changes behind its back
    await streams.fill('in.n', 0, 3000);
    const cut = startRun(t, folder, THROUGH, { nats: nats.options, set: { untilEnd: 'false' } });
    await cut.ackedAtLeast(2000);
    await Promise.all([cut.run.stop(), cut.run.stop()]);
    await streams.fill('in.n', 3000, 4000);
    await streams.transport.jetstream().purge('IN', { upToSeq: 3500 });
    const purged = await start({ untilEnd: 'true' });
    t.is(purged.status, 'failed');
    t.regex(
      purged.error?.message ?? '',
      /it now begins at message 3501: the \d+ between were removed before they were read.*--fresh/,
    );
    await streams.transport.jetstream().delete('IN');
    await streams.make('IN', 'in.n');
    await streams.fill('in.n', 5000, 5100);
    const anew = await start({ untilEnd: 'true' });
    t.regex(anew.error?.message ?? '', /was made anew since/);
    const fresh = await start({ untilEnd: 'true' }, true);
    t.is(fresh.status, 'completed');
    t.is(fresh.spouts.numbers.acked, 100);
  },
);

test.serial("with replay: 'source' what fails goes back to the stream and comes again, to the end", async (t) => {
  const { folder, nats, streams, consumer } = await place(t);
  await streams.fill('in.n', 0, 500);
  const { run } = startRun(t, folder, THROUGH, { nats: nats.options, set: { replay: 'source', at: '50' } });
  // its tuples have no second attempt: each delivery is a first
  await until(() => (run.snapshot().spouts.numbers?.returned ?? 0) >= 20, 'what failed to come back twice');
  await run.stop();
  const { status, spouts } = await run.result;
  t.is(status, 'stopped');
  t.is(spouts.numbers.acked, 490);
  t.like(await streams.consumer('IN', consumer), { unacked: 10 });
});

test.serial('a message that cannot be read becomes a dead letter that names it, and the others go on', async (t) => {
  const { folder, nats, streams, consumer } = await place(t);
  await streams.fill('in.n', 0, 50);
  const bad = ['no json', '{}', '{"n":"seven"}', '[1]', ''];
  for (const text of bad) await streams.broker.append('in.n', Buffer.from(text), { msgId: `bad ${text}` });
  await streams.fill('in.n', 50, 100);
  const watched = startRun(t, folder, THROUGH, { nats: nats.options });
  const { status, spouts } = await watched.run.result;
  t.is(status, 'dead-letters');
  t.like(spouts.numbers, { acked: 100, deadLettered: bad.length });
  t.is((await streams.numbers('OUT')).size, 100);
  t.is((await streams.settled('IN', consumer)).ackedSeq, 105);
  const letters = watched.letters.items.map(({ message }) => message);
  t.regex(letters[0], /message 51 of the stream IN \(in\.n\) cannot be emitted: .*JSON/);
  t.regex(letters[1], /message 52 .* field "n" expects number, got undefined/);
});

test.serial('a run whose consumer is deleted under it fails, and says what is gone and what to do', async (t) => {
  const { folder, nats, streams, consumer } = await place(t);
  await streams.fill('in.n', 0, 500);
  const watched = startRun(t, folder, THROUGH, { nats: nats.options, set: { untilEnd: 'false' } });
  await watched.ackedAtLeast(500);
  await streams.transport.jetstream().api(`CONSUMER.DELETE.IN.${consumer}`, {});
  const { status, error } = await watched.run.result;
  t.is(status, 'failed');
  t.regex(error?.message ?? '', /the consumer \S+ of the stream IN.*is not there any more.*--fresh/);
});
