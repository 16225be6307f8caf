import type { ByteSource } from './byte-source.js';
import { GzipSource } from './gzip-source.js';
import { LineSplitter } from './line-splitter.js';
import { PlainSource } from './plain-source.js';

/**
 * A longer line is a binary file or a lost line ending. It is also what NATS takes in one message by default
 * (max_payload, 1 MiB), so such a tuple could not travel anyway.
 */
export const LINE_LIMIT_BYTES = 1024 * 1024;

const LF = 10;
const GZIP_NAME = /\.gz$/i;

/** Between two lines of a file: bytes of text and lines before it. */
export interface LinePlace {
  readonly offset: number;
  readonly line: number;
}

/**
 * The lines of one file from a place on; gzip by name. `take` never waits: the next chunk is being read while the
 * lines of the last one are taken. The line is in `at` (text or fault, number, offset behind it).
 */
export class FileLines {
  readonly at: LineSplitter;
  readonly #source: ByteSource;
  #reading: Promise<void> = Promise.resolve();
  /** the chunk after the one whose lines are being taken */
  #arrived: Buffer | undefined = undefined;
  #error: unknown = undefined;
  /** no more chunks; and the splitter knows it */
  #ended = false;
  #finished = false;

  private constructor(source: ByteSource, place: LinePlace) {
    this.#source = source;
    this.at = new LineSplitter({ limitBytes: LINE_LIMIT_BYTES, offset: place.offset, number: place.line });
    this.#readAhead();
  }

  /** Rejects with what the file system says, or when `place` is not between two lines of this file. */
  static async open(path: string, place: LinePlace): Promise<FileLines> {
    // from one byte before the place, which shows whether a line ends there
    const from = Math.max(0, place.offset - 1);
    const source = await (GZIP_NAME.test(path) ? GzipSource.open(path, from) : PlainSource.open(path, from));
    const lines = new FileLines(source, place);
    try {
      if (place.offset > 0) await lines.#checkPlace(place.offset);
      return lines;
    } catch (error) {
      await lines.close();
      throw error;
    }
  }

  /** Moves `at` to the next line; false: await `more`, then ask again. */
  take(): boolean {
    while (!this.at.take()) {
      if (this.#arrived !== undefined) {
        this.#feed(this.#arrived);
      } else if (this.#ended && !this.#finished) {
        this.#finished = true;
        this.at.finish();
      } else {
        return false;
      }
    }
    return true;
  }

  /** Only when `take` has returned false. False: the file is over. Rejects where the file cannot be read further. */
  async more(): Promise<boolean> {
    await this.#reading;
    if (this.#error !== undefined) throw this.#error;
    return !this.#finished;
  }

  /** Behind the line last taken. */
  place(): LinePlace {
    return { offset: this.at.offset, line: this.at.number };
  }

  async close(): Promise<void> {
    await this.#reading;
    await this.#source.close();
  }

  #feed(chunk: Buffer): void {
    this.at.feed(chunk);
    this.#readAhead();
  }

  #readAhead(): void {
    this.#arrived = undefined;
    this.#reading = this.#source.read().then(
      (chunk) => {
        this.#arrived = chunk;
        this.#ended = chunk === undefined;
      },
      (error: unknown) => {
        this.#error = error;
      },
    );
  }

  async #checkPlace(offset: number): Promise<void> {
    await this.more();
    const first = this.#arrived;
    if (first === undefined) throw new Error(`it ends before byte ${offset}: it is not the file that was read before`);
    this.#feed(first.subarray(1));
    if (first[0] === LF) return;
    await this.more();
    if (first.length > 1 || !this.#ended) {
      throw new Error(`no line ends at byte ${offset}: it is not the file that was read before`);
    }
  }
}
