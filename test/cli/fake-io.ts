/** A process's outside for tests: what was written, a terminal of any size, signals and answers by hand. */
import type { Io, Output, StopSignal } from '../../cli/io.js';

export class FakeOutput implements Output {
  isTerminal = false;
  hasColours = false;
  columns = Number.POSITIVE_INFINITY;
  rows = Number.POSITIVE_INFINITY;
  open = true;
  readonly writes: string[] = [];

  get text(): string {
    return this.writes.join('');
  }
  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
  write(text: string): void {
    this.writes.push(text);
  }
}

export class FakeIo implements Io {
  env: NodeJS.ProcessEnv = {};
  interactive = false;
  readonly stdout = new FakeOutput();
  readonly stderr = new FakeOutput();
  readonly exits: number[] = [];
  readonly questions: string[] = [];
  answer: string | undefined;
  signal: (signal: StopSignal) => void = () => {
    throw new Error('nobody listens to signals');
  };
  key: (key: string) => void = () => {
    throw new Error('nobody listens to keys');
  };
  /** what other code prints in this process; undefined while nobody captures it */
  print: ((text: string) => void) | undefined;

  async ask(question: string): Promise<string | undefined> {
    this.questions.push(question);
    return this.answer;
  }
  onSignal(handler: (signal: StopSignal) => void): () => void {
    const before = this.signal;
    this.signal = handler;
    return () => {
      this.signal = before;
    };
  }
  onKey(handler: (key: string) => void): () => void {
    this.key = handler;
    return () => {};
  }
  captureConsole(line: (text: string) => void): () => void {
    this.print = line;
    return () => {
      this.print = undefined;
    };
  }
  onExit(): () => void {
    return () => {};
  }
  exit(code: number): void {
    this.exits.push(code);
  }
}

/** What a terminal of this width shows after it was sent `text`: every line since it was empty. */
export function terminalShows(text: string, columns: number): string[] {
  const screen: string[] = [''];
  let row = 0;
  let column = 0;
  const put = (char: string): void => {
    if (column === columns) {
      row += 1;
      column = 0;
    }
    while (screen.length <= row) screen.push('');
    screen[row] = screen[row].slice(0, column).padEnd(column) + char + screen[row].slice(column + 1);
    column += 1;
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is steered by them
  for (const [token, figure, command] of text.matchAll(/\x1b\[(\d*)([A-Za-z])|[\s\S]/gu)) {
    if (command === 'A') row = Math.max(0, row - Number(figure || 1));
    else if (command === 'K') screen[row] = (screen[row] ?? '').slice(0, column);
    else if (command === 'J') {
      screen[row] = (screen[row] ?? '').slice(0, column);
      screen.length = row + 1;
    } else if (command === 'm') continue;
    else if (command !== undefined) throw new Error(`the terminal of the test knows no ${JSON.stringify(token)}`);
    else if (token === '\r') column = 0;
    else if (token === '\n') {
      row += 1;
      column = 0;
      while (screen.length <= row) screen.push('');
    } else put(token);
  }
  return screen.at(-1) === '' ? screen.slice(0, -1) : screen;
}
