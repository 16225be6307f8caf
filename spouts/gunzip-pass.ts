import type { FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { CHUNK_BYTES } from './byte-source.js';

/** Compressed bytes given to zlib at a time: about one chunk of text. */
export const PIECE_BYTES = 64 * 1024;

/**
 * One pass through a gzip file from its start. zlib is given a piece only when all text of the last one has been read,
 * and is told the end apart from the last piece: so memory is bounded, and a truncated file yields all its text before
 * the error. From compressed byte `singleFrom` on the pieces are single bytes.
 */
export class GunzipPass {
  /** compressed bytes that zlib was given */
  givenBytes = 0;

  readonly #handle: FileHandle;
  readonly #singleFrom: number;
  readonly #gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  readonly #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  /** what is left of the piece */
  #input: Buffer = this.#piece.subarray(0, 0);
  #state: 'hungry' | 'busy' | 'ended' | 'failed' = 'hungry';
  #error: Error | undefined = undefined;
  #wake: () => void = () => {};

  constructor(handle: FileHandle, singleFrom = Number.POSITIVE_INFINITY) {
    this.#handle = handle;
    this.#singleFrom = singleFrom;
    this.#gunzip.on('readable', () => this.#wake());
    this.#gunzip.on('end', () => this.#become('ended'));
    this.#gunzip.on('error', (error) => {
      this.#error = error;
      this.#become('failed');
    });
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const text: Buffer | null = this.#gunzip.read();
      if (text !== null) return text;
      if (this.#state === 'failed') throw this.#error;
      if (this.#state === 'ended') return this.#checkRest();
      if (this.#state === 'hungry') await this.#give();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  destroy(): void {
    this.#gunzip.destroy();
  }

  async #give(): Promise<void> {
    if (this.#input.length === 0) {
      const { bytesRead } = await this.#handle.read(this.#piece, 0, PIECE_BYTES, this.givenBytes);
      this.#input = this.#piece.subarray(0, bytesRead);
    }
    this.#state = 'busy';
    if (this.#input.length === 0) {
      this.#gunzip.end();
      return;
    }
    const single = this.givenBytes + this.#input.length > this.#singleFrom;
    const bytes = single ? this.#input.subarray(0, 1) : this.#input;
    this.#input = this.#input.subarray(bytes.length);
    this.givenBytes += bytes.length;
    this.#gunzip.write(bytes, (error) => {
      // At padding behind the last member it takes no more, and ends by itself.
      if (!error && this.#gunzip.bytesWritten === this.givenBytes) this.#become('hungry');
    });
  }

  /** Behind the last member there may be zeros (of a tape, a block device), and nothing else. */
  async #checkRest(): Promise<undefined> {
    for (let at = this.#gunzip.bytesWritten; ; ) {
      const { bytesRead } = await this.#handle.read(this.#piece, 0, PIECE_BYTES, at);
      if (bytesRead === 0) return;
      const other = this.#piece.subarray(0, bytesRead).findIndex((byte) => byte !== 0);
      if (other >= 0) throw new Error(`behind its gzip data, at byte ${at + other}, there is something else`);
      at += bytesRead;
    }
  }

  #become(state: 'hungry' | 'ended' | 'failed'): void {
    this.#state = state;
    this.#wake();
  }
}
