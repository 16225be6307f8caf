/** `squall dead T list` */
import type { Command } from 'commander';
import type { CommandContext } from './context.js';
import { type StoreFlags, withLetters } from './dead-store.js';
import { EXIT } from './exit-codes.js';
import { count, plural } from './format.js';
import { LETTER_COLUMNS, letterJson, letterRow, none, WHOSE } from './letter.js';
import { wholeNumber } from './options.js';
import { styleOf } from './style.js';
import { table } from './table.js';

/** What fits a few screens. With `--json`, a program wants them all. */
const DEFAULT_LIMIT = 100;

interface ListFlags extends StoreFlags {
  readonly limit?: number;
  readonly json?: boolean;
}

export function addDeadList(program: Command, topology: string, context: CommandContext): Command {
  return program
    .command('list')
    .description('a line for each dead letter, the oldest first')
    .option('--limit <n>', `at most so many; ${DEFAULT_LIMIT} unless --json`, wholeNumber(1))
    .option('--json', 'a JSON object in each line, with everything')
    .action(async (flags: ListFlags) => {
      context.exitCode = await list(topology, flags, context);
    });
}

function list(topology: string, flags: ListFlags, context: CommandContext): Promise<number> {
  const { stdout, stderr } = context.io;
  return withLetters(topology, flags, context, async (store) => {
    const all = await store.count();
    if (all === 0) {
      stderr.write(none(topology));
      return EXIT.ok;
    }
    const limit = flags.limit ?? (flags.json === true ? undefined : DEFAULT_LIMIT);
    const rows: string[][] = [];
    let shown = 0;
    let unreadable = 0;
    for await (const stored of store.list({ limit })) {
      // Its reader has seen enough, as `| head` does.
      if (!stdout.open) break;
      shown += 1;
      if (stored.letter === undefined) unreadable += 1;
      if (flags.json === true) stdout.write(`${letterJson(stored)}\n`);
      else rows.push(letterRow(stored));
    }
    if (flags.json !== true) {
      const [titles, ...lines] = table(LETTER_COLUMNS, rows, stdout.columns);
      stdout.write(`${[styleOf(stdout).dim(titles), ...lines].join('\n')}\n`);
      stderr.write(`\n${plural(shown, 'dead letter')}; everything about one: squall dead ${topology} show N\n`);
    }
    if (unreadable > 0) stderr.write(`${count(unreadable)} of them ${WHOSE}\n`);
    if (shown < all) stderr.write(`${count(all)} in all: --limit N shows more\n`);
    return EXIT.ok;
  });
}
