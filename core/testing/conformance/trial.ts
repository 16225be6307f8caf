/** One run of a check's topology, and the faults that are done to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Run, run } from '../../cluster/run.js';
import type { RunEvents, RunResult } from '../../cluster/run-types.js';
import type { ConnectOptions } from '../../transport/connect-options.js';

const POLL_MS = 5;
/** Lines that the component under test printed, kept for the message. */
const MAX_LINES = 20;
/** A task that has just died or not begun has no process; its successor is up within this. */
const PROCESS_WITHIN_MS = 60_000;

/** Something did not happen. `late`: not in time; otherwise it cannot happen any more, because everything is over. */
export class Stuck extends Error {
  readonly late: boolean;

  constructor(message: string, late: boolean) {
    super(message);
    this.late = late;
  }
}

export interface Kill {
  readonly task: string;
  /** share of the messages that had come through, 0 … 1 */
  readonly at: number;
}

/** A machine that is too busy to start a server's client or a process in time is asked again so often. */
const MAX_BEGINNINGS = 3;

export interface TrialOptions {
  readonly file: URL;
  readonly set: Readonly<Record<string, string>>;
  readonly state: string;
  readonly connection: ConnectOptions;
  /** of `performance.now()` */
  readonly deadlineAt: number;
}

export class Trial {
  readonly run: Run;
  /** deaths that were not ours to cause: who, and why */
  readonly deaths: string[] = [];
  readonly replays: RunEvents['replay'][0][] = [];
  readonly letters: RunEvents['dead-letter'][0][] = [];
  readonly #deadlineAt: number;
  readonly #killed = new Set<number>();
  readonly #gone = new Set<number>();
  readonly #lines: string[] = [];
  #ready = false;
  #result: RunResult | undefined;

  constructor({ file, set, state, connection, deadlineAt }: TrialOptions) {
    this.#deadlineAt = deadlineAt;
    this.run = run(fileURLToPath(file), { set, state, nats: connection });
    this.run.on('ready', () => (this.#ready = true));
    this.run.on('replay', (replay) => this.replays.push(replay));
    this.run.on('dead-letter', (letter) => this.letters.push(letter));
    this.run.on('log', (line) => {
      this.#lines.push(line);
      if (this.#lines.length > MAX_LINES) this.#lines.shift();
    });
    this.run.on('worker-lost', ({ title, pid, why }) => {
      this.#gone.add(pid);
      // one that the machine did not let run is not to blame
      if (!this.#killed.has(pid) && !why.startsWith('silent')) this.deaths.push(`${title}: ${why}`);
    });
    void this.run.result.then((result) => (this.#result = result));
  }

  /** One that has begun. Rejects with `Stuck` where the run failed instead; `keep` is given each that was tried. */
  static async begin(options: TrialOptions, keep: (trial: Trial) => void): Promise<void> {
    for (let beginning = 1; ; beginning++) {
      const trial = new Trial(options);
      keep(trial);
      try {
        return await trial.ready();
      } catch (error) {
        if (beginning === MAX_BEGINNINGS || !trial.#starved) throw error;
      }
    }
  }

  get ended(): boolean {
    return this.#result !== undefined;
  }
  /** Why the run could not go on, if so. */
  get failure(): string | undefined {
    return this.#result?.error?.message;
  }
  /** The run failed because the machine did not let it begin in time: of the component that says nothing. */
  get #starved(): boolean {
    const { code, message } = this.#result?.error ?? { code: '', message: '' };
    return code.startsWith('ERR_SQUALL_NATS') || message.includes('silent for');
  }
  /** The last lines that were printed. */
  get lines(): readonly string[] {
    return this.#lines;
  }
  get pending(): number {
    return Object.values(this.run.snapshot().spouts).reduce((sum, { pending }) => sum + pending, 0);
  }

  private ready(): Promise<void> {
    return this.until(() => this.#ready, 'the run to begin');
  }

  /** Rejects with `Stuck` after the deadline, and when the run has ended without it. */
  async until(look: () => boolean, what: string): Promise<void> {
    while (!look()) {
      if (this.#result !== undefined) {
        // what happened last may be seen only now
        if (look()) return;
        const { status, error } = this.#result;
        throw new Stuck(`the run ended (${error?.message ?? status}) before ${what}`, false);
      }
      if (performance.now() > this.#deadlineAt) throw new Stuck(`${what}: not within the time limit`, true);
      await delay(POLL_MS);
    }
  }

  /** SIGKILL for a task of the component; its name and number, when its process is gone. */
  async kill(component: string, random: () => number): Promise<string> {
    const find = (): { readonly component: string; readonly pid: number | undefined }[] =>
      this.run.snapshot().tasks.filter((task) => task.component.startsWith(`${component}[`) && task.state === 'ready');
    const giveUpAt = performance.now() + PROCESS_WITHIN_MS;
    await this.until(
      () => find().length > 0 || performance.now() > giveUpAt,
      `a process of ${component} that can be killed`,
    );
    const found = find();
    if (found.length === 0) throw new Stuck(`${component} had no process for ${PROCESS_WITHIN_MS / 1000} s`, true);
    const { component: task, pid = 0 } = found[Math.floor(random() * found.length)];
    this.#killed.add(pid);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended by itself meanwhile
      return task;
    }
    await this.until(() => this.#gone.has(pid), `${task} to be gone`);
    return task;
  }

  /** A pause that has begun, and is over. */
  async pause(lastsMs: number): Promise<void> {
    this.run.pause();
    await this.until(() => this.run.snapshot().phase !== 'running', 'the run to pause');
    await delay(lastsMs);
    this.run.resume();
  }

  async result(): Promise<RunResult> {
    await this.until(() => this.#result !== undefined, 'the run to end');
    return this.#result as RunResult;
  }

  /** Whatever becomes of it. Idempotent. */
  async abort(): Promise<void> {
    await this.run.kill();
  }
}
