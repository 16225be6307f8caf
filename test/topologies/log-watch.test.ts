import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { captureBolt, feeder, startLocal } from '../../core/testing/index.js';
import { t as is } from '../../core/topology/fields.js';
import { signatureOf, watched } from '../../topologies/log-watch.js';
import { sizeOf, until, Workspace } from '../support/e2e.js';
import { startRun } from '../support/e2e-run.js';
import { Log } from '../support/log.js';
import { TestNats } from '../support/nats.js';
import { TestStreams } from '../support/streams.js';

/** for the processes to be there, on a busy machine */
const DEADLINE_MS = 60_000;

const failed = (n: number): string =>
  `2026-01-31T10:00:${String(n % 60).padStart(2, '0')}.123Z ERROR [req-${n}] payment 4f2a9c${1000 + n} of user ${n} failed after ${n * 3} ms`;

test('errors of a kind have one signature, whatever times, numbers and ids they have', (t) => {
  t.is(signatureOf(failed(1)), '<time> ERROR [req-<n>] payment <hex> of user <n> failed after <n> ms');
  t.is(new Set(Array.from({ length: 100 }, (_, n) => signatureOf(failed(n)))).size, 1);
  t.is(
    signatureOf('fatal: 0xDEAD at 10.0.0.1:8080, id 01a2202a-b1ff-7339-848b-8f494c55f44c'),
    'fatal: <hex> at <n>, id <id>',
  );
  t.not(signatureOf('ERROR disk full'), signatureOf('ERROR disk slow'));
});

test('a new kind is told from so many on, a known one when it is so many times its mean, each once a minute', async (t) => {
  const lines = feeder({ line: is.string });
  const alerts = captureBolt();
  const minutes = captureBolt();
  const rules = { minuteMs: 60_000, minutes: 10, factor: 3, least: 5 };
  const local = await startLocal(watched(lines, rules, alerts, minutes));
  const say = async (count: number, line = 'ERROR disk 7 full') => {
    for (let n = 0; n < count; n++) lines.feed({ line });
    lines.feed({ line: 'info: all is well' });
    await local.settle();
  };
  const told = () => alerts.tuples.map(({ values }) => `${values.kind} ${values.count}`);
  await say(4);
  t.deepEqual(told(), []);
  await say(4);
  t.deepEqual(told(), ['new 5']);
  await local.advance(60_000);
  // eight in the last minute: 24 are not more than three times as many
  await say(24);
  t.deepEqual(told(), ['new 5']);
  await say(10);
  t.deepEqual(told(), ['new 5', 'burst 25']);
  await local.advance(60_000);
  await local.stop();
  t.deepEqual(
    minutes.tuples.map(({ values }) => (values as { count: number }).count),
    [8, 34],
  );
});

test.serial('a burst in a log that rotates is told to a NATS subject', async (t) => {
  const place = await Workspace.create(t);
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const { broker } = await TestStreams.connect(t, nats.options);
  const heard = new Log<{ kind: string; count: number; signature: string }>();
  broker.subscribe('alerts.test', (bytes) => heard.push(JSON.parse(Buffer.from(bytes).toString())));
  await broker.flush();

  const input = place.path('app.log');
  const output = place.path('errors.tsv');
  const file = fileURLToPath(new URL('../../topologies/log-watch.js', import.meta.url));
  const set = { input, output, subject: 'alerts.test', minuteMs: '500', least: '20' };
  const running = startRun(t, place, file, { nats: nats.options, set });
  appendFileSync(input, 'all is well\n');
  for (let n = 0; n < 10; n++) appendFileSync(input, `${failed(n)}\n`);
  await until(() => running.acked >= 11, 'the first lines to be complete', DEADLINE_MS);
  t.deepEqual(heard.items, []);
  renameSync(input, `${input}.1`);
  for (let n = 0; n < 100; n++) appendFileSync(input, `${failed(n)}\n`);
  await heard.count(1, 'the alert');
  t.is(heard.items[0].signature, signatureOf(failed(1)));
  t.true(heard.items[0].count >= 20);
  await until(() => sizeOf(output) > 0, 'the counts of a minute');
  t.regex(
    readFileSync(output, 'utf8'),
    /\t<time> ERROR \[req-<n>\] payment <hex> of user <n> failed after <n> ms\t\d+\n/,
  );
  await running.run.stop();
  t.is((await running.run.result).status, 'stopped');
});
