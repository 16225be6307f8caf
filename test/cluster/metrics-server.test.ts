import { spawnSync } from 'node:child_process';
import test from 'ava';
import { metricsPage } from '../../core/cluster/metrics-page.js';
import { parseAddress, serveMetrics, whyNotReady } from '../../core/cluster/metrics-server.js';
import type { RunSnapshot } from '../../core/index.js';
import { LatencyHistogram } from '../../core/runtime/latency.js';
import { NO_REPLAYS, runSnapshot, spoutResult } from '../cli/fake-run.js';

function recorded(...ms: number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const one of ms) histogram.record(one);
  return histogram;
}

const SNAPSHOT = runSnapshot({
  deadLetters: 3,
  dropped: { stale: 4, 'out-settled': 1 },
  spouts: { lines: spoutResult({ acked: 90, deadLettered: 3, replays: { ...NO_REPLAYS, timeout: 7 } }) },
  load: {
    split: {
      perS: { executed: 1, emitted: 2, acked: 1, failed: 0 },
      queued: 0,
      capacity: 0.5,
      queueMs: { p50: 2, p90: 3, p99: 5, max: 8 },
    },
  },
  recent: { wireMs: { p50: 0.5, p90: 1, p99: 1.5, max: 2 } },
  bolts: {
    split: {
      executed: 10,
      emitted: 20,
      acked: 9,
      failed: 1,
      metrics: {
        counters: { 'odd "name"\\\n': 2 },
        gauges: { depth: { 2: 1.5 } },
        histograms: { size: { p50: 1, p90: 2, p99: 3, max: 4, count: 5 } },
      },
    },
  },
});
const HISTOGRAMS = [{ component: 'lines', complete: recorded(0.4, 4, 400, 120_000), execute: recorded() }];

/** Value of each sample, by its line up to the value. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^(\S+?(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return [name, Number(value)];
    }),
  );
}

test('the page has the counts of the run, by component, reason and cause', async (t) => {
  const { text, contentType } = await metricsPage(SNAPSHOT, HISTOGRAMS, '1.2.3');
  t.regex(contentType, /^text\/plain; version=0\.0\.4/);
  const found = samples(text);
  const of = (line: string) =>
    found.get(line.replace('{', `{topology="${SNAPSHOT.topology}"${line.includes('{}') ? '' : ','}`));
  t.is(of('squall_tuples_executed_total{component="split"}'), 10);
  t.is(of('squall_roots_acked_total{component="lines"}'), SNAPSHOT.spouts.lines.acked);
  t.is(of('squall_replays_total{component="lines",reason="timeout"}'), SNAPSHOT.spouts.lines.replays.timeout);
  t.is(of('squall_roots_failed_total{component="lines",reason="timeout"}'), 7);
  t.is(of('squall_roots_failed_total{component="lines",reason="dead-letter"}'), 3, 'the last attempt of each');
  t.is(of('squall_frames_dropped_total{cause="stale"}'), 4);
  t.is(of('squall_dead_letters_total{}'), 3);
  t.is(of('squall_component_events_total{component="split",metric="odd \\"name\\"\\\\\\n"}'), 2);
});

test('the parts of the latency are there in seconds, and absent where nothing was measured', async (t) => {
  const { text } = await metricsPage(SNAPSHOT, HISTOGRAMS, '1.2.3');
  t.regex(text, /^squall_queue_seconds\{[^}]*component="split",q="0.99"\} 0.005$/m);
  t.regex(text, /^squall_wire_seconds\{[^}]*q="0.5"\} 0.0005$/m);
  t.notRegex(text, /squall_ack_seconds/);
});

test('a histogram grows with its buckets, ends with +Inf, and its count is that of all', async (t) => {
  const { text } = await metricsPage(SNAPSHOT, HISTOGRAMS, '1.2.3');
  const buckets = [...samples(text)].filter(([name]) => name.startsWith('squall_complete_latency_seconds_bucket'));
  const counts = buckets.map(([, value]) => value);
  t.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  );
  t.regex(buckets.at(-1)?.[0] ?? '', /le="\+Inf"/);
  t.is(counts.at(-1), 4);
  t.is(counts[0], 1, '0.4 ms is within half a millisecond');
});

test('promtool, where it is installed, accepts the page', async (t) => {
  const { text } = await metricsPage(SNAPSHOT, HISTOGRAMS, '1.2.3');
  const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (error !== undefined) return t.log('no promtool on this machine');
  t.is(`${stdout}${stderr}`, '');
  t.is(status, 0);
});

test('ready says who is not up, and when NATS is away; a task that has ended is no fault', (t) => {
  t.deepEqual(whyNotReady(undefined), ['the run is starting']);
  t.deepEqual(whyNotReady(SNAPSHOT), []);
  const [first, ...rest] = SNAPSHOT.tasks;
  const without = (state: 'gone' | 'ended'): RunSnapshot => ({ ...SNAPSHOT, tasks: [{ ...first, state }, ...rest] });
  t.deepEqual(whyNotReady(without('gone')), [`${first.component}: not up`]);
  t.deepEqual(whyNotReady(without('ended')), []);
  t.deepEqual(whyNotReady({ ...SNAPSHOT, linksDown: 2 }), ['2 connections to NATS are down']);
});

test('over HTTP: health at once, the page and ready when there is a run, and a port that is taken is a clear error', async (t) => {
  let snapshot: RunSnapshot | undefined;
  const source = { snapshot: () => snapshot, histograms: () => [] };
  const server = await serveMetrics(0, source, '1.2.3');
  t.teardown(() => server.close());
  const get = (path: string) => fetch(`${server.url}${path}`);
  t.regex(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.is((await get('/healthz')).status, 200);
  t.is((await get('/metrics')).status, 503);
  t.is((await get('/ready')).status, 503);
  snapshot = SNAPSHOT;
  t.is((await get('/ready')).status, 200);
  t.regex(await (await get('/metrics')).text(), /^squall_workers\{/m);
  t.is((await get('/else')).status, 404);
  const port = new URL(server.url).port;
  const error = await t.throwsAsync(serveMetrics(port, source, '1'), { code: 'ERR_SQUALL_METRICS_PORT' } as never);
  t.regex(error?.message ?? '', new RegExp(`nothing can listen at 127\\.0\\.0\\.1:${port}.*name another port`));
});

test('an address is a port, or a host with one', (t) => {
  t.deepEqual(parseAddress(9464), { host: '127.0.0.1', port: 9464 });
  t.deepEqual(parseAddress('0.0.0.0:80'), { host: '0.0.0.0', port: 80 });
  t.deepEqual(parseAddress('[::1]:80'), { host: '::1', port: 80 });
  for (const wrong of ['', 'x', '70000', 'host:', '1.5', ':80'])
    t.throws(() => parseAddress(wrong), { code: 'ERR_SQUALL_USAGE' } as never);
});
