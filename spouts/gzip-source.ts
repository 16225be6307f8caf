import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSource } from './byte-source.js';
import { GunzipPass, PIECE_BYTES } from './gunzip-pass.js';

/**
 * The text of a gzip file (of all its members). It can be read from the start only, so going on in the middle means to
 * unpack and drop what is before.
 *
 * Where input is corrupt, zlib fails the whole piece and drops the text it had from the bytes before. So the first
 * failure starts a second pass that gives it the failing piece byte by byte: the error comes after all text that can
 * be had.
 */
export class GzipSource implements ByteSource {
  readonly #handle: FileHandle;
  #pass: GunzipPass;
  #second = false;
  /** bytes of text that were dropped at the start or handed out */
  #passed: number;
  /** bytes of text to drop before any is handed out */
  #drop: number;

  private constructor(handle: FileHandle, from: number) {
    this.#handle = handle;
    this.#pass = new GunzipPass(handle);
    this.#passed = from;
    this.#drop = from;
  }

  /** `from`: offset in the text of the first byte to read. */
  static async open(path: string, from: number): Promise<GzipSource> {
    return new GzipSource(await open(path), from);
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      let text: Buffer | undefined;
      try {
        text = await this.#pass.read();
      } catch (error) {
        if (this.#second || (error as NodeJS.ErrnoException).code !== 'Z_DATA_ERROR') throw error;
        this.#startSecondPass();
        continue;
      }
      if (text === undefined) return undefined;
      const dropped = Math.min(this.#drop, text.length);
      this.#drop -= dropped;
      if (dropped === text.length) continue;
      this.#passed += text.length - dropped;
      return text.subarray(dropped);
    }
  }

  async close(): Promise<void> {
    this.#pass.destroy();
    await this.#handle.close();
  }

  #startSecondPass(): void {
    const failed = this.#pass;
    failed.destroy();
    this.#second = true;
    this.#pass = new GunzipPass(this.#handle, Math.max(0, failed.givenBytes - PIECE_BYTES));
    this.#drop = this.#passed;
  }
}
