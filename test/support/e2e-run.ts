/** Runs whose events are kept, for the end-to-end tests. */
import { type Run, type RunEvents, type RunOptions, type RunSnapshot, run } from '../../core/index.js';
import { type Scope, until, type Workspace } from './e2e.js';
import { Log } from './log.js';

/** A stopped process is replaced after 3 s. */
const STOPPED_WITHIN_MS = 2500;

export type ReplayEvent = RunEvents['replay'][0];

/** A run and all that it said. */
export class WatchedRun {
  readonly run: Run;
  readonly lines = new Log<string>();
  readonly warnings = new Log<string>();
  readonly replays = new Log<ReplayEvent>();
  readonly letters = new Log<RunEvents['dead-letter'][0]>();
  readonly lost = new Log<RunEvents['worker-lost'][0]>();
  readonly restarted = new Log<RunEvents['worker-restarted'][0]>();
  readonly ready = new Log<RunEvents['ready'][0]>();

  constructor(target: Parameters<typeof run>[0], options: RunOptions) {
    this.run = run(target, options);
    this.run.on('log', (line) => this.lines.push(line));
    this.run.on('warning', (message) => this.warnings.push(message));
    this.run.on('replay', (replay) => this.replays.push(replay));
    this.run.on('dead-letter', (letter) => this.letters.push(letter));
    this.run.on('worker-lost', (loss) => this.lost.push(loss));
    this.run.on('worker-restarted', (worker) => this.restarted.push(worker));
    this.run.on('ready', (info) => this.ready.push(info));
  }

  /** All that was said, and where it stood before it was ended. */
  said(at: RunSnapshot): string {
    const worded = [
      ...this.lost.items.map(({ title, why }) => `lost: ${title}: ${why}`),
      ...this.warnings.items.map((warning) => `warning: ${warning}`),
    ];
    return [...this.lines.items, ...worded, `${this.replays.items.length} replays`, JSON.stringify(at)].join('\n');
  }

  get acked(): number {
    return Object.values(this.run.snapshot().spouts).reduce((sum, { acked }) => sum + acked, 0);
  }
  ackedAtLeast(count: number): Promise<true> {
    return until(() => this.acked >= count, `${count} acked`);
  }

  pidOf(task: string): number {
    const pid = this.run.snapshot().tasks.find(({ component }) => component === task)?.pid;
    if (pid === undefined) throw new Error(`${task} has no process`);
    return pid;
  }

  get pending(): number {
    return Object.values(this.run.snapshot().spouts).reduce((sum, { pending }) => sum + pending, 0);
  }

  /**
   * SIGKILL; resolves when its replacement is ready. With `holding` the process is stopped before, when the flow is calm,
   * until so many tuples are pending, much more than usual: so it dies with tuples in its hands.
   */
  async killAndAwait(task: string, holding = 0): Promise<void> {
    const before = this.restarted.items.length;
    const pid = this.pidOf(task);
    if (holding > 0) {
      await until(() => this.pending < holding / 2, `less than ${holding / 2} pending`);
      process.kill(pid, 'SIGSTOP');
      await until(() => this.pending >= holding, `${holding} pending while ${task} is stopped`, STOPPED_WITHIN_MS);
    }
    process.kill(pid, 'SIGKILL');
    await this.restarted.count(before + 1, `${task} to be restarted`);
  }
}

/** A run in the test's folder, with its name for the topology; ended with the test, whatever becomes of it. */
export function startRun(
  scope: Scope,
  place: Workspace,
  file: string,
  { set = {}, ...options }: RunOptions = {},
): WatchedRun {
  const watched = new WatchedRun(file, { state: place.state, ...options, set: { name: place.name, ...set } });
  let last: RunSnapshot | undefined;
  place.hear(() => watched.said(last ?? watched.run.snapshot()));
  scope.teardown(async () => {
    last ??= watched.run.snapshot();
    await Promise.all([watched.run.stop(), watched.run.stop()]);
  });
  return watched;
}
