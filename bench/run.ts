/**
 * `npm run bench -- [NAME]… [--quick] [--pairs N] [--only SIDE]`: every benchmark as pairs of its two sides, A B A B …,
 * for machines are shared and noisy. Progress goes to stderr, the table to stdout, everything into a file under
 * `bench/results/`. `--only` runs one side by itself, to see or to profile it; nothing is compared or written then.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Benchmark, Measurement, Side, Timing } from './benchmark.js';
import { benchmarks } from './benchmarks.js';
import { measure } from './measure.js';
import { tableOf, writeResults } from './report.js';
import { type BenchmarkResult, summarize } from './summary.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** With five pairs: ten runs of five seconds, about a minute. */
const QUICK: Timing = { warmUpMs: 4000, windowMs: 3000 };
const THOROUGH: Timing = { warmUpMs: 5000, windowMs: 10_000 };
const DEFAULT_PAIRS = '5';
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

interface Plan {
  readonly benchmarks: readonly Benchmark[];
  readonly timing: Timing;
  readonly pairs: number;
  readonly only: string | undefined;
}

class UsageError extends Error {}

function planFrom(args: readonly string[]): Plan {
  const { values, positionals } = parse(args);
  const chosen = positionals.length === 0 ? benchmarks : positionals.map(benchmarkNamed);
  const pairs = Number(values.pairs);
  if (!Number.isInteger(pairs) || pairs < 1) {
    throw new UsageError(`--pairs takes a whole number from 1, not '${values.pairs}'`);
  }
  for (const { name, sides } of chosen) {
    if (values.only !== undefined && !sides.some((side) => side.name === values.only)) {
      throw new UsageError(`${name} has no side '${values.only}'; it has ${sides.map((side) => side.name).join(', ')}`);
    }
  }
  return { benchmarks: chosen, timing: values.quick ? QUICK : THOROUGH, pairs, only: values.only };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        pairs: { type: 'string', default: DEFAULT_PAIRS },
        only: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function benchmarkNamed(name: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (found) return found;
  throw new UsageError(`there is no benchmark '${name}'; there are ${benchmarks.map((b) => b.name).join(', ')}`);
}

async function runPairs(benchmark: Benchmark, timing: Timing, count: number): Promise<BenchmarkResult> {
  const [a, b] = benchmark.sides;
  const pairs: [Measurement, Measurement][] = [];
  for (let i = 1; i <= count; i++) {
    pairs.push([await runOnce(a, timing, `pair ${i}/${count}`), await runOnce(b, timing, `pair ${i}/${count}`)]);
  }
  return summarize(benchmark, pairs);
}

async function runOnce(side: Side, timing: Timing, label: string): Promise<Measurement> {
  const measured = await measure(side, timing);
  const processes = Object.entries(measured.cpuSecondsPerMillionByProcess)
    .map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`)
    .join(', ');
  console.error(
    `${label}  ${side.name}  ${Math.round(measured.rate).toLocaleString('en-US')}/s  CPU s/M: ${processes}`,
  );
  return measured;
}

async function main({ benchmarks, timing, pairs, only }: Plan): Promise<void> {
  const results: BenchmarkResult[] = [];
  for (const benchmark of benchmarks) {
    const side = benchmark.sides.find(({ name }) => name === only);
    if (side) {
      for (let i = 1; i <= pairs; i++) await runOnce(side, timing, `run ${i}/${pairs}`);
      continue;
    }
    const result = await runPairs(benchmark, timing, pairs);
    results.push(result);
    console.log(`\n${tableOf(result, timing)}`);
  }
  if (results.length > 0)
    console.log(`\nwritten: ${relative(process.cwd(), await writeResults(ROOT, results, timing))}`);
}

try {
  await main(planFrom(process.argv.slice(2)));
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exit(error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE);
}
