/** Tells when something happens in the folders of some files. Only a hint: who listens looks at the files itself. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** What a file system says nothing about (of another machine, or too many watches) is seen by looking so often. */
const UNWATCHED_POLL_MS = 250;
/** Where it does say it: for hints that get lost. */
const WATCHED_POLL_MS = 500;

export class FolderWatch {
  readonly #folders: ReadonlySet<string>;
  readonly #names: ReadonlySet<string>;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #happened: () => void;

  constructor(paths: readonly string[], happened: () => void) {
    this.#folders = new Set(paths.map((path) => dirname(path)));
    this.#names = new Set(paths.map((path) => basename(path)));
    this.#happened = happened;
  }

  /** Watches what can be watched and is not yet; how long to wait for a hint at most. */
  pollMs(): number {
    for (const folder of this.#folders) if (!this.#watchers.has(folder)) this.#watch(folder);
    return this.#watchers.size === this.#folders.size ? WATCHED_POLL_MS : UNWATCHED_POLL_MS;
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        // the folder itself was renamed or removed: what has its name now must be watched anew
        if (event === 'rename' && (name === null || name === folder)) this.#drop(folder);
        // files that nobody follows are written to beside them, the results of this very run perhaps
        if (event === 'rename' || name === null || this.#names.has(name)) this.#happened();
      });
      watcher.on('error', () => this.#drop(folder));
      this.#watchers.set(folder, watcher);
    } catch {
      // it is not there yet, or cannot be watched: the next poll tries again
    }
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}
