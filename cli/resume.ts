/** `squall resume T` */
import type { Command } from 'commander';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { refusal } from './pause.js';
import { addRemoteCommand, type RemoteRunFlags, withRun } from './remote-run.js';

const HELP = `
Of a run that is not paused: nothing changes.`;

export function addResume(program: Command, context: CommandContext): void {
  addRemoteCommand(program, 'resume', 'let the spouts of a paused run go on', HELP).action(
    async (topology: string, flags: RemoteRunFlags) => {
      context.exitCode = await withRun(topology, flags, context, async (control, run) => {
        const { refused, snapshot } = await control.tell(run, 'resume');
        if (refused !== undefined) throw refusal(topology, 'resumed', refused);
        context.io.stderr.write(`${topology} is ${snapshot.phase}\n`);
        return EXIT.ok;
      });
    },
  );
}
