/**
 * `npm run test:faults -- [NAME]… [--rounds N] [--lines N] [--messages N]`: the long form of the end-to-end tests, on real processes and
 * a real nats-server at full speed. Every drill whose name contains one of the NAMEs, in each of the rounds; what it did
 * goes to stdout as a table. Exit code 1 when one of them broke a promise. Takes about 25 minutes on 2 cores.
 */
import { parseArgs } from 'node:util';
import { conformanceDrills } from './conformance-drills.js';
import { type Drill, DrillScope, type Row } from './drill.js';
import { killDrills } from './kill-drills.js';
import { recoveryDrills } from './recovery-drills.js';
import { streamDrills } from './stream-drills.js';
import { wordDrills } from './word-drills.js';

const ROUNDS = 3;
const LINES = 2_000_000;
const MESSAGES = 1_000_000;

async function drill({ name, run }: Drill, round: number): Promise<{ readonly row: Row; readonly broken: boolean }> {
  const scope = new DrillScope();
  const head = { round: String(round), drill: name };
  const startedAt = performance.now();
  try {
    try {
      const row = { ...head, ...(await run(scope)), verdict: 'ok' };
      return { row, broken: false };
    } finally {
      await scope.close();
    }
  } catch (error) {
    console.error(`${name}, round ${round}: ${error instanceof Error ? error.message : String(error)}`);
    return { row: { ...head, verdict: 'BROKEN' }, broken: true };
  } finally {
    console.error(`${name}, round ${round}: took ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
}

/** Drills of a kind have the same columns: a table for each set of them. */
function table(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((column) => column !== 'verdict');
  const all = [...columns, 'verdict'];
  const lines = [all, ...rows.map((row) => all.map((column) => row[column] ?? ''))];
  const widths = all.map((_, index) => Math.max(...lines.map((line) => line[index].length)));
  return lines
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: String(ROUNDS) },
    lines: { type: 'string', default: String(LINES) },
    messages: { type: 'string', default: String(MESSAGES) },
  },
});
const wanted = ({ name }: Drill) => positionals.length === 0 || positionals.some((part) => name.includes(part));
const kinds = [
  killDrills,
  recoveryDrills,
  wordDrills(Number(values.lines)),
  streamDrills(Number(values.messages)),
  conformanceDrills,
].map((drills) => drills.filter(wanted));
let broken = 0;
for (const drills of kinds) {
  const rows: Row[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const one of drills) {
      const outcome = await drill(one, round);
      rows.push(outcome.row);
      if (outcome.broken) broken += 1;
    }
  }
  if (rows.length > 0) console.log(`${table(rows)}\n`);
}
console.log(broken === 0 ? 'every promise was kept' : `${broken} drills broke a promise`);
process.exitCode = broken === 0 ? 0 : 1;
