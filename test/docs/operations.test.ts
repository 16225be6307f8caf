/** What the guide, the alerts and the dashboard name is on the page, and nothing on the page is left out of the guide. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { metricsPage } from '../../core/cluster/metrics-page.js';
import { LatencyHistogram } from '../../core/runtime/latency.js';
import { boltResult, runSnapshot, spoutResult } from '../cli/fake-run.js';
import { ROOT } from './installed.js';

const QUANTILES = { p50: 1, p90: 2, p99: 3, max: 4 };
const BALANCE = { created: 0, consumed: 0, failed: 0, writtenOff: 0, inFlight: 0, causes: {}, mismatches: 0 };
const LOAD = { perS: { executed: 1, emitted: 1, acked: 1, failed: 0 }, queued: 1, capacity: 0.5, queueMs: QUANTILES };

/** Of a run that has something of everything. */
async function metricsOfAll(): Promise<Set<string>> {
  const base = runSnapshot();
  const metrics = { counters: { a: 1 }, gauges: { b: { 1: 1 } }, histograms: { c: { ...QUANTILES, count: 1 } } };
  const process = { rssBytes: 1, heapBytes: 1, cpu: 0.1, loopLagMs: 1 };
  const snapshot = runSnapshot({
    spouts: { lines: spoutResult() },
    bolts: { split: boltResult({ metrics }) },
    tasks: base.tasks.map((task) => ({ ...task, load: LOAD, pending: 1, oldestMs: 1, open: 1, process })),
    load: { split: LOAD },
    recent: { completeMs: QUANTILES, wireMs: QUANTILES, ackMs: QUANTILES },
    balance: BALANCE,
    dropped: { stale: 1 },
  });
  const one = new LatencyHistogram();
  one.record(1);
  const { text } = await metricsPage(snapshot, [{ component: 'split', complete: one, execute: one }], '1.2.3');
  return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
}

const read = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');
const named = (text: string): Set<string> =>
  new Set((text.match(/\bsquall_[a-z0-9_]+/g) ?? []).map((name) => name.replace(/_bucket$/, '')));

test('the guide explains every metric, and no other', async (t) => {
  t.deepEqual([...named(read('operations.md'))].sort(), [...(await metricsOfAll())].sort());
});

for (const file of ['alerts.yml', 'grafana.json'])
  test(`${file} asks for metrics that there are`, async (t) => {
    const all = await metricsOfAll();
    const asked = [...named(read(file))];
    t.true(asked.length > 0);
    t.deepEqual(
      asked.filter((name) => !all.has(name)),
      [],
    );
  });

test('the guide says what to do at every alert', (t) => {
  const alerts = [...read('alerts.yml').matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  t.true(alerts.length > 0);
  for (const alert of alerts) t.true(read('operations.md').includes(`\`${alert}\``), alert);
});

test('promtool, where it is installed, accepts the alerts', (t) => {
  const { error, status, stdout, stderr } = spawnSync(
    'promtool',
    ['check', 'rules', join(ROOT, 'docs', 'alerts.yml')],
    {
      encoding: 'utf8',
    },
  );
  if (error !== undefined) t.log('no promtool on this machine');
  else t.is(status, 0, `${stdout}${stderr}`);
  t.pass();
});
