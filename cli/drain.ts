/** `squall drain T` */
import type { Command } from 'commander';
import type { RemoteEnd, RemoteRun } from '../core/cluster/control-messages.js';
import { SquallError } from '../core/errors.js';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { count, plural } from './format.js';
import type { Io } from './io.js';
import { addRemoteCommand, pendingOf, type RemoteRunFlags, withRun } from './remote-run.js';
import { screenOf } from './screen.js';

/** Where stderr is no terminal: enough to see that it goes on. */
const LINE_MS = 5_000;

const HELP = `
The spouts stop, and what is in flight is completed, within the message time-out: as Ctrl-C does. Returns when the run
has ended; to end this command alone does not end the drain.`;

interface DrainFlags extends RemoteRunFlags {
  readonly wait: boolean;
}

export function addDrain(program: Command, context: CommandContext): void {
  addRemoteCommand(program, 'drain', 'end a run: no more input, what is in flight is completed', HELP)
    .option('--no-wait', 'return at once')
    .action(async (topology: string, flags: DrainFlags) => {
      const { io } = context;
      context.exitCode = await withRun(topology, flags, context, async (control, run) => {
        await control.tell(run, 'drain');
        const what = `${topology}: no more input; what is in flight is completed`;
        if (!flags.wait) {
          io.stderr.write(`${what}\n`);
          return EXIT.ok;
        }
        io.stderr.write(`${what}. Waiting for its end (Ctrl-C ends this command, not the drain).\n`);
        const waiting = new Waiting(io, topology);
        try {
          const end = await control.ended(run, (now) => waiting.heard(now));
          waiting.over();
          return told(topology, end, waiting.pending, io);
        } finally {
          waiting.over();
        }
      });
    });
}

/** Shows that it goes on: a line that changes on a terminal, one line after another elsewhere. */
class Waiting {
  pending = 0;
  readonly #topology: string;
  readonly #io: Io;
  readonly #screen: ReturnType<typeof screenOf>;
  #toldAt = performance.now();

  constructor(io: Io, topology: string) {
    this.#topology = topology;
    this.#io = io;
    this.#screen = screenOf(io.stderr);
  }

  heard(run: RemoteRun): void {
    this.pending = pendingOf(run);
    const phase = run.snapshot.phase === 'ended' ? 'ending' : 'draining';
    const line = `${this.#topology}  ${phase}  ${count(this.pending)} pending`;
    if (this.#io.stderr.isTerminal) return this.#screen.paint([line]);
    if (performance.now() - this.#toldAt < LINE_MS) return;
    this.#toldAt = performance.now();
    this.#screen.log(line);
  }

  over(): void {
    this.#screen.paint([]);
  }
}

function told(topology: string, end: RemoteEnd | undefined, pending: number, { stderr }: Io): number {
  if (end === undefined) {
    throw new SquallError(
      'ERR_SQUALL_NO_ANSWER',
      `the run of '${topology}' answers no more and has not told how it ended: it may have been killed; its own output tells`,
    );
  }
  const { status, drained } = end;
  if (status === 'failed') {
    stderr.write(`${topology} failed while it drained; its own output tells why\n`);
    return EXIT.failure;
  }
  if (status === 'stopped') {
    const rest =
      drained === true ? 'everything in flight was settled first' : `${plural(pending, 'tuple')} left in flight`;
    stderr.write(`${topology} has ended: ${rest}\n`);
    return drained === true ? EXIT.ok : EXIT.failure;
  }
  stderr.write(`${topology} has ended by itself: ${status}\n`);
  return EXIT.ok;
}
