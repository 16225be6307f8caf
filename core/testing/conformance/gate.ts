/**
 * Holds tuples back until the process that checks opens the gate: so that a fault finds some that are not complete while
 * later ones are. A file says which fault comes next; -1: hold nothing.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;
const OPEN = -1;

const fileIn = (folder: string): string => join(folder, 'gate');

/** Lets go what is held. `open`: for good. */
export function openGate(folder: string, generation: number | 'open'): void {
  const file = fileIn(folder);
  writeFileSync(`${file}.new`, String(generation === 'open' ? OPEN : generation));
  renameSync(`${file}.new`, file);
}

export class Gate {
  readonly #file: string;
  #generation = OPEN;
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

  /** Resolves when the gate has been opened since. */
  async hold(): Promise<void> {
    const generation = this.#now();
    this.#held += 1;
    try {
      while (generation === this.#now() && generation !== OPEN) await delay(POLL_MS);
    } finally {
      this.#held -= 1;
    }
  }

  #now(): number {
    const now = performance.now();
    if (now - this.#readAt >= POLL_MS) {
      this.#readAt = now;
      this.#generation = Number(readFileSync(this.#file, 'utf8'));
    }
    return this.#generation;
  }
}
