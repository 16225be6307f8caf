/**
 * Holds tuples back from shortly before a fault until after it: so that it finds some that are not complete while later
 * ones are. A file says which fault comes next; -1: none, and nothing is held.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;
const OPEN = -1;

const fileIn = (folder: string): string => join(folder, 'gate');

/** From now on some tuples are held. `fault`: its number, another each time. */
export function closeGate(folder: string, fault: number): void {
  const file = fileIn(folder);
  writeFileSync(`${file}.new`, String(fault));
  renameSync(`${file}.new`, file);
}

/** Lets go what is held. */
export function openGate(folder: string): void {
  closeGate(folder, OPEN);
}

export class Gate {
  readonly #file: string;
  #fault = OPEN;
  #readAt = Number.NEGATIVE_INFINITY;
  #held = 0;

  constructor(folder: string) {
    this.#file = fileIn(folder);
  }

  /** how many it holds */
  get held(): number {
    return this.#held;
  }

  get isOpen(): boolean {
    return this.#now() === OPEN;
  }

  /** Resolves when the gate has been opened since; at once where it is open. */
  async hold(): Promise<void> {
    const fault = this.#now();
    if (fault === OPEN) return;
    this.#held += 1;
    try {
      while (fault === this.#now()) await delay(POLL_MS);
    } finally {
      this.#held -= 1;
    }
  }

  #now(): number {
    const now = performance.now();
    if (now - this.#readAt >= POLL_MS) {
      this.#readAt = now;
      this.#fault = Number(readFileSync(this.#file, 'utf8'));
    }
    return this.#fault;
  }
}
