/**
 * Takes dead letters until they are safe. While the stream cannot take them (the server is away, its disk is full) they
 * go to a file in the state folder, which counts as safe, and from there to the stream when it can.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { pack, unpack } from 'msgpackr';
import type { DeadLetter } from '../inspect/dead-letter.js';
import type { DeadLetterStore } from '../inspect/dead-letter-store.js';

/** A letter waits so long for its stream before it goes to the file. */
const STREAM_WITHIN_MS = 3000;
const RETRY_EVERY_MS = 5000;

export class LetterBox {
  readonly #open: (() => Promise<DeadLetterStore>) | undefined;
  readonly #file: string;
  readonly #warn: (message: string) => void;
  #spilled: boolean;
  #retry: NodeJS.Timeout | undefined;
  #created: Promise<DeadLetterStore> | undefined;

  /** `open` undefined: there is no JetStream, and letters are only told. */
  constructor(open: (() => Promise<DeadLetterStore>) | undefined, file: string, warn: (message: string) => void) {
    this.#open = open;
    this.#file = file;
    this.#warn = warn;
    this.#spilled = existsSync(file);
  }

  /** Resolves when the letter is safe. `number` tells apart letters of the same tuple. */
  async put(letter: DeadLetter, number: string): Promise<void> {
    if (this.#open === undefined) {
      this.#warn(
        `without JetStream dead letters are not kept; lost: ${letter.component} id ${letter.id} (${letter.reason})`,
      );
      return;
    }
    if (!this.#spilled) {
      try {
        const store = await this.#store();
        await store.append(letter, number, STREAM_WITHIN_MS);
        return;
      } catch (error) {
        this.#warn(`dead letters go to ${this.#file} for now: ${(error as Error).message}`);
      }
    }
    appendFileSync(this.#file, `${Buffer.from(pack([letter, number])).toString('base64')}\n`, { mode: 0o600 });
    this.#spilled = true;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      void this.drainFile();
    }, RETRY_EVERY_MS);
  }

  /** Moves what is in the file to the stream. True: nothing is left in the file. Stored twice is stored once: same id. */
  async drainFile(): Promise<boolean> {
    const moving = `${this.#file}.moving`;
    if (this.#open === undefined || !(existsSync(this.#file) || existsSync(moving))) return true;
    try {
      const store = await this.#store();
      if (!existsSync(moving)) renameSync(this.#file, moving);
      this.#spilled = existsSync(this.#file);
      for (const line of readFileSync(moving, 'utf8').split('\n')) {
        if (line === '') continue;
        const [letter, number] = unpack(Buffer.from(line, 'base64')) as [DeadLetter, string];
        await store.append(letter, number, STREAM_WITHIN_MS);
      }
      rmSync(moving, { force: true });
      return true;
    } catch (error) {
      this.#warn(`dead letters wait in ${moving}: ${(error as Error).message}`);
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        void this.drainFile();
      }, RETRY_EVERY_MS);
      return false;
    }
  }

  #store(): Promise<DeadLetterStore> {
    this.#created ??= (this.#open as () => Promise<DeadLetterStore>)().then(async (store) => {
      await store.create();
      return store;
    });
    this.#created.catch(() => {
      this.#created = undefined;
    });
    return this.#created;
  }

  close(): void {
    clearTimeout(this.#retry);
  }
}
