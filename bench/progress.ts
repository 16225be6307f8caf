import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** One line of a progress file: tuples completed since the start, at `t` milliseconds of the epoch. */
export interface ProgressSample {
  readonly t: number;
  readonly acked: number;
}

const SAMPLE_EVERY_MS = 100;

/**
 * Both sides of a benchmark report alike: the spout's process writes a line every 100 ms, the harness reads the file
 * from outside. The time is taken where the count is read, so it does not matter when the harness gets to it.
 */
export function writeProgress(path: string, acked: () => number): { stop(): void } {
  const write = () => {
    const sample: ProgressSample = { t: epochMs(), acked: acked() };
    appendFileSync(path, `${JSON.stringify(sample)}\n`);
  };
  const timer = setInterval(write, SAMPLE_EVERY_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      write();
    },
  };
}

/** Whole lines only: the writer may be in the middle of one. */
export function readProgress(path: string): ProgressSample[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ProgressSample);
}

/** What was completed at `t`, on the line between the samples round it; undefined while there is none after it. */
export function ackedAt(samples: readonly ProgressSample[], t: number): number | undefined {
  const after = samples.findIndex((sample) => sample.t >= t);
  if (after < 1) return undefined;
  const [a, b] = [samples[after - 1], samples[after]];
  return a.acked + ((b.acked - a.acked) * (t - a.t)) / (b.t - a.t);
}

/** Milliseconds of the epoch with a fraction, steady within a process. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
