/** `squall pause T` */
import type { Command } from 'commander';
import { SquallError } from '../core/errors.js';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { clean, plural } from './format.js';
import { addRemoteCommand, pendingOf, type RemoteRunFlags, withRun } from './remote-run.js';

const HELP = `
The spouts emit nothing until squall resume; what is in flight is completed. Its processes stay, and ticks go on.`;

export function addPause(program: Command, context: CommandContext): void {
  addRemoteCommand(program, 'pause', 'let the spouts of a run wait', HELP).action(
    async (topology: string, flags: RemoteRunFlags) => {
      context.exitCode = await withRun(topology, flags, context, async (control, run) => {
        const answer = await control.tell(run, 'pause');
        if (answer.refused !== undefined) throw refusal(topology, 'paused', answer.refused);
        const pending = pendingOf(answer);
        const rest = pending === 0 ? '' : `; ${plural(pending, 'tuple')} in flight will be completed`;
        const until = `squall resume ${topology} goes on`;
        context.io.stderr.write(
          answer.snapshot.phase === 'starting'
            ? `${topology} will be paused as soon as it has started; ${until}\n`
            : `${topology} is paused${rest}; ${until}\n`,
        );
        return EXIT.ok;
      });
    },
  );
}

/** The run did not do it. */
export function refusal(topology: string, what: string, why: string): SquallError {
  return new SquallError('ERR_SQUALL_REFUSED', `'${topology}' was not ${what}: ${clean(why)}`, { facts: { why } });
}
