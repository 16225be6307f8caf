/** What a run notes as it goes, for the run that goes on where it was cut off: positions, and how many letters died. */
import type { Position } from '../topology/definition.js';
import type { RunRecord, StateFolder } from './state-folder.js';

/** Positions are written at most this often. */
const POSITIONS_EVERY_MS = 200;

export interface JournalOptions {
  readonly state: StateFolder;
  readonly topology: string;
  /** identity of the run, kept when it is resumed */
  readonly run: string;
  readonly resumed: boolean;
  readonly positions: Readonly<Record<string, Position>>;
  /** stored by earlier starts of this run */
  readonly deadLetters: number;
  warn(message: string): void;
}

export class RunJournal {
  readonly #options: JournalOptions;
  readonly #positions: Record<string, Position>;
  #record: RunRecord | undefined;
  #deadLetters: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#positions = { ...options.positions };
    this.#deadLetters = options.deadLetters;
  }

  /** stored in this run, whatever became of those who had sent them */
  get deadLetters(): number {
    return this.#deadLetters;
  }

  position(component: string, index: number): Position | undefined {
    return this.#positions[`${component}/${index}`];
  }

  /** From now on there is something to go on with, should this run be cut off. */
  begin(): void {
    const { state, topology, resumed, run } = this.#options;
    const starts = resumed ? (state.readRun(topology)?.starts ?? 0) + 1 : 1;
    if (!resumed) state.writePositions(topology, {});
    this.#record = { run, startedAt: Date.now(), starts, deadLetters: this.#deadLetters };
    state.writeRun(topology, this.#record);
  }

  moved(component: string, index: number, position: Position): void {
    this.#positions[`${component}/${index}`] = position;
    this.#timer ??= setTimeout(() => this.save(), POSITIONS_EVERY_MS);
  }

  /** A letter is stored: noted before the position of its spout may move over it. */
  buried(): void {
    this.#deadLetters += 1;
    if (this.#record === undefined) return;
    this.#record = { ...this.#record, deadLetters: this.#deadLetters };
    try {
      this.#options.state.writeRun(this.#options.topology, this.#record);
    } catch (error) {
      this.#options.warn(`the record of the run cannot be stored: ${(error as Error).message}`);
    }
  }

  /** Writes the positions now. Of a run that had not begun there are none. */
  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#record === undefined) return;
    try {
      this.#options.state.writePositions(this.#options.topology, this.#positions);
    } catch (error) {
      this.#options.warn(`positions cannot be stored: ${(error as Error).message}`);
    }
  }

  /** Everything is completed or buried: the next run begins at the beginning. */
  clear(): void {
    this.#options.state.clearRun(this.#options.topology);
  }
}
