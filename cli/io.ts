/** Everything the command line touches of its process, so that tests can be its terminal. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { StringDecoder } from 'node:string_decoder';
import type { WriteStream } from 'node:tty';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Where text goes. A reader that has gone is no error: `open` turns false. */
export interface Output {
  /** a terminal that can move its cursor */
  readonly isTerminal: boolean;
  readonly hasColours: boolean;
  /** of the terminal as it is now; Infinity where there is none */
  readonly columns: number;
  readonly rows: number;
  readonly open: boolean;
  write(text: string): void;
}

export interface Io {
  readonly env: NodeJS.ProcessEnv;
  /** somebody sits at stdin */
  readonly interactive: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  /** One line of stdin, after `question` on stderr; undefined at the end of stdin. */
  ask(question: string): Promise<string | undefined>;
  /** Until the returned function is called, these signals do nothing but this. */
  onSignal(handler: (signal: StopSignal) => void): () => void;
  /** Until the returned function is called, each key typed at the terminal comes here, Ctrl-C too; nothing where none is. */
  onKey(handler: (key: string) => void): () => void;
  /** Until the returned function is called, whole lines that other code prints in this process go to `line` instead. */
  captureConsole(line: (text: string) => void): () => void;
  /** Called when the process ends in whatever way it can notice, until the returned function is called. */
  onExit(handler: () => void): () => void;
  /** Ends the process now. */
  exit(code: number): void;
}

const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export function processIo(): Io {
  const stdout = new StreamOutput(process.stdout);
  const stderr = new StreamOutput(process.stderr);
  return {
    env: process.env,
    interactive: process.stdin.isTTY === true,
    stdout,
    stderr,
    async ask(question) {
      stderr.write(question);
      // Not a terminal to readline: Ctrl-C stays a signal.
      const lines = createInterface({ input: process.stdin, terminal: false });
      const closed = once(lines, 'close').then(() => [undefined]);
      const [line] = await Promise.race([once(lines, 'line'), closed]);
      lines.close();
      return line as string | undefined;
    },
    onSignal(handler) {
      for (const signal of SIGNALS) process.on(signal, handler);
      return () => {
        for (const signal of SIGNALS) process.off(signal, handler);
      };
    },
    onKey(handler) {
      const { stdin } = process;
      if (stdin.isTTY !== true) return () => {};
      const listener = (bytes: Buffer): void => {
        for (const key of bytes.toString('utf8')) handler(key);
      };
      // Whatever ends the process, Node gives the terminal back as it was.
      stdin.setRawMode(true).on('data', listener).resume();
      return () => void stdin.off('data', listener).setRawMode(false).pause();
    },
    captureConsole(line) {
      const releases = [captureStream(process.stdout, line), captureStream(process.stderr, line)];
      return () => {
        for (const release of releases) release();
      };
    },
    onExit(handler) {
      process.on('exit', handler);
      return () => void process.off('exit', handler);
    },
    exit: (code) => process.exit(code),
  };
}

class StreamOutput implements Output {
  readonly #stream: WriteStream;
  // Its own, since `captureConsole` replaces the stream's.
  readonly #write: WriteStream['write'];
  #open = true;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    this.#write = stream.write.bind(stream);
    stream.on('error', () => {
      this.#open = false;
    });
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true && process.env.TERM !== 'dumb';
  }
  get hasColours(): boolean {
    return this.#stream.isTTY === true && this.#stream.hasColors();
  }
  get columns(): number {
    return this.#stream.columns || Number.POSITIVE_INFINITY;
  }
  get rows(): number {
    return this.#stream.rows || Number.POSITIVE_INFINITY;
  }
  get open(): boolean {
    return this.#open;
  }

  write(text: string): void {
    if (this.#open) this.#write(text);
  }

  /** Resolves when all that was written has left this process, or never can. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#open) resolve();
      else this.#write('', () => resolve());
    });
  }
}

/** Both streams of this process have taken what was written: it may exit. */
export async function flushed({ stdout, stderr }: Io): Promise<void> {
  for (const output of [stdout, stderr]) if (output instanceof StreamOutput) await output.flushed();
}

function captureStream(stream: WriteStream, line: (text: string) => void): () => void {
  const original = stream.write;
  const decoder = new StringDecoder();
  let rest = '';
  stream.write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk)))).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) line(text);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done as () => void);
    return true;
  };
  return () => {
    stream.write = original;
    if (rest !== '') line(rest);
    rest = '';
  };
}
