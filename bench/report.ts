import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Timing } from './benchmark.js';
import { natsServerBinary } from './server.js';
import type { BenchmarkResult, Spread } from './summary.js';

const whole = (value: number) => Math.round(value).toLocaleString('en-US');
const two = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(2));

/** The table that people read. */
export function tableOf(
  { benchmark, pairs, ratio, rates, cpuSecondsPerMillion: cpu }: BenchmarkResult,
  timing: Timing,
): string {
  const [a, b] = benchmark.sides;
  const range = ({ least, most }: Spread, show: (value: number) => string) => `${show(least)}–${show(most)}`;
  const rows = [
    ['pair', `${a.name} /s`, 'CPU s/M', `${b.name} /s`, 'CPU s/M', 'ratio'],
    ...pairs.map(([x, y], i) => [
      String(i + 1),
      ...[whole(x.rate), two(x.cpuSecondsPerMillion), whole(y.rate), two(y.cpuSecondsPerMillion)],
      two(x.rate / y.rate),
    ]),
    [
      'median',
      ...[whole(rates[0].median), two(cpu[0]?.median), whole(rates[1].median), two(cpu[1]?.median)],
      two(ratio.median),
    ],
    [
      'spread',
      ...[range(rates[0], whole), cpu[0] ? range(cpu[0], two) : '–'],
      ...[range(rates[1], whole), cpu[1] ? range(cpu[1], two) : '–'],
      range(ratio, two),
    ],
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))));
  return [
    `${benchmark.name}: ${benchmark.title}`,
    `${benchmark.unit} completed per second over ${timing.windowMs / 1000} s after ${timing.warmUpMs / 1000} s of warm-up; ` +
      'CPU seconds per million, nats-server included',
    ...lines.map((cells) => `  ${cells.join('  ')}`),
    ...benchmark.sides.map(({ name, guarantee }) => `  ${name}: ${guarantee}`),
    `  median ratio ${a.name} ÷ ${b.name}: ${two(ratio.median)}`,
  ].join('\n');
}

/** Writes figures, versions and machine under `bench/results/` and returns the file's path. */
export async function writeResults(root: string, results: readonly BenchmarkResult[], timing: Timing): Promise<string> {
  const folder = join(root, 'bench', 'results');
  const startedAt = new Date().toISOString();
  const names = results.map(({ benchmark }) => benchmark.name).join('+');
  const path = join(folder, `${startedAt.replaceAll(':', '-')}-${names}.json`);
  const record = {
    writtenAt: startedAt,
    machine: {
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      memoryBytes: totalmem(),
      system: `${platform()} ${release()} ${arch()}`,
    },
    versions: {
      squall: (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version,
      commit: outputOf('git', ['-C', root, 'describe', '--always', '--dirty']),
      node: process.versions.node,
      natsServer: outputOf(await natsServerBinary(), ['--version']),
    },
    timing,
    benchmarks: results.map(({ benchmark, ...figures }) => ({
      name: benchmark.name,
      title: benchmark.title,
      unit: benchmark.unit,
      sides: benchmark.sides.map(({ name, guarantee }) => ({ name, guarantee })),
      ...figures,
    })),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
  return path;
}

/** undefined where the program is missing or fails: a checkout need not be a git one */
function outputOf(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
