import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement, Side, Timing } from './benchmark.js';
import { cpuBetween, cpuOf } from './cpu.js';
import { ackedAt, epochMs, readProgress } from './progress.js';
import { startServer } from './server.js';

/** From the start of a side to its first completed tuple, and from the end of the window to a later sample. */
const SAMPLE_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 20;
const MILLION = 1_000_000;

/** Runs a side once, on a nats-server of its own, and measures it between two moments of its steady state. */
export async function measure(side: Side, { warmUpMs, windowMs }: Timing): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'squall-bench-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const server = await startServer(folder);
  try {
    const progressFile = join(folder, 'progress.jsonl');
    const limitMs = 2 * SAMPLE_LIMIT_MS + warmUpMs + windowMs;
    const running = await side.start({ natsUrl: server.url, folder, progressFile, limitMs });
    const broken = Promise.race([server.child.broken, running.broken]);
    const pids = [...running.pids, server.child.pid];

    await Promise.race([broken, sampleAfter(progressFile, 0, `${side.name} has completed nothing`)]);
    await Promise.race([broken, sleep(warmUpMs)]);
    const cpuBefore = cpuOf(pids);
    const from = epochMs();
    await Promise.race([broken, sleep(windowMs)]);
    const cpuAfter = cpuOf(pids);
    const to = epochMs();
    await Promise.race([broken, sampleAfter(progressFile, to, `${side.name} has stopped reporting`)]);
    const facts = await Promise.race([broken, running.stop()]);

    const samples = readProgress(progressFile);
    const completed = (ackedAt(samples, to) ?? Number.NaN) - (ackedAt(samples, from) ?? Number.NaN);
    const perMillion = (seconds: number) => (seconds / completed) * MILLION;
    const cpu = cpuBefore && cpuAfter && [...cpuBetween(cpuBefore, cpuAfter)];
    return {
      rate: completed / ((to - from) / 1000),
      cpuSecondsPerMillion: cpu && perMillion(cpu.reduce((sum, [, seconds]) => sum + seconds, 0)),
      cpuSecondsPerMillionByProcess: Object.fromEntries((cpu ?? []).map(([name, s]) => [name, perMillion(s)])),
      facts,
    };
  } finally {
    await server.child.end();
    process.off('exit', removeFolder);
    removeFolder();
  }
}

/** Resolves when there is a sample later than `t` with something completed. */
async function sampleAfter(progressFile: string, t: number, complaint: string): Promise<void> {
  const deadline = performance.now() + SAMPLE_LIMIT_MS;
  while (performance.now() < deadline) {
    const last = readProgress(progressFile).at(-1);
    if (last !== undefined && last.t > t && last.acked > 0) return;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(`${complaint} for ${SAMPLE_LIMIT_MS / 1000} s`);
}
