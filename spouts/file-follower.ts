/** One followed name: the lines of each file that has it, one file after the other, none left before its end. */
import { stat } from 'node:fs/promises';
import type { Logger } from '../core/topology/definition.js';
import { FollowedFile, isMissing } from './followed-file.js';
import type { FollowedPlace } from './followed-place.js';
import { nextRotated, whereabouts } from './rotated-files.js';

/**
 * A renamed file is still written to until its writers have opened the new one. So long must nothing have come before
 * it is left: they are told at once, and take milliseconds.
 */
const QUIET_MS = 1000;
/** One last written before that, by the file system's clock, need not be watched: no clock is as wrong as that. */
const LONG_QUIET_MS = 60_000;
/** Of the files that had the name lately: not to be taken for ones that were missed, if somebody touches them. */
const KNOWN_FILES = 64;

export class FileFollower {
  readonly name: string;
  readonly #path: string;
  readonly #log: Logger;
  /** where an earlier process stopped, until it has been looked for */
  #resume: FollowedPlace | undefined;
  #file: FollowedFile | undefined;
  #generation = 0;
  /** last written time of the file that was read to its end, while the one after it is looked for */
  #leftNs: bigint | undefined;
  readonly #known = new Set<bigint>();
  #quietSince = 0;
  #refused: string | undefined;

  constructor(name: string, path: string, place: FollowedPlace | undefined, log: Logger) {
    this.name = name;
    this.#path = path;
    this.#log = log;
    this.#resume = place;
  }

  /** The file whose next line it has moved to; undefined: none is here, see `more`. */
  take(): FollowedFile | undefined {
    return this.#file?.take() ? this.#file : undefined;
  }

  /** Reads on, in the next file where one is over. False: nothing has come. Only when `take` gave nothing. */
  async more(nowMs: number): Promise<boolean> {
    const file = this.#file;
    if (file === undefined) return this.#open(nowMs);
    if (await file.wasCut()) return this.#afterCut(file, nowMs);
    if (await file.read()) {
      this.#quietSince = nowMs;
      return true;
    }
    if (file.finished) return this.#leave(file);
    if (!(await this.#isSuperseded(file))) {
      this.#quietSince = nowMs;
      return false;
    }
    if (nowMs - this.#quietSince < QUIET_MS && !(await this.#isLongOver(file))) return false;
    file.finish();
    return true;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #open(nowMs: number): Promise<boolean> {
    try {
      if (this.#resume !== undefined) await this.#goOn(this.#resume);
      else this.#file = await this.#next();
      this.#resume = undefined;
      this.#refused = undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // it may be a file on its way to its rights
      if (code !== 'EACCES' && code !== 'EPERM') throw error;
      if (this.#refused !== code) this.#log.warn(`${this.name} cannot be read, and is tried again: ${message}`);
      this.#refused = code;
    }
    this.#quietSince = nowMs;
    return this.#file !== undefined;
  }

  async #next(): Promise<FollowedFile | undefined> {
    if (this.#leftNs !== undefined) {
      const missed = await nextRotated(this.#path, this.#leftNs, this.#known);
      if (missed !== undefined) return FollowedFile.open(missed, this.#generation);
    }
    return FollowedFile.open(this.#path, this.#generation);
  }

  /** Finds the file that was read last. */
  async #goOn(place: FollowedPlace): Promise<void> {
    this.#generation = place.generation;
    this.#file = (await FollowedFile.open(this.#path, place.generation, place)) ?? (await this.#rest(place));
    if (this.#file !== undefined) return;
    this.#generation += 1;
    this.#log.warn(
      `the file that was ${this.name} and had been read up to line ${place.line} is not there any more, neither under ` +
        'this name nor with a number or date behind it: what it had after that line is not read',
      { file: this.name, line: place.line, offset: place.offset },
    );
    this.#file = await this.#next();
  }

  /** The file of the place under its later name, or a copy of it. */
  async #rest(place: FollowedPlace): Promise<FollowedFile | undefined> {
    const { renamed, copies } = await whereabouts(this.#path, place);
    if (renamed !== undefined) {
      const file = await FollowedFile.open(renamed, place.generation, place);
      if (file !== undefined) return file;
    }
    if (place.headBytes === 0) return undefined;
    for (const copy of copies) {
      const file = await FollowedFile.open(copy, place.generation, place, { copy: true });
      if (file !== undefined) return file;
    }
    return undefined;
  }

  /** What was not read before the cut is in the copy, if one was made. */
  async #afterCut(file: FollowedFile, nowMs: number): Promise<boolean> {
    const place = file.place();
    await file.close();
    this.#quietSince = nowMs;
    this.#file = await this.#rest(place);
    if (this.#file !== undefined) return true;
    if (place.offset > 0) {
      this.#log.warn(
        `${this.name} was cut after line ${place.line}, and no copy of it is beside it: it is read from its beginning`,
        { file: this.name, line: place.line, offset: place.offset },
      );
    }
    this.#generation = place.generation + 1;
    this.#file = await FollowedFile.open(this.#path, this.#generation);
    return this.#file !== undefined;
  }

  async #isSuperseded(file: FollowedFile): Promise<boolean> {
    try {
      return (await stat(this.#path, { bigint: true })).ino !== file.ino;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** Written last long ago, or the file after it has lost its name too. */
  async #isLongOver(file: FollowedFile): Promise<boolean> {
    const writtenNs = await file.modifiedNs();
    if (Date.now() - Number(writtenNs / 1_000_000n) > LONG_QUIET_MS) return true;
    return (await nextRotated(this.#path, writtenNs, new Set([...this.#known, file.ino]))) !== undefined;
  }

  async #leave(file: FollowedFile): Promise<boolean> {
    this.#leftNs = await file.modifiedNs();
    this.#known.add(file.ino);
    const [oldest] = this.#known;
    if (this.#known.size > KNOWN_FILES) this.#known.delete(oldest);
    this.#file = undefined;
    this.#generation = file.generation + 1;
    await file.close();
    return true;
  }
}
