/** `squall doctor` */
import type { Command } from 'commander';
import { masked } from '../core/transport/connect-options.js';
import type { CommandContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { clean } from './format.js';
import { serverOf } from './operator.js';
import { addControlOptions, type ControlFlags } from './remote-run.js';
import { styleOf } from './style.js';

const HELP = `
Looks at the server that is given, else at the one of a run over the state folder, else at one that it starts for the
time of the checks. ✔ is well, ! is worth knowing, ✘ is to be mended: the line says how.

Exit codes:
  0  a run will find what it needs
  1  something is to be mended
  2  wrong usage`;

const MARKS = { ok: '✔', note: '!', bad: '✘' } as const;

export function addDoctor(program: Command, context: CommandContext): void {
  const command = program
    .command('doctor')
    .description('is everything there that a run needs: NATS, its version, JetStream, permissions')
    .option('--json', 'a JSON object');
  addControlOptions(command, HELP).action(async (flags: ControlFlags & { readonly json?: boolean }) => {
    const { io, engine } = context;
    const nats = await serverOf(flags, io.env);
    const examine = await engine.examine();
    const findings = await examine({ state: flags.state, ...(nats === undefined ? {} : { nats }) });
    const isWell = findings.every(({ state }) => state !== 'bad');
    if (flags.json) {
      const server = nats === undefined ? undefined : masked(nats);
      io.stdout.write(`${JSON.stringify({ ok: isWell, server, findings })}\n`);
    } else {
      const { green, yellow, red } = styleOf(io.stdout);
      const paint = { ok: green, note: yellow, bad: red } as const;
      for (const { state, check, text } of findings) {
        io.stdout.write(`${paint[state](MARKS[state])} ${check.padEnd(11)}  ${clean(text)}\n`);
      }
    }
    context.exitCode = isWell ? EXIT.ok : EXIT.failure;
  });
}
