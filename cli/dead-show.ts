/** `squall dead T show N` */
import type { Command } from 'commander';
import { SquallError, shown } from '../core/errors.js';
import type { StoredLetter, UnreadableLetter } from '../core/inspect/stored-letter.js';
import type { CommandContext } from './context.js';
import { type LetterStore, type StoreFlags, withLetters } from './dead-store.js';
import { EXIT } from './exit-codes.js';
import { letterJson, letterLines } from './letter.js';
import { styleOf } from './style.js';

interface ShowFlags extends StoreFlags {
  readonly id?: boolean;
  readonly json?: boolean;
}

export function addDeadShow(program: Command, topology: string, context: CommandContext): Command {
  return program
    .command('show')
    .description('everything about one: values, and each attempt with its error')
    .argument('<letter>', 'its number in the list; or a message id or tuple id, for all letters that have it')
    .option('--id', 'take even a number for an id')
    .option('--json', 'as JSON, a letter in each line')
    .action(async (letter: string, flags: ShowFlags) => {
      context.exitCode = await show(topology, letter, flags, context);
    });
}

function show(topology: string, wanted: string, flags: ShowFlags, context: CommandContext): Promise<number> {
  const { stdout } = context.io;
  const style = styleOf(stdout);
  return withLetters(topology, flags, context, async (store) => {
    let found = 0;
    for await (const stored of matching(store, wanted, flags.id === true)) {
      if (!stdout.open) break;
      found += 1;
      if (flags.json === true) {
        stdout.write(`${letterJson(stored)}\n`);
      } else {
        if (found > 1) stdout.write('\n');
        stdout.write(`${letterLines(stored, style).join('\n')}\n`);
      }
    }
    if (found > 0) return EXIT.ok;
    throw new SquallError(
      'ERR_SQUALL_NO_SUCH_LETTER',
      `there is no dead letter of '${topology}' with the number, message id or tuple id ${shown(wanted)}: ` +
        `\`squall dead ${topology} list\` shows which there are`,
    );
  });
}

/** The letter of that number; where there is none, those with that message id or tuple id. */
async function* matching(
  store: LetterStore,
  wanted: string,
  idOnly: boolean,
): AsyncGenerator<StoredLetter | UnreadableLetter> {
  const number = /^\d+$/.test(wanted) ? Number(wanted) : 0;
  if (!idOnly && number > 0 && Number.isSafeInteger(number)) {
    const stored = await store.get(number);
    if (stored !== undefined) {
      yield stored;
      return;
    }
  }
  for await (const stored of store.list()) {
    if (stored.letter?.id === wanted || stored.letter?.tuple === wanted.toLowerCase()) yield stored;
  }
}
