/** What a round with a sink left behind, for the verdict. */
import { JournalReader } from './journal.js';
import type { Kill } from './trial.js';

/** The sink's process was killed just after so many messages had been acked: which of them could not be read then. */
export interface KillReading {
  readonly acked: number;
  readonly unreadable: readonly string[];
}

/** The store was broken for a while. */
export interface OutageEvidence {
  /** messages of the tuples that the sink failed meanwhile */
  readonly errors: readonly string[];
  /** of the sink's processes */
  readonly deaths: number;
}

export interface SinkEvidence {
  readonly keys: readonly string[];
  readonly idempotent: boolean;
  /** what the store holds at the end, in its order */
  readonly stored: readonly string[];
  readonly readings: readonly KillReading[];
  /** undefined: not claimed */
  readonly order: { readonly sent: readonly string[]; readonly stored: readonly string[] } | undefined;
  /** undefined: the author has given no way to break the store */
  readonly outage: OutageEvidence | undefined;
  readonly kills: readonly Kill[];
  /** tuples that were sent again, by any cause */
  readonly replays: number;
  /** of the sink's processes, that nobody killed */
  readonly deaths: readonly string[];
  /** of runs that could not go on */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly stuck: string | undefined;
  /** acked messages could not be read: the round ended there, and what had not come yet says nothing */
  readonly cut: boolean;
}

/** Which messages are complete, as the spout was told. */
export class SinkNotes {
  readonly acked = new Set<number>();
  readonly #spout: JournalReader;

  constructor(file: string) {
    this.#spout = new JournalReader(file);
  }

  read(): void {
    for (const [what, , , id] of this.#spout.read()) {
      if (what === 'ack') this.acked.add(Number(String(id).slice('number '.length)));
    }
  }
}
