/** What a component under test did, written down in its own process so that it outlives any kill. */
import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';

/** What happened, to whom: anything that JSON can hold. */
export type Entry = readonly [what: string, ...facts: (string | number | boolean | null)[]];

/** Read at a time; a longer line takes several reads. */
const CHUNK_BYTES = 1 << 20;

/** One write per entry, to the page cache: it survives a SIGKILL of the writer, and processes may share the file. */
export class Journal {
  readonly #fd: number;

  constructor(file: string) {
    this.#fd = openSync(file, 'a', 0o600);
  }

  write(...entry: Entry): void {
    writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
  }
}

/** Follows a journal that others write. */
export class JournalReader {
  readonly #file: string;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(file: string) {
    this.#file = file;
  }

  /** The entries that were written since the last call. */
  read(): Entry[] {
    if (!existsSync(this.#file)) return [];
    const fd = openSync(this.#file, 'r');
    const chunks = [this.#rest];
    try {
      for (;;) {
        const bytes = readSync(fd, this.#buffer, 0, CHUNK_BYTES, this.#offset);
        if (bytes === 0) break;
        this.#offset += bytes;
        chunks.push(Buffer.from(this.#buffer.subarray(0, bytes)));
      }
    } finally {
      closeSync(fd);
    }
    const all = Buffer.concat(chunks);
    const end = all.lastIndexOf(10) + 1;
    this.#rest = all.subarray(end);
    return all
      .toString('utf8', 0, end)
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Entry);
  }
}
