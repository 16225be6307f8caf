/** `squall check FILE` */
import type { Command } from 'commander';
import { isSquallError } from '../core/errors.js';
import type { TopologyPlan } from '../core/topology/definition.js';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { clean, plural } from './format.js';
import type { Io } from './io.js';
import { addDebugOption, addSetOption } from './options.js';

const HELP = `
Mistakes go to stdout, a line each, with the file before it.

Exit codes:
  0  no mistake
  2  mistakes, or a file that cannot be loaded`;

export function addCheck(program: Command, context: CommandContext): void {
  const command = program
    .command('check')
    .description('find the mistakes of a topology file; needs no NATS')
    .argument('<file>', 'the topology file');
  addSetOption(command);
  addDebugOption(command)
    .addHelpText('after', HELP)
    .action(async (file: string, flags: { readonly set?: Readonly<Record<string, string>> }) => {
      context.exitCode = await check(file, flags.set ?? {}, context);
    });
}

async function check(
  file: string,
  settings: Readonly<Record<string, string>>,
  { io, engine }: CommandContext,
): Promise<number> {
  const loadPlan = await engine.loadPlan();
  // The file may print when it is imported; stdout is for mistakes.
  const release = io.captureConsole((line) => io.stderr.write(`${line}\n`));
  try {
    describe(await loadPlan(file, settings), io);
    return EXIT.ok;
  } catch (error) {
    const mistakes = isSquallError(error) ? error.facts?.mistakes : undefined;
    if (!Array.isArray(mistakes)) throw error;
    for (const mistake of mistakes) io.stdout.write(`${file}: ${clean(String(mistake))}\n`);
    io.stderr.write(`${plural(mistakes.length, 'mistake')} [ERR_SQUALL_TOPOLOGY]\n`);
    return EXIT.usage;
  } finally {
    release();
  }
}

function describe({ name, components, edges }: TopologyPlan, { stdout }: Io): void {
  const spouts = components.filter(({ definition }) => definition.kind === 'spout').length;
  const tasks = components.reduce((sum, component) => sum + component.tasks, 0);
  const parts = [
    plural(spouts, 'spout'),
    plural(components.length - spouts, 'bolt'),
    plural(tasks, 'task'),
    plural(edges.length, 'edge'),
  ];
  stdout.write(`${name} is fine: ${parts.join(', ')}\n`);
}
