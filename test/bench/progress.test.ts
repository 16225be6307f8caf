import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ackedAt, epochMs, readProgress, writeProgress } from '../../bench/progress.js';

test('what was completed at a moment lies on the line between the samples round it', (t) => {
  const samples = [
    { t: 1000, acked: 0 },
    { t: 1100, acked: 500 },
    { t: 1200, acked: 700 },
  ];
  t.is(ackedAt(samples, 1050), 250);
  t.is(ackedAt(samples, 1100), 500);
  t.is(ackedAt(samples, 1150), 600);
});

test('a moment outside the samples has no figure', (t) => {
  const samples = [
    { t: 1000, acked: 0 },
    { t: 1100, acked: 500 },
  ];
  t.is(ackedAt(samples, 999), undefined);
  t.is(ackedAt(samples, 1101), undefined);
  t.is(ackedAt([], 1000), undefined);
});

test('a stopped writer has left its last count, and half a line is not read', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'squall-progress-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'progress.jsonl');
  t.deepEqual(readProgress(path), []);
  const before = epochMs();
  writeProgress(path, () => 42).stop();
  appendFileSync(path, '{"t": 1, "ack');
  const [sample, ...others] = readProgress(path);
  t.is(sample.acked, 42);
  t.true(sample.t >= before && sample.t <= epochMs());
  t.deepEqual(others, []);
});
