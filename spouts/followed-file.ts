/** One incarnation of a followed file, open: it stays the same file whatever becomes of its name. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SquallError } from '../core/errors.js';
import { CHUNK_BYTES } from './byte-source.js';
import { LINE_LIMIT_BYTES } from './file-lines.js';
import { type FollowedPlace, HEAD_LIMIT_BYTES, headHash } from './followed-place.js';
import { LineSplitter } from './line-splitter.js';

const LF = 10;
/** A pipe that nobody writes to must not keep a thread waiting. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** `BigIntStats`, as far as they are used. */
interface Identity {
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
}

/** See `FollowedPlace.inode`. */
export function inodeOf({ ino, birthtimeNs }: Identity): string {
  return birthtimeNs > 0n ? `${ino}.${birthtimeNs}` : String(ino);
}

export class FollowedFile {
  readonly path: string;
  readonly generation: number;
  /** number in the file system: never given to another file while this one is open */
  readonly ino: bigint;
  /** the line last taken */
  readonly at: LineSplitter;
  readonly #inode: string;
  readonly #handle: FileHandle;
  #buffer: Buffer | undefined;
  #readAt: number;
  /** the first bytes, as they were read */
  readonly #head = Buffer.alloc(HEAD_LIMIT_BYTES);
  #headBytes = 0;
  /** of the whole head, once it is there */
  #headHash: string | undefined;
  #atEnd = true;
  #finished = false;

  private constructor(path: string, handle: FileHandle, identity: Identity, generation: number, from: FollowedPlace) {
    this.path = path;
    this.generation = generation;
    this.ino = identity.ino;
    this.#inode = inodeOf(identity);
    this.#handle = handle;
    this.#readAt = from.offset;
    this.at = new LineSplitter({ limitBytes: LINE_LIMIT_BYTES, offset: from.offset, number: from.line });
  }

  /**
   * Undefined: there is no such file; or, with `place`, it is not the one with that place. Rejects with ERR_SQUALL_FILE
   * where there is something else than a file.
   */
  static async open(
    path: string,
    generation: number,
    place?: FollowedPlace,
    { copy = false }: { readonly copy?: boolean } = {},
  ): Promise<FollowedFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, READ_FLAGS);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) {
        throw new SquallError('ERR_SQUALL_FILE', `fileSpout expected a file to follow, and ${path} is none`, {
          facts: { file: path },
        });
      }
      const start: FollowedPlace = { generation, inode: '', offset: 0, line: 0, headBytes: 0, headHash: '' };
      const file = new FollowedFile(path, handle, stats, generation, place ?? start);
      if (place === undefined) return file;
      const same = copy || inodeOf(stats) === place.inode;
      if (same && stats.size >= place.offset && (await file.#has(place, stats.size))) return file;
      await handle.close();
      return undefined;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Moves `at` to the next line; false: `read`, then ask again. */
  take(): boolean {
    return this.at.take();
  }

  /** Takes in what is there. False: nothing, for now. Only when `take` has returned false. */
  async read(): Promise<boolean> {
    if (this.#finished) return false;
    this.#buffer ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await this.#handle.read(this.#buffer, 0, CHUNK_BYTES, this.#readAt);
    this.#atEnd = bytesRead < CHUNK_BYTES;
    if (bytesRead === 0) return false;
    const chunk = this.#buffer.subarray(0, bytesRead);
    // from the beginning, or behind the place, whose head was read when it was compared
    if (this.#headBytes === this.#readAt && this.#headBytes < HEAD_LIMIT_BYTES)
      this.#headBytes += chunk.copy(this.#head, this.#headBytes);
    this.#readAt += bytesRead;
    this.at.feed(chunk);
    return true;
  }

  /** It is shorter than what was read of it, or begins otherwise: it was cut. Asked where its end was met before. */
  async wasCut(): Promise<boolean> {
    if (!this.#atEnd || this.#finished) return false;
    const { size } = await this.#handle.stat();
    if (size < this.#readAt) return true;
    if (size === this.#readAt || this.#headBytes === 0) return false;
    const found = await this.#bytes(0, this.#headBytes);
    return !found.equals(this.#head.subarray(0, this.#headBytes));
  }

  /** Nothing more will come: what is left without a line ending is its last line. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.at.finish();
  }
  get finished(): boolean {
    return this.#finished;
  }

  async modifiedNs(): Promise<bigint> {
    return (await this.#handle.stat({ bigint: true })).mtimeNs;
  }

  /** Behind the line last taken. */
  place(): FollowedPlace {
    const { offset, number: line } = this.at;
    const headBytes = Math.min(offset, this.#headBytes);
    const whole = headBytes === HEAD_LIMIT_BYTES;
    const hash = (whole ? this.#headHash : undefined) ?? headHash(this.#head.subarray(0, headBytes));
    if (whole) this.#headHash = hash;
    return { generation: this.generation, inode: this.#inode, offset, line, headBytes, headHash: hash };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #has(place: FollowedPlace, size: bigint): Promise<boolean> {
    // all of the head that lies before the place: what it is to be known by from here on
    const head = await this.#bytes(0, Math.min(place.offset, HEAD_LIMIT_BYTES));
    if (head.length < place.headBytes || headHash(head.subarray(0, place.headBytes)) !== place.headHash) return false;
    this.#headBytes = head.copy(this.#head);
    // a line ends there; or the last one did, without an ending, where nothing more was to come
    return size === BigInt(place.offset) || (await this.#bytes(place.offset - 1, 1))[0] === LF;
  }

  async #bytes(from: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await this.#handle.read(bytes, 0, length, from);
    return bytes.subarray(0, bytesRead);
  }
}

export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
