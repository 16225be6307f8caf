/**
 * What a process was doing when it died: a few bytes that a worker overwrites before it executes a tuple whose last
 * executor died, and that its supervisor reads afterwards. A write to the page cache survives any kill and costs 2 µs.
 */
import { openSync, readFileSync, rmSync, writeSync } from 'node:fs';

const WORDS = 8;

export interface Suspect {
  readonly hi: number;
  readonly lo: number;
  /** stable id of the tuple, 32 hex digits */
  readonly id: string;
  /** the task that executes it */
  readonly task: number;
}

export class SuspectFile {
  readonly #fd: number;
  readonly #words = new Uint32Array(WORDS);
  readonly #bytes = new Uint8Array(this.#words.buffer);

  constructor(path: string) {
    this.#fd = openSync(path, 'w', 0o600);
  }

  write(suspect: Suspect | undefined): void {
    const words = this.#words;
    words[0] = suspect === undefined ? 0 : 1;
    if (suspect !== undefined) {
      words[1] = suspect.hi;
      words[2] = suspect.lo;
      words[7] = suspect.task;
      for (let at = 0; at < 4; at++) words[3 + at] = Number.parseInt(suspect.id.slice(at * 8, at * 8 + 8), 16);
    }
    writeSync(this.#fd, this.#bytes, 0, suspect === undefined ? 4 : this.#bytes.length, 0);
  }
}

/** What the file of a dead process says; the file is removed. */
export function takeSuspect(path: string): Suspect | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
    rmSync(path, { force: true });
  } catch {
    return undefined;
  }
  if (bytes.length < WORDS * 4 || bytes.readUInt32LE(0) !== 1) return undefined;
  const word = (at: number): number => bytes.readUInt32LE(at * 4);
  const id = [3, 4, 5, 6].map((at) => word(at).toString(16).padStart(8, '0')).join('');
  return { hi: word(1), lo: word(2), id, task: word(7) };
}
