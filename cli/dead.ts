/** `squall dead T list|show|purge` */
import { Command } from 'commander';
import type { CommandContext } from './context.js';
import { addDeadList } from './dead-list.js';
import { addDeadPurge } from './dead-purge.js';
import { addDeadShow } from './dead-show.js';
import { addDebugOption, addLoginsOption, addNatsOptions, addStateOption, NATS_HELP } from './options.js';
import { checkTopology } from './topology-name.js';

const ACTIONS = [addDeadList, addDeadShow, addDeadPurge];

const HELP = `
Actions:
  list                a line for each dead letter
  show <letter>       everything about one: values, and each attempt with its error
  purge               remove them all

squall dead <topology> list --help tells its options. They work while the topology runs and after it has ended.`;

export function addDead(program: Command, context: CommandContext): void {
  const outer = program
    .command('dead')
    .description('the tuples of a topology that used up their attempts: list, show, purge')
    .usage('<topology> list|show|purge [options]')
    .argument('<topology>', 'its name')
    .argument('[action...]', 'list, show or purge, with its options')
    .passThroughOptions()
    .addHelpText('after', HELP)
    .action(async (topology: string, action: string[]) => {
      await actions(topology, outer, context).parseAsync(action, { from: 'user' });
    });
}

/** The topology stands before the action, which commander does not know: what follows it is a command line of its own. */
function actions(topology: string, outer: Command, context: CommandContext): Command {
  checkTopology(topology);
  const inner = new Command(`squall dead ${topology}`)
    .copyInheritedSettings(outer)
    .usage('list|show|purge [options]')
    .helpCommand(false);
  for (const add of ACTIONS) {
    const command = addLoginsOption(addNatsOptions(addStateOption(add(inner, topology, context))));
    addDebugOption(command).addHelpText('after', NATS_HELP);
  }
  return inner;
}
