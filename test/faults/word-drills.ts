/** Word count over 2 000 000 generated lines, in every form: counts true, every line acked, memory bounded. */
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { topologyFile, Workspace } from '../support/e2e.js';
import { addWords, balanceCloses, countsIn, differences } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { type Drill, megabytes, watchMemory, whole } from './drill.js';

const TEXT = fileURLToPath(new URL('../../../scripts/text.mjs', import.meta.url));
const MEMORY_LIMIT_BYTES = 250e6;

const WITHIN_MS = 300_000;

interface Form {
  readonly name: string;
  readonly options?: readonly string[];
  readonly set?: Readonly<Record<string, string>>;
}

const FORMS: readonly Form[] = [
  { name: 'a process per task' },
  { name: '1 process', options: ['--workers', '1'] },
  { name: '2 processes', options: ['--workers', '2'] },
  { name: '2 ackers', options: ['--ackers', '2'] },
  { name: '4 tasks a bolt', set: { tasks: '4' } },
];

export function wordDrills(lines: number): readonly Drill[] {
  return FORMS.map(({ name, options, set }) => ({
    name: `word count, ${name}`,
    async run(scope) {
      const place = await Workspace.create(scope);
      const input = place.path('text.txt');
      const output = place.path('counts.tsv');
      execFileSync(process.execPath, [TEXT, String(lines), input]);
      const expected = new Map<string, number>();
      for await (const line of createInterface({ input: createReadStream(input) })) addWords(expected, line);
      const command = await Command.run(scope, place, topologyFile('words'), { input, output, ...set }, options);
      const memory = watchMemory(place);
      const { code, result } = await command.result(WITHIN_MS);
      const most = memory.stop();
      scope.is(code, 0, 'exit code');
      scope.deepEqual(result.warnings, [], 'warnings');
      const { emitted, acked, replays } = result.spouts.lines;
      scope.is(emitted, lines, 'emitted');
      scope.is(acked, lines, 'acked');
      scope.is(replaysOf(replays), 0, 'replays');
      balanceCloses(scope, result);
      scope.deepEqual(differences(countsIn(output), expected), [], 'counts');
      scope.true(most.bytes > 0 && most.bytes < MEMORY_LIMIT_BYTES, `${most.title} took ${megabytes(most.bytes)}`);
      return {
        rate: `${whole((lines / result.durationMs) * 1000)}/s`,
        time: `${(result.durationMs / 1000).toFixed(1)} s`,
        'most memory': megabytes(most.bytes),
      };
    },
  }));
}

function replaysOf(replays: Readonly<Record<string, number>>): number {
  return Object.values(replays).reduce((sum, count) => sum + count, 0);
}
