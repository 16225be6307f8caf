/** What a round with a source left behind, for the verdict. */
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { type Entry, JournalReader } from './journal.js';
import type { Kill } from './trial.js';

/** A message that came through to the end. */
export interface Arrival {
  readonly start: number;
  readonly key: string;
  /** stable id of the source's tuple */
  readonly id: string;
}

/** What a task of the source did in one life, in order. */
export interface SourceAct {
  readonly what: 'open' | 'emit' | 'reject' | 'ack' | 'fail' | 'close';
  readonly start: number;
  /** task and epoch */
  readonly life: string;
  /** null: none */
  readonly id: string | null;
  /** of an emit: it had a position */
  readonly positioned: boolean;
}

/** How a start ended. */
export interface SourceStart {
  readonly how: 'cut-off' | 'drained' | 'ended';
  readonly status: string;
  readonly warnings: readonly string[];
  readonly error: string | undefined;
}

export interface SourceEvidence {
  readonly keys: readonly string[];
  /** messages of the source that can never be emitted */
  readonly rejects: number;
  readonly tasks: number;
  /** of the source: `replay` */
  readonly replay: 'squall' | 'source';
  readonly arrivals: readonly Arrival[];
  readonly acts: readonly SourceAct[];
  /** ids of dead letters */
  readonly letters: readonly string[];
  readonly kills: readonly Kill[];
  readonly starts: readonly SourceStart[];
  /** of the source's processes, that nobody killed */
  readonly deaths: readonly string[];
  /** what did not happen in time; undefined: nothing more came, or all had come */
  readonly stuck: string | undefined;
  /** share of a processor that a task of the source took while it had nothing; undefined: it was over by then */
  readonly idleShare: number | undefined;
}

export type KeyOf = (values: Record<string, unknown>, stream: string) => string;

/** Reads what the processes wrote, as they go on writing. */
export class SourceNotes {
  readonly arrivals: Arrival[] = [];
  readonly acts: SourceAct[] = [];
  readonly arrived = new Set<string>();
  readonly rejected = new Set<string>();
  /** processor and clock, in ms, by life */
  readonly usage = new Map<string, { readonly usedMs: number; readonly atMs: number }[]>();
  /** how many tuples have been held so far */
  held = 0;
  /** samples since the source or the end did something, at which the source had been asked for more */
  quietFor = 0;
  readonly #end: JournalReader;
  readonly #held: JournalReader;
  readonly #source: JournalReader;
  readonly #keyOf: KeyOf;

  constructor(folder: string, keyOf: KeyOf) {
    this.#end = new JournalReader(join(folder, 'end'));
    this.#held = new JournalReader(join(folder, 'held'));
    this.#source = new JournalReader(join(folder, 'source'));
    this.#keyOf = keyOf;
  }

  read(): void {
    this.held += this.#held.read().length;
    for (const [, start, stream, id, values] of this.#end.read()) {
      const key = this.#keyOf(deserialize(Buffer.from(String(values), 'base64')), String(stream));
      this.arrivals.push({ start: Number(start), key, id: String(id) });
      this.arrived.add(key);
      this.quietFor = 0;
    }
    for (const entry of this.#source.read()) this.#act(entry);
  }

  #act([what, start, life, first, second, asked]: Entry): void {
    if (what === 'usage') {
      const of = `${start} ${life}`;
      const known = this.usage.get(of) ?? [];
      this.usage.set(of, known);
      known.push({ usedMs: Number(first), atMs: Number(second) });
      if (asked === true) this.quietFor += 1;
      return;
    }
    this.quietFor = 0;
    const id = typeof first === 'string' && what !== 'open' ? first : null;
    if (what === 'reject' && id !== null) this.rejected.add(id);
    this.acts.push({
      what: what as SourceAct['what'],
      start: Number(start),
      life: String(life),
      id,
      positioned: what === 'emit' && second === true,
    });
  }
}
