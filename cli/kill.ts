/** `squall kill T` */
import type { Command } from 'commander';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { plural } from './format.js';
import { addRemoteCommand, pendingOf, type RemoteRunFlags, withRun } from './remote-run.js';

const HELP = `
As a second Ctrl-C: no close and no cleanup is called. What was in flight is emitted again by the next run. To complete
it first: squall drain.`;

export function addKill(program: Command, context: CommandContext): void {
  addRemoteCommand(program, 'kill', 'end a run at once', HELP).action(
    async (topology: string, flags: RemoteRunFlags) => {
      context.exitCode = await withRun(topology, flags, context, async (control, run) => {
        const answer = await control.tell(run, 'kill');
        const pending = pendingOf(answer);
        await control.ended(run, () => {});
        const rest = pending === 0 ? '' : `, with ${plural(pending, 'tuple')} in flight`;
        context.io.stderr.write(`${topology} was killed${rest}; the next run goes on where it ended\n`);
        return EXIT.ok;
      });
    },
  );
}
