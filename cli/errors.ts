/** How errors are shown: ours as a message with its code, anything else as a bug with its stack. */
import { inspect } from 'node:util';
import { isSquallError } from '../core/errors.js';
import { clean } from './format.js';
import type { Output } from './io.js';
import { styleOf } from './style.js';

/** The code of what should not have happened. */
const INTERNAL = 'ERR_SQUALL_INTERNAL';

/** `debug`: with the stack and what caused it. */
export function printError(error: unknown, output: Output, debug: boolean): void {
  const ours = isSquallError(error) && error.code !== INTERNAL;
  const text = ours && error.message !== '' ? error.message : stackOf(error);
  printMessage(ours ? error.code : INTERNAL, text, output);
  if (ours && debug) printLines(`\n${inspect(error)}`, output);
}

/** An error of which only code and message have come here. */
export function printMessage(code: string, message: string, output: Output): void {
  const { red, dim } = styleOf(output);
  if (code === INTERNAL) {
    printLines(message, output, red('error: '));
    printLines(
      'Unless the lines above lead to code of your own, this is a bug in Squall: please report it, with them and what you ran.',
      output,
    );
    return;
  }
  const lines = message.split('\n');
  // Where there are several lines, the first says what they are, and the code belongs to it.
  const [first] = lines;
  printLines(first, output, red('error: '), ` ${dim(`[${code}]`)}`);
  if (lines.length > 1) printLines(lines.slice(1).join('\n'), output);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? inspect(error) : `something that is no error was thrown: ${inspect(error)}`;
}

function printLines(text: string, output: Output, before = '', after = ''): void {
  for (const line of text.split('\n')) {
    output.write(`${before}${output.isTerminal ? clean(line) : line}${after}\n`);
    before = '';
  }
}
