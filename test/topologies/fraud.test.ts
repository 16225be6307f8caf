import { fileURLToPath } from 'node:url';
import test from 'ava';
import { captureBolt, runLocal } from '../../core/testing/index.js';
import { checked, isFraud } from '../../topologies/fraud.js';
import { Workspace } from '../support/e2e.js';
import { balanceCloses } from '../support/e2e-checks.js';
import { startRun } from '../support/e2e-run.js';
import { TestNats } from '../support/nats.js';
import { TestStreams } from '../support/streams.js';

const WORLD = { seed: 7, fraudOneIn: 50 };

/** Which transactions are fraudulent: the generator's secret, which the model has to find out. */
const fraudsOf = (count: number): number[] =>
  Array.from({ length: count }, (_, n) => n).filter((n) => isFraud(n, WORLD));

test('the alerts are exactly the fraudulent transactions, and at the end nobody holds a profile', async (t) => {
  const load = { ...WORLD, rate: 2000, count: 6000, cards: 500, leaseMs: 500 };
  const alerts = captureBolt();
  const result = await runLocal(checked('fraud', load, 2, alerts), { workers: 'task' });
  t.is(result.status, 'completed');
  t.is(result.spouts.cards.metrics?.histograms['due-to-complete-ms'].count, 6000);
  const found = new Set(alerts.tuples.map(({ values }) => (values as { n: number }).n));
  t.deepEqual(
    [...found].sort((a, b) => a - b),
    fraudsOf(6000),
  );
  t.is(result.balance.inFlight, 0);
});

test.serial('a join is killed in a run of processes: every alert is in the stream, once', async (t) => {
  const place = await Workspace.create(t);
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const streams = await TestStreams.connect(t, nats.options);
  const file = fileURLToPath(new URL('../../topologies/fraud.js', import.meta.url));
  const set = { rate: '3000', seconds: '3', cards: '1000', seed: '7', fraudOneIn: '50', leaseMs: '500', joins: '2' };
  const watched = startRun(t, place, file, { nats: nats.options, set });
  await watched.ackedAtLeast(2000);
  await watched.killAndAwait('join[2]');
  const result = await watched.run.result;
  t.is(result.status, 'completed');
  t.true(result.spouts.cards.replays['worker-lost'] > 0);
  balanceCloses(t, result);
  const found = await streams.numbers('FRAUD');
  t.deepEqual(
    [...found.keys()].sort((a, b) => a - b),
    fraudsOf(9000),
  );
  t.is(Math.max(...found.values()), 1, 'the ids of what came again are recognised');
});
