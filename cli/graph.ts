/** `squall graph FILE` */
import { type Command, Option } from 'commander';
import type { TopologyPlan } from '../core/topology/definition.js';
import type { CommandContext } from './context.js';
import { dotGraph } from './graph/dot.js';
import { jsonGraph } from './graph/json.js';
import { loadForReading } from './graph/load.js';
import { mermaidGraph } from './graph/mermaid.js';
import { textGraph } from './graph/text.js';
import { addDebugOption, addSetOption } from './options.js';

const FORMATS = {
  text: textGraph,
  mermaid: mermaidGraph,
  dot: dotGraph,
  json: jsonGraph,
} as const satisfies Record<string, (plan: TopologyPlan) => string>;

const HELP = `
The picture goes to stdout. mermaid is for Markdown, dot for Graphviz: squall graph FILE --format dot | dot -Tsvg

Exit codes:
  0  drawn
  2  mistakes in the topology (squall check tells them too), or a file that cannot be loaded`;

interface GraphFlags {
  readonly set?: Readonly<Record<string, string>>;
  readonly format: keyof typeof FORMATS;
}

export function addGraph(program: Command, context: CommandContext): void {
  const command = program
    .command('graph')
    .description('draw a topology file; needs no NATS')
    .argument('<file>', 'the topology file')
    .addOption(new Option('--format <name>', 'what to draw it as').choices(Object.keys(FORMATS)).default('text'));
  addSetOption(command);
  addDebugOption(command)
    .addHelpText('after', HELP)
    .action(async (file: string, { set, format }: GraphFlags) => {
      context.io.stdout.write(FORMATS[format](await loadForReading(file, set ?? {}, context)));
    });
}
