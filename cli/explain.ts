/** `squall explain FILE` */
import type { Command } from 'commander';
import type { CommandContext } from './context.js';
import { settingOf } from './explain/setting.js';
import { explanation } from './explain/text.js';
import { loadForReading } from './graph/load.js';
import { addDebugOption, addSetOption } from './options.js';
import { addPlacementOptions, type PlacementFlags } from './placement-options.js';

const HELP = `
Says what the plan of the topology tells: for each edge how its tuples go and whether they are tracked, for each
component what is replayed and what dies with its process, and last the weakest link.

Exit codes:
  0  explained
  2  mistakes in the topology (squall check tells them too), or a file that cannot be loaded`;

interface ExplainFlags extends PlacementFlags {
  readonly set?: Readonly<Record<string, string>>;
}

export function addExplain(program: Command, context: CommandContext): void {
  const command = program
    .command('explain')
    .description('tell what a topology file guarantees, edge by edge; needs no NATS')
    .argument('<file>', 'the topology file');
  addSetOption(command);
  addPlacementOptions(command);
  addDebugOption(command)
    .addHelpText('after', HELP)
    .action(async (file: string, { set, workers, ackers }: ExplainFlags) => {
      const plan = await loadForReading(file, set ?? {}, context);
      context.io.stdout.write(explanation(settingOf(plan, workers, ackers)));
    });
}
