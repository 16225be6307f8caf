/**
 * Takes dead letters until they are safe. While the stream cannot take them (the server is away, its disk is full) they
 * go to a file in the state folder, which counts as safe, and from there to the stream when it can.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { pack, unpack } from 'msgpackr';
import type { DeadLetter } from '../inspect/dead-letter.js';
import type { DeadLetterStore } from '../inspect/dead-letter-store.js';

/** A letter waits so long for its stream before it goes to the file. */
const STREAM_WITHIN_MS = 3000;
const RETRY_EVERY_MS = 5000;
/** Neither stream nor file: tried again after this; the spouts' own limits slow the source down meanwhile. */
const NOWHERE_MS = 1000;

export class LetterBox {
  readonly #open: (() => Promise<DeadLetterStore>) | undefined;
  readonly #file: string;
  readonly #warn: (message: string) => void;
  #retry: NodeJS.Timeout | undefined;
  #created: Promise<DeadLetterStore> | undefined;
  #closed = false;

  /** `open` undefined: there is no JetStream, and letters are only told. */
  constructor(open: (() => Promise<DeadLetterStore>) | undefined, file: string, warn: (message: string) => void) {
    this.#open = open;
    this.#file = file;
    this.#warn = warn;
  }

  /** Resolves when the letter is safe, however long that takes. `number` tells apart letters of the same tuple. */
  async put(letter: DeadLetter, number: string): Promise<void> {
    if (this.#open === undefined) {
      this.#warn(
        `without JetStream dead letters are not kept; lost: ${letter.component} id ${letter.id} (${letter.reason})`,
      );
      return;
    }
    for (;;) {
      if (!existsSync(this.#file)) {
        try {
          await (await this.#store()).append(letter, number, STREAM_WITHIN_MS);
          return;
        } catch (error) {
          this.#warn(`dead letters go to ${this.#file} for now: ${(error as Error).message}`);
        }
      }
      try {
        // the newline in front ends a line that was torn
        appendFileSync(this.#file, `\n${Buffer.from(pack([letter, number])).toString('base64')}\n`, { mode: 0o600 });
        this.#retryLater();
        return;
      } catch (error) {
        this.#warn(`a dead letter can be stored nowhere for now: ${(error as Error).message}`);
      }
      await delay(NOWHERE_MS);
      if (this.#closed) throw new Error('the run ended before the dead letter was stored');
    }
  }

  /** Moves what is in the file to the stream. True: nothing is left there. Stored twice is stored once: same id. */
  async drainFile(): Promise<boolean> {
    const moving = `${this.#file}.moving`;
    if (this.#open === undefined) return true;
    try {
      while (existsSync(moving) || existsSync(this.#file)) {
        const store = await this.#store();
        if (!existsSync(moving)) renameSync(this.#file, moving);
        for (const line of readFileSync(moving, 'utf8').split('\n')) if (line !== '') await this.#move(store, line);
        rmSync(moving, { force: true });
      }
      return true;
    } catch (error) {
      this.#warn(`dead letters wait in ${moving}: ${(error as Error).message}`);
      this.#retryLater();
      return false;
    }
  }

  async #move(store: DeadLetterStore, line: string): Promise<void> {
    let letter: DeadLetter;
    let number: string;
    try {
      [letter, number] = unpack(Buffer.from(line, 'base64')) as [DeadLetter, string];
    } catch {
      // its write was cut off, so nobody was told that it is safe: its tuple is replayed
      appendFileSync(`${this.#file}.bad`, `${line}\n`, { mode: 0o600 });
      this.#warn(`a line that is no dead letter was put aside in ${this.#file}.bad`);
      return;
    }
    await store.append(letter, number, STREAM_WITHIN_MS);
  }

  #retryLater(): void {
    if (this.#closed) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      void this.drainFile();
    }, RETRY_EVERY_MS);
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
    this.#closed = true;
    clearTimeout(this.#retry);
  }
}
