import { constants, type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SquallError } from '../core/errors.js';

const LF = 10;
/** Read backwards at a time when the end of the last complete line is looked for: few lines are longer. */
const TAIL_BYTES = 64 * 1024;
const { O_APPEND, O_CREAT, O_RDWR, O_TRUNC } = constants;

/** What is used of a file handle. */
export type AppendHandle = Pick<FileHandle, 'write' | 'truncate' | 'stat' | 'datasync' | 'close'>;

/**
 * A file that grows by whole appends: of one that fails nothing stays. They are written in the order of the calls.
 * Others may append to the file too, but then what is cut off after a failure may be theirs.
 */
export class AppendedFile {
  readonly #handle: AppendHandle;
  readonly #path: string;
  readonly #fsync: boolean;
  #last: Promise<void> = Promise.resolve();
  /** bytes at the end of the file of an append that is under way, or has failed */
  #unfinished = 0;

  constructor(handle: AppendHandle, path: string, fsync: boolean) {
    this.#handle = handle;
    this.#path = path;
    this.#fsync = fsync;
  }

  /**
   * Creates the file, and the folders it is in, or empties it; with `resume` its complete lines stay, and what follows
   * them is cut off. With `fsync` every append has reached the disk when it resolves, and the file's name as well.
   *
   * @throws SquallError ERR_SQUALL_FILE
   */
  static async open(
    path: string,
    options: { readonly resume: boolean; readonly fsync: boolean },
  ): Promise<AppendedFile> {
    let handle: FileHandle | undefined;
    try {
      await makeFolder(dirname(path));
      handle = await open(path, O_RDWR | O_CREAT | O_APPEND | (options.resume ? 0 : O_TRUNC));
      if (options.resume) await cutTornLine(handle);
      if (options.fsync) await syncFolder(dirname(path));
      return new AppendedFile(handle, path, options.fsync);
    } catch (cause) {
      await handle?.close();
      throw unwritable(path, cause);
    }
  }

  /** Rejects with SquallError ERR_SQUALL_FILE; `text` is not in the file then. */
  append(text: string): Promise<void> {
    const done = this.#last.then(() => this.#write(Buffer.from(text)));
    this.#last = done.catch(() => {});
    return done;
  }

  /** After the appends under way. */
  async close(): Promise<void> {
    await this.#last;
    await this.#handle.close();
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      await this.#cutUnfinished();
      while (this.#unfinished < bytes.length) {
        this.#unfinished += (await this.#handle.write(bytes, this.#unfinished)).bytesWritten;
      }
      if (this.#fsync) await this.#handle.datasync();
      this.#unfinished = 0;
    } catch (cause) {
      // Where this fails too, the next append tries it again first.
      await this.#cutUnfinished().catch(() => {});
      throw unwritable(this.#path, cause);
    }
  }

  async #cutUnfinished(): Promise<void> {
    if (this.#unfinished === 0) return;
    const stats = await this.#handle.stat();
    if (stats.isFile()) await this.#handle.truncate(stats.size - this.#unfinished);
    this.#unfinished = 0;
  }
}

async function cutTornLine(handle: FileHandle): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile()) return;
  const buffer = Buffer.allocUnsafe(Math.min(TAIL_BYTES, stats.size));
  let end = stats.size;
  while (end > 0) {
    const start = Math.max(0, end - buffer.length);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    if (bytesRead < end - start) throw new Error(`it ends at byte ${start + bytesRead}: it was cut meanwhile`);
    const lf = buffer.subarray(0, bytesRead).lastIndexOf(LF);
    end = start + lf + 1;
    if (lf >= 0) break;
  }
  if (end < stats.size) await handle.truncate(end);
}

/** A new name is on the disk only when its folder is; Windows does that by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unwritable(path: string, cause: unknown): SquallError {
  const message = `cannot write ${path}: ${(cause as Error).message}; expected a file that can be created and written`;
  return new SquallError('ERR_SQUALL_FILE', message, { facts: { file: path }, cause });
}

/** Node's own recursive mkdir never returns where a parent exists and takes no folders, as under /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    // the parent is there now: what fails a second time fails
    await mkdir(path).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== 'EEXIST') throw again;
    });
  }
}
