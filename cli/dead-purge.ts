/** `squall dead T purge` */
import type { Command } from 'commander';
import { SquallError } from '../core/errors.js';
import type { CommandContext } from './context.js';
import { type StoreFlags, withLetters } from './dead-store.js';
import { EXIT } from './exit-codes.js';
import { plural } from './format.js';
import { none } from './letter.js';

interface PurgeFlags extends StoreFlags {
  readonly yes?: boolean;
}

export function addDeadPurge(program: Command, topology: string, context: CommandContext): Command {
  return program
    .command('purge')
    .description('remove all dead letters of the topology')
    .option('--yes', 'do not ask')
    .action(async (flags: PurgeFlags) => {
      context.exitCode = await purge(topology, flags, context);
    });
}

function purge(topology: string, flags: PurgeFlags, context: CommandContext): Promise<number> {
  const { io } = context;
  return withLetters(topology, flags, context, async (store) => {
    const all = await store.count();
    if (all === 0) {
      io.stderr.write(none(topology));
      return EXIT.ok;
    }
    const letters = plural(all, 'dead letter');
    if (flags.yes !== true) {
      if (!io.interactive) {
        throw new SquallError(
          'ERR_SQUALL_USAGE',
          `${letters} of '${topology}' would be removed for good, and there is no terminal to ask: give --yes if you mean it`,
        );
      }
      const answer = await io.ask(`Remove ${letters} of ${topology} for good? [y/N] `);
      if (!/^\s*y(es)?\s*$/i.test(answer ?? '')) {
        io.stderr.write('Nothing was removed.\n');
        return EXIT.failure;
      }
    }
    io.stderr.write(`${plural(await store.purge(), 'dead letter')} of ${topology} removed\n`);
    return EXIT.ok;
  });
}
