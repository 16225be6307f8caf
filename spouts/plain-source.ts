import { type FileHandle, open } from 'node:fs/promises';
import { type ByteSource, CHUNK_BYTES } from './byte-source.js';

/** Files of the kernel say 0 bytes and have some: not less than this is asked for at once. */
const SMALLEST_CHUNK_BYTES = 4096;

/** A file as it is, read into two buffers in turn. */
export class PlainSource implements ByteSource {
  readonly #handle: FileHandle;
  /** at the time it was opened; it may grow meanwhile, but not shrink */
  readonly #sizeBytes: number;
  readonly #chunkBytes: number;
  #buffers: readonly [current: Buffer | undefined, next: Buffer | undefined] = [undefined, undefined];
  #position: number;

  private constructor(handle: FileHandle, sizeBytes: number, from: number) {
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
    this.#position = from;
    // one more than there is: the first read of a small file meets its end
    this.#chunkBytes = Math.min(CHUNK_BYTES, Math.max(SMALLEST_CHUNK_BYTES, sizeBytes - from + 1));
  }

  /** `from`: offset of the first byte to read. */
  static async open(path: string, from: number): Promise<PlainSource> {
    const handle = await open(path);
    try {
      return new PlainSource(handle, (await handle.stat()).size, from);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async read(): Promise<Buffer | undefined> {
    const buffer = this.#buffers[1] ?? Buffer.allocUnsafeSlow(this.#chunkBytes);
    this.#buffers = [buffer, this.#buffers[0]];
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#position);
    this.#position += bytesRead;
    if (bytesRead > 0) return buffer.subarray(0, bytesRead);
    if (this.#position < this.#sizeBytes) {
      throw new Error(
        `it ends at byte ${this.#position} but had ${this.#sizeBytes} bytes when it was opened: it was cut meanwhile`,
      );
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
