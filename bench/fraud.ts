/**
 * `npm run bench:fraud`: topologies/fraud.ts at Visa's peak, open loop: 47 000 transactions a second for five minutes.
 * Arguments `rate=… seconds=… workers=… joins=… cards=…` change that. Times are from when a transaction was due.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../core/index.js';
import { cpuBetween, cpuOf, type ProcessCpu } from './cpu.js';

const FILE = new URL('../topologies/fraud.js', import.meta.url);
const RESULTS = fileURLToPath(new URL('../../bench/results/', import.meta.url));
const LOOK_EVERY_MS = 5000;

const { workers = 'task', ...given } = Object.fromEntries(
  process.argv.slice(2).map((argument) => argument.split('=', 2)),
) as Record<string, string>;
const set = { rate: '47000', seconds: '300', ...given };

const folder = await mkdtemp(join(tmpdir(), 'squall-fraud-'));
try {
  const running = run(FILE, {
    set,
    state: join(folder, 'state'),
    fresh: true,
    workers: workers === 'task' ? 'task' : Number(workers),
  });
  running.on('warning', (warning) => console.error(warning));
  /** between the first look at a flow that runs and the last one: neither start nor end */
  const looks: { readonly acked: number; readonly cpu: ReadonlyMap<number, ProcessCpu> }[] = [];
  const look = setInterval(() => {
    const { spouts, recent, phase } = running.snapshot();
    const { acked = 0, pending = 0 } = spouts.cards ?? {};
    const flows = spouts.cards?.metrics?.histograms['due-to-complete-ms']?.count ?? 0;
    if (phase === 'running' && flows > 0 && flows < Number(set.rate) * Number(set.seconds)) {
      looks.splice(1, 1);
      looks.push({ acked: flows, cpu: cpuOf([process.pid]) ?? new Map() });
    }
    console.error(`acked ${acked}, pending ${pending}, complete p99 ${recent?.completeMs?.p99?.toFixed(1) ?? '–'} ms`);
  }, LOOK_EVERY_MS);
  const result = await running.result.finally(() => clearInterval(look));
  const cards = result.spouts.cards;
  const histograms = cards?.metrics?.histograms ?? {};
  const counters = cards?.metrics?.counters ?? {};
  const complete = histograms['due-to-complete-ms'];
  const count = complete?.count ?? 0;
  const [from, to] = looks;
  const cpuSeconds = to === undefined ? {} : Object.fromEntries(cpuBetween(from.cpu, to.cpu));
  const spent = Object.values(cpuSeconds).reduce((sum, one) => sum + one, 0);
  const record = {
    writtenAt: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.versions.node },
    set,
    workers,
    status: result.status,
    transactions: count,
    // of the last due time, not of the end: then the profiles come back
    ratePerS: Math.round(count / (Number(set.seconds) + (complete?.max ?? 0) / 1000)),
    dueToCompleteMs: complete,
    completeAfter100Ms: counters['complete-after-100-ms'] ?? 0,
    completeAfter1S: counters['complete-after-1-s'] ?? 0,
    dueToAlertStoredMs: histograms['due-to-alert-stored-ms'],
    p999Ms: cards?.metrics?.gauges['due-to-complete-p999-ms'],
    fraudulent: counters.fraudulent ?? 0,
    alertsStored: result.bolts.alerts?.acked,
    replays: cards?.replays,
    deadLettered: cards?.deadLettered,
    cpuSeconds,
    // of both cores and all processes, nats-server and this one included
    cpuMicrosecondsPerTransaction: to === undefined ? undefined : (spent / (to.acked - from.acked)) * 1e6,
    balance: result.balance,
  };
  mkdirSync(RESULTS, { recursive: true });
  const path = join(RESULTS, `${record.writtenAt.replaceAll(':', '-')}-fraud.json`);
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
  console.log(JSON.stringify(record, null, 2));
  console.log(path);
  if (result.status !== 'completed') process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
