/**
 * The state folder (`.squall/`): one run at a time, readable by its owner only. Holds, per topology, the record of a run
 * that may have to be resumed, positions, and dead letters that wait for their stream; and the embedded server's store.
 */
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SquallError } from '../errors.js';
import type { Position } from '../topology/definition.js';

/** What is known of a run that has not ended with everything complete. */
export interface RunRecord {
  readonly run: string;
  readonly startedAt: number;
  /** how many processes have run it */
  readonly starts: number;
  /** dead letters that it has stored */
  readonly deadLetters: number;
}

/** How to find the server that a run has started: for commands that look into it. */
export interface ServerRecord {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

export class StateFolder {
  readonly path: string;
  #locked = false;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Makes the folder and locks it for this process. Throws ERR_SQUALL_STATE_IN_USE, ERR_SQUALL_STATE. */
  lock(): void {
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      chmodSync(this.path, 0o700);
    } catch (error) {
      throw new SquallError(
        'ERR_SQUALL_STATE',
        `the state folder ${this.path} cannot be made: ${(error as Error).message}`,
        {
          facts: { path: this.path },
          cause: error,
        },
      );
    }
    const file = this.#file('lock');
    // complete before it has its name, so that nobody reads half of it
    const own = `${file}.${process.pid}`;
    writeFileSync(own, JSON.stringify({ pid: process.pid, birth: birthOf(process.pid) }), { mode: 0o600 });
    try {
      this.#takeLock(file, own);
    } finally {
      rmSync(own, { force: true });
    }
  }

  #takeLock(file: string, own: string): void {
    for (let tries = 0; tries < 10; tries++) {
      try {
        linkSync(own, file);
        this.#locked = true;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = this.holder();
      if (holder !== undefined) {
        throw new SquallError(
          'ERR_SQUALL_STATE_IN_USE',
          `the state folder ${this.path} is in use by process ${holder}. Stop that run, or give this one a folder of its own with --state DIR.`,
          { facts: { path: this.path, pid: holder } },
        );
      }
      // its process is gone: so is its claim. Of several that see this one takes it away; what it took must be that.
      const taken = `${own}.taken`;
      try {
        renameSync(file, taken);
        if (this.#holderIn(taken) !== undefined) linkSync(taken, file);
      } catch (error) {
        if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      } finally {
        rmSync(taken, { force: true });
      }
    }
    throw new SquallError(
      'ERR_SQUALL_STATE_IN_USE',
      `the state folder ${this.path} is being taken by several runs at once`,
    );
  }

  /** Process that has the folder locked, or undefined. */
  holder(): number | undefined {
    return this.#holderIn(this.#file('lock'));
  }

  #holderIn(file: string): number | undefined {
    const lock = readJson<{ pid?: number; birth?: string }>(file);
    if (lock?.pid === undefined || !alive(lock.pid)) return undefined;
    // the number may have been given to another process since
    if (lock.birth !== undefined && birthOf(lock.pid) !== lock.birth) return undefined;
    return lock.pid;
  }

  unlock(): void {
    if (!this.#locked) return;
    this.#locked = false;
    rmSync(this.#file('lock'), { force: true });
  }

  folderOf(topology: string): string {
    const folder = join(this.path, 'topologies', topology);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  // ---- a run that may be resumed -------------------------------------------------------------------------------

  readRun(topology: string): RunRecord | undefined {
    return readJson<RunRecord>(join(this.folderOf(topology), 'run.json'));
  }
  writeRun(topology: string, record: RunRecord): void {
    writeAtomic(join(this.folderOf(topology), 'run.json'), JSON.stringify(record));
  }
  /** Positions by `component/index`. */
  readPositions(topology: string): Record<string, Position> {
    return readJson<Record<string, Position>>(join(this.folderOf(topology), 'positions.json')) ?? {};
  }
  writePositions(topology: string, positions: Readonly<Record<string, Position>>): void {
    writeAtomic(join(this.folderOf(topology), 'positions.json'), JSON.stringify(positions));
  }
  /** Everything was completed or dead-lettered: the next run begins at the beginning. */
  clearRun(topology: string): void {
    for (const name of ['run.json', 'positions.json']) rmSync(join(this.folderOf(topology), name), { force: true });
  }

  // ---- the embedded server -------------------------------------------------------------------------------------

  get serverFolder(): string {
    return join(this.path, 'nats');
  }
  readServer(): ServerRecord | undefined {
    const record = readJson<ServerRecord>(this.#file('server.json'));
    return record !== undefined && alive(record.pid) ? record : undefined;
  }
  writeServer(record: ServerRecord | undefined): void {
    if (record === undefined) rmSync(this.#file('server.json'), { force: true });
    else writeAtomic(this.#file('server.json'), JSON.stringify(record));
  }

  #file(name: string): string {
    return join(this.path, name);
  }
}

/** Readers see the old contents or the new ones, whenever the writer dies. */
function writeAtomic(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}

/** undefined: there is no such file, or it is none of ours */
function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // killed, and its parent has not asked after it: it holds nothing any more
  return !/^[ZX]$/.test(statOf(pid)?.[0] ?? '');
}

/** When the process was started, where the system tells: so that a reused number is not mistaken for it. */
function birthOf(pid: number): string | undefined {
  return statOf(pid)?.[19];
}

/** What Linux tells of a process, from its state on. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
