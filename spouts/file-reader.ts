import { SquallError } from '../core/errors.js';
import type { NextResult, SpoutInstance, SpoutOut, TaskContext } from '../core/topology/definition.js';
import { badLine } from './bad-line.js';
import { FileLines, type LinePlace } from './file-lines.js';
import { type FilePosition, listMarks, startPosition } from './file-position.js';
import { inputFiles } from './input-files.js';

interface InputFile {
  readonly name: string;
  readonly list: string;
}

const START: LinePlace = Object.freeze({ offset: 0, line: 0 });

/**
 * One task of `fileSpout`: the lines of its files, one after the other. The id of a line is its number among all lines
 * of the task, from 1. `next` returns a promise only where it has to wait for the disk. After it has thrown it throws
 * the same again: what is behind the damage is not read.
 */
export class FileReader implements SpoutInstance {
  /** those that are left, the one being read first */
  readonly #files: InputFile[];
  /** where to begin in the first of them */
  #place: LinePlace;
  #n: number;
  #lines: FileLines | undefined = undefined;
  #waiting: Promise<NextResult> | undefined = undefined;
  #failure: SquallError | undefined = undefined;

  private constructor(files: InputFile[], position: FilePosition | undefined) {
    this.#files = files;
    this.#place = position ?? START;
    this.#n = position?.n ?? 0;
  }

  /** @throws SquallError of `inputFiles` and `startPosition` */
  static async open(path: string | readonly string[], context: TaskContext): Promise<FileReader> {
    const names = await inputFiles(path, process.cwd());
    const marks = listMarks(names, context.tasks);
    const position = startPosition(context, names, marks);
    const first = position === undefined ? 0 : names.indexOf(position.file);
    const files = names
      .map((name, index) => ({ name, list: marks[index] }))
      .filter((_, index) => index >= first && index % context.tasks === context.index);
    return new FileReader(files, position);
  }

  next(out: SpoutOut): NextResult | Promise<NextResult> {
    if (this.#lines?.take()) {
      this.#emit(out, this.#lines);
      return undefined;
    }
    this.#waiting = this.#wait(out);
    return this.#waiting;
  }

  async close(): Promise<void> {
    await this.#waiting?.catch(() => {});
    await this.#lines?.close();
    this.#lines = undefined;
  }

  async #wait(out: SpoutOut): Promise<NextResult> {
    const lines = await this.#nextLine();
    if (lines === undefined) return 'done';
    this.#emit(out, lines);
    return undefined;
  }

  /** The lines of the first file that has one left, moved to it. */
  async #nextLine(): Promise<FileLines | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      while (this.#files.length > 0) {
        this.#lines ??= await FileLines.open(this.#files[0].name, this.#place);
        if (this.#lines.take()) return this.#lines;
        if (await this.#lines.more()) continue;
        await this.#lines.close();
        this.#lines = undefined;
        this.#place = START;
        this.#files.shift();
      }
      return undefined;
    } catch (cause) {
      this.#failure = unreadable(this.#files[0].name, this.#lines?.place() ?? this.#place, cause);
      throw this.#failure;
    }
  }

  #emit(out: SpoutOut, { at }: FileLines): void {
    this.#n += 1;
    const { name: file, list } = this.#files[0];
    const position: FilePosition = { file, offset: at.offset, line: at.number, n: this.#n, list };
    if (at.fault === undefined) out.emit({ line: at.text }, { id: this.#n, position });
    else out.reject(this.#n, badLine(file, at.number, at.fault), { position, values: { head: at.fault.head } });
  }
}

/** The line after `place` cannot be read. */
function unreadable(file: string, place: LinePlace, cause: unknown): SquallError {
  const { offset } = place;
  const line = place.line + 1;
  const { code, message } = cause as NodeJS.ErrnoException;
  let found = message;
  if (code === 'Z_BUF_ERROR') found = 'its gzip data ends too early';
  else if (code?.startsWith('Z_')) found = `its gzip data is corrupt (${message})`;
  return new SquallError(
    'ERR_SQUALL_FILE',
    `cannot read ${file} at line ${line} (byte ${offset}): ${found}; all lines before were read. Restore the file and ` +
      'run again: it goes on there',
    { facts: { file, line, offset }, cause },
  );
}
