/** Options that several commands share, and how their values are read. */
import { type Command, InvalidArgumentError } from 'commander';

/** Node's timers end at 2³¹ − 1 ms. */
const LONGEST_DAYS = 24;
const DAY_MS = 86_400_000;
const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

export const DEFAULT_STATE = '.squall';

/** `--set key=value`, repeated; the last of a key wins, and a value may hold `=`. */
export function parseSet(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected key=value.');
  // Not assigned: `__proto__` is a key like any other.
  return Object.fromEntries([...Object.entries(before), [text.slice(0, at), text.slice(at + 1)]]);
}

/** `500ms`, `30s`, `1.5m`, `2h` in milliseconds. */
export function parseDuration(text: string): number {
  const [, figure, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (figure === undefined)
    throw new InvalidArgumentError('Expected a time with its unit, such as 500ms, 30s, 5m or 2h.');
  const ms = Math.round(Number(figure) * UNIT_MS[unit as keyof typeof UNIT_MS]);
  if (ms < 1 || ms > LONGEST_DAYS * DAY_MS) {
    throw new InvalidArgumentError(`Expected a time from 1ms to ${LONGEST_DAYS * 24}h.`);
  }
  return ms;
}

/** A reader of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min}${max > 1e9 ? '' : ` to ${max}`}.`);
  };
}

export function addSetOption(command: Command): Command {
  return command.option('--set <key=value>', 'a parameter of the topology; may be given again for others', parseSet);
}

export function addDebugOption(command: Command): Command {
  return command.option('--debug', 'check more, and show stacks and causes of errors');
}

/** Where NATS is. No secret among them: these come from files and the environment, which `ps` does not show. */
export function addNatsOptions(command: Command): Command {
  return command
    .option('--nats <url>', 'servers to use, instead of one of its own (NATS_URL)')
    .option('--context <name>', "a context of the nats command's (NATS_CONTEXT)")
    .option('--creds <file>', 'credentials file (NATS_CREDS)')
    .option('--nkey <file>', 'file with an nkey seed (NATS_NKEY)')
    .option('--cert <file>', 'TLS certificate (NATS_CERT)')
    .option('--key <file>', 'its key (NATS_KEY)')
    .option('--ca <file>', 'certificate authority of the server (NATS_CA)');
}

export function addStateOption(command: Command): Command {
  return command.option('--state <dir>', 'state folder', DEFAULT_STATE);
}

/** For `squall run`, and for the commands that look at runs. */
export function addLoginsOption(command: Command): Command {
  return command.option('--logins <dir>', 'log in as the users that squall permissions has made there');
}

export const NATS_HELP = `
Environment:
  NATS_URL, NATS_CONTEXT, NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CREDS, NATS_NKEY, NATS_CERT, NATS_KEY, NATS_CA
  as the nats command reads them; a flag goes before. With neither --nats nor NATS_URL nor a context, the state folder
  has a nats-server of its own.`;
