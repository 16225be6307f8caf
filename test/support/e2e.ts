/** What the end-to-end tests share: a place of their own, runs whose events are kept, checks of what a run left. */
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { type Run, type RunEvents, type RunOptions, type RunResult, run } from '../../core/index.js';
import { Log } from './log.js';
import { livingProcesses } from './e2e-processes.js';

const POLL_MS = 10;
const DEADLINE_MS = 20_000;
/** A stopped process is replaced after 3 s. */
const STOPPED_WITHIN_MS = 2500;
/** What a run that has ended may still take to leave the process table. */
const GONE_WITHIN_MS = 5000;

/** Compiled topologies of the end-to-end tests. */
export function topologyFile(name: string): string {
  return fileURLToPath(new URL(`../e2e/topologies/${name}.js`, import.meta.url));
}

/** Resolves with the first result that is not undefined or false, as soon as it is there; rejects after the deadline. */
export async function until<T>(
  look: () => T | undefined | false,
  what: string,
  withinMs = DEADLINE_MS,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false && found !== null) return found as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms`);
    await delay(POLL_MS);
  }
}

/** A folder and a topology name of a test's own. Processes of the test are known by either in their command line. */
export class Workspace {
  readonly folder: string;
  /** for the topology */
  readonly name: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.name = basename(folder);
  }

  /** At the end of the test what is left of its processes is killed, and is a failure. */
  static async create(t: ExecutionContext): Promise<Workspace> {
    const place = new Workspace(await mkdtemp(join(tmpdir(), 'squall-e2e-')));
    t.teardown(async () => {
      const left = place.processes();
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
      if (left.length > 0) throw new Error(`processes were left: ${left.map(({ command }) => command).join('; ')}`);
    });
    return place;
  }

  path(name: string): string {
    return join(this.folder, name);
  }
  get state(): string {
    return this.path('state');
  }

  /** The living processes of this test: workers, commands, nats-servers. */
  processes(): readonly { readonly pid: number; readonly command: string }[] {
    return livingProcesses().filter(
      ({ pid, command }) => pid !== process.pid && (command.includes(this.name) || command.includes(this.folder)),
    );
  }

  /** `count[1]`: the process that `ps` shows under that title. */
  pidOf(task: string): number {
    const title = `squall ${this.name} ${task}`;
    const found = this.processes().find(({ command }) => command.trimEnd() === title);
    if (found === undefined) throw new Error(`Expected a process with the title "${title}"`);
    return found.pid;
  }

  /** pid of the nats-server that a run has started over the state folder */
  get serverPid(): number {
    return (JSON.parse(readFileSync(join(this.state, 'server.json'), 'utf8')) as { readonly pid: number }).pid;
  }

  async allGone(withinMs = GONE_WITHIN_MS): Promise<void> {
    const left = () => this.processes().map(({ command }) => command);
    await until(() => left().length === 0, 'no process to be left', withinMs).catch((error: Error) => {
      throw new Error(`${error.message}, found: ${left().join('; ')}`);
    });
  }
}

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
  t: ExecutionContext,
  place: Workspace,
  file: string,
  { set = {}, ...options }: RunOptions = {},
): WatchedRun {
  const watched = new WatchedRun(file, { state: place.state, ...options, set: { name: place.name, ...set } });
  t.teardown(async () => {
    await Promise.all([watched.run.stop(), watched.run.stop()]);
  });
  return watched;
}

/** created = consumed + failed + written off + in flight, nothing is in flight, and nothing was lost without a cause. */
export function balanceCloses(t: ExecutionContext, { balance, spouts }: RunResult): void {
  const { created, consumed, failed, writtenOff, inFlight, mismatches, causes } = balance;
  t.is(created, consumed + failed + writtenOff + inFlight, `the balance closes: ${JSON.stringify(balance)}`);
  t.is(inFlight, 0, 'nothing is in flight');
  t.is(mismatches, 0, 'no edge was lost or doubled in silence');
  t.is(
    writtenOff,
    Object.values(causes).reduce((sum, count) => sum + count, 0),
    'what was written off has causes',
  );
  for (const [name, { pending }] of Object.entries(spouts)) t.is(pending, 0, `nothing of ${name} is pending`);
}

export interface Found {
  /** lines that are none of 0 … count − 1 */
  readonly strange: readonly string[];
  readonly missing: readonly number[];
  /** lines beyond the first of their number */
  readonly repeats: number;
}

/** What a sink wrote of the numbers 0 … count − 1, each the first column of a line. */
export function numbersIn(file: string, count: number): Found {
  const lines = readFileSync(file, 'utf8').split('\n');
  const torn = lines.pop();
  const seen = new Uint8Array(count);
  const strange = torn === '' ? [] : [`torn: ${torn}`];
  let repeats = 0;
  for (const line of lines) {
    const [text] = line.split('\t', 1);
    const number = Number(text);
    if (text === '' || !Number.isInteger(number) || number < 0 || number >= count) strange.push(line);
    else if (seen[number]++ > 0) repeats += 1;
  }
  const missing: number[] = [];
  for (let number = 0; number < count; number++) if (seen[number] === 0) missing.push(number);
  return { strange, missing, repeats };
}

/** Every number is there, and nothing else; returns how many lines there were too many. */
export function allPresent(t: ExecutionContext, file: string, count: number, except: readonly number[] = []): number {
  const { strange, missing, repeats } = numbersIn(file, count);
  t.deepEqual(strange.slice(0, 5), [], 'no line is torn or foreign');
  t.deepEqual(missing.slice(0, 5), except.slice(0, 5), `all numbers are there (${missing.length} are not)`);
  return repeats;
}

/** 0 where there is no such file */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Independent of the engine: the words of a text and how often each comes. */
export function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** What word count wrote. A word that two tasks counted would be two lines, and is an error. */
export function countsIn(file: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [word, count] = line.split('\t');
    if (counts.has(word)) throw new Error(`"${word}" is there twice`);
    counts.set(word, Number(count));
  }
  return counts;
}

/** The first few words whose counts differ: `word: found, expected`. */
export function differences(found: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): string[] {
  const words = new Set([...found.keys(), ...expected.keys()]);
  return [...words]
    .filter((word) => found.get(word) !== expected.get(word))
    .slice(0, 5)
    .map((word) => `${word}: found ${found.get(word)}, expected ${expected.get(word)}`);
}
