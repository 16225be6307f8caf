/** `squall permissions FILE` */
import type { Command } from 'commander';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { loadForReading } from './graph/load.js';
import { addDebugOption, addSetOption } from './options.js';
import { configuration } from './permissions/configuration.js';
import { addPlacementOptions, type PlacementFlags } from './placement-options.js';

const HELP = `
Prints the users of a topology's runs for the configuration of nats-server: one for each process of a run, one for
squall run itself, and one for squall list, top, doctor, pause, resume, drain, kill and dead. Each may publish and
subscribe what it needs, and nothing else. --set, --workers, --ackers and --no-jetstream have to be those of the run.

With --logins the users' secret keys are made in a folder (mode 0700), or kept where they are there; then
  squall run FILE --nats URL --logins DIR
  squall list --nats URL --logins DIR
log in as these users. Without it, the server is to find the public keys in its environment.`;

interface PermissionFlags extends PlacementFlags {
  readonly set?: Readonly<Record<string, string>>;
  readonly logins?: string;
  readonly account?: string;
  readonly jetstream: boolean;
}

export function addPermissions(program: Command, context: CommandContext): void {
  const command = program
    .command('permissions')
    .description('the least rights that a run needs, as a configuration of nats-server')
    .argument('<file>', 'the topology file');
  addPlacementOptions(addSetOption(command))
    .option('--no-jetstream', 'of a run without JetStream')
    .option('--account <name>', "the users' account (default: squall-<topology>)")
    .option('--logins <dir>', "make the users' keys in this folder");
  addDebugOption(command)
    .addHelpText('after', HELP)
    .action(async (file: string, flags: PermissionFlags) => {
      context.exitCode = await printPermissions(file, flags, context);
    });
}

async function printPermissions(file: string, flags: PermissionFlags, context: CommandContext): Promise<number> {
  const { logins: folder, jetstream, workers, ackers, account } = flags;
  const plan = await loadForReading(file, flags.set ?? {}, context);
  const { permissionsOf } = await import('../core/cluster/permissions.js');
  const options = { workers, ackers, jetstream };
  const users = permissionsOf(plan, options);
  let keys: ReadonlyMap<string, string> | undefined;
  if (folder !== undefined) {
    const { makeLogins } = await import('../core/cluster/logins.js');
    keys = makeLogins(folder, plan.name, users, options);
  }
  const placement = workers === 'task' ? 'a process for each task' : `${workers} processes`;
  const { stdout, stderr } = context.io;
  stdout.write(
    configuration(users, {
      account: account ?? `squall-${plan.name}`,
      jetstream,
      comments: [`${plan.name}: ${placement}, ackers: ${ackers}${jetstream ? '' : ', no JetStream'}`],
      keys,
    }),
  );
  if (folder !== undefined) stderr.write(`the keys of ${users.length} users are in ${folder}: keep it to yourself\n`);
  return EXIT.ok;
}
