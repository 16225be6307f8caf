/**
 * Lines that stay, and under them a block that is painted over and over. Each repaint is one write, and nothing is
 * erased before its replacement is there, so it does not flicker. The cursor is never hidden and always on the line
 * below the block: however the process ends, the terminal is left as it should be.
 */
import { clean } from './format.js';
import type { Output } from './io.js';

export interface Screen {
  /** a line that stays; without a newline */
  log(line: string): void;
  /** replaces the block; nothing where there is no terminal */
  paint(block: readonly string[]): void;
  /** what is left to be written is written; the block stays as it is */
  flush(): void;
}

/** Lines are collected for so long: a worker that prints without end must not repaint the block for each. */
const COLLECT_MS = 50;

export function screenOf(output: Output): Screen {
  return output.isTerminal ? new TerminalScreen(output) : new PlainScreen(output);
}

class PlainScreen implements Screen {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  log(line: string): void {
    this.#output.write(`${line}\n`);
  }
  paint(): void {}
  flush(): void {}
}

export class TerminalScreen implements Screen {
  readonly #output: Output;
  #lines: string[] = [];
  #block: readonly string[] = [];
  /** characters in each line of the block that the terminal shows */
  #painted: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  log(line: string): void {
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => this.flush(), COLLECT_MS);
  }

  paint(block: readonly string[]): void {
    this.#block = fitted(block, this.#output.rows);
    this.#write();
  }

  flush(): void {
    if (this.#lines.length > 0) this.#write();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { columns } = this.#output;
    // A terminal that was narrowed has wrapped the lines of the block.
    const rows = this.#painted.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columns)), 0);
    const up = rows === 0 ? '' : `\x1b[${rows}A\r`;
    const lines = [...this.#lines, ...this.#block].map((line) => `${line}\x1b[K\n`);
    this.#output.write(`${up}${lines.join('')}\x1b[J`);
    this.#lines = [];
    this.#painted = this.#block.map((line) => clean(line).length);
  }
}

/** The cursor cannot go up to what has left the terminal at its top. */
function fitted(block: readonly string[], rows: number): readonly string[] {
  const room = Math.max(1, rows - 1);
  if (block.length <= room) return block;
  return [...block.slice(0, room - 1), `… and ${block.length - room + 1} more lines`];
}
