/** One task of `fileSpout` with `follow`: the new lines of its files as they come. */
import { resolve } from 'node:path';
import { SquallError } from '../core/errors.js';
import type { SpoutInstance, SpoutOut, TaskContext } from '../core/topology/definition.js';
import { Arrivals } from './arrivals.js';
import { badLine } from './bad-line.js';
import { FileFollower } from './file-follower.js';
import { FolderWatch } from './folder-watch.js';
import type { FollowedFile } from './followed-file.js';
import { type FollowedPlaces, placesIn } from './followed-place.js';

/**
 * Never done: it ends when the run drains. A line's id is made of the followed name, the number of the file that had it
 * (from 0) and the line's number: the same after a restart.
 */
export class FileTail implements SpoutInstance {
  readonly #followers: readonly FileFollower[];
  readonly #signal: AbortSignal;
  readonly #arrivals: Arrivals;
  readonly #watch: FolderWatch;
  #places: FollowedPlaces;
  /** whose turn it is: a file with many lines does not keep the others waiting */
  #turn = 0;
  #waiting: Promise<void> | undefined;
  #failure: SquallError | undefined;
  /** something happened since the files were looked at */
  #happened = false;

  /** @throws SquallError ERR_SQUALL_POSITION */
  constructor(names: readonly string[], context: TaskContext) {
    const stored = placesIn(context.position, context.component);
    const paths = new Map(names.map((name) => [resolve(name), name]));
    const own = [...paths].filter((_, index) => index % context.tasks === context.index);
    this.#places = Object.fromEntries(Object.entries(stored).filter(([name]) => own.some((one) => one[1] === name)));
    const gone = Object.keys(stored).filter((name) => !(name in this.#places));
    if (gone.length > 0) {
      context.log.warn(
        `'${context.component}' has read ${gone.join(', ')} before, which this task does not follow any more: where it ` +
          'was in it is forgotten',
      );
    }
    this.#followers = own.map(([path, name]) => new FileFollower(name, path, this.#places[name], context.log));
    this.#signal = context.signal;
    this.#arrivals = new Arrivals(context.signal);
    this.#watch = new FolderWatch(
      own.map(([path]) => path),
      () => {
        this.#happened = true;
        this.#arrivals.came();
      },
    );
  }

  next(out: SpoutOut): undefined | Promise<void> {
    if (this.#emit(out)) return undefined;
    this.#waiting = this.#wait(out);
    return this.#waiting;
  }

  async close(): Promise<void> {
    this.#arrivals.stop();
    this.#watch.close();
    await this.#waiting?.catch(() => {});
    for (const follower of this.#followers) await follower.close();
  }

  /** Emits until something was emitted, or the run drains. */
  async #wait(out: SpoutOut): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    while (!this.#signal.aborted) {
      const pollMs = this.#watch.pollMs();
      this.#happened = false;
      if (!(await this.#read())) {
        if (!this.#happened) await this.#arrivals.wait(pollMs);
      } else if (!this.#signal.aborted && this.#emit(out)) return;
    }
  }

  async #read(): Promise<boolean> {
    let came = false;
    for (const follower of this.#followers) {
      try {
        if (await follower.more(performance.now())) came = true;
      } catch (cause) {
        this.#failure = unreadable(follower.name, cause);
        throw this.#failure;
      }
    }
    return came;
  }

  /** One line, of the next file that has one. */
  #emit(out: SpoutOut): boolean {
    const followers = this.#followers;
    for (let count = 0; count < followers.length; count++) {
      const follower = followers[this.#turn];
      this.#turn = (this.#turn + 1) % followers.length;
      const file = follower.take();
      if (file === undefined) continue;
      this.#emitLine(out, follower.name, file);
      return true;
    }
    return false;
  }

  #emitLine(out: SpoutOut, name: string, file: FollowedFile): void {
    const { at } = file;
    this.#places = { ...this.#places, [name]: file.place() };
    const position = { follow: this.#places };
    const id = `${name}:${file.generation}:${at.number}`;
    if (at.fault === undefined) out.emit({ line: at.text }, { id, position });
    else out.reject(id, badLine(name, at.number, at.fault), { position, values: { head: at.fault.head } });
  }
}

function unreadable(file: string, cause: unknown): SquallError {
  if (cause instanceof SquallError) return cause;
  return new SquallError('ERR_SQUALL_FILE', `cannot follow ${file}: ${(cause as Error).message}`, {
    facts: { file },
    cause,
  });
}
