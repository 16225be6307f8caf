/** What the end-to-end tests share: a place of their own, and how they wait. */
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LivingProcess, livingProcesses } from './e2e-processes.js';
import { sized } from './long.js';

const POLL_MS = 10;
/** Not how long it takes, but when to give up: a process alone may need seconds to start on a busy machine. */
const DEADLINE_MS = 60_000;
/** What a run that has ended may still take to leave the process table: 5 s are promised, of a machine that is not busy. */
const GONE_WITHIN_MS = 20_000;
/**
 * From one assertion to the next. Much less than AVA's limit for all tests together, so that the test that is stuck fails by
 * its name and the others go on; much more than the slowest takes on a machine that does other things.
 */
const STUCK_MS = sized(90_000, 600_000);
/** Of what a run has said a failure shows so much. */
const SHOWN_CHARS = 6000;

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

/** Where something is started: it ends with it. A test of AVA's is one. */
export interface Scope {
  teardown(end: () => unknown): void;
  /** begins anew with every assertion */
  timeout?(ms: number, message?: string): void;
  log?(text: string): void;
  readonly passed?: boolean;
}

/** A folder and a topology of a test's own, of the same name: by that its processes are known. */
export class Workspace {
  readonly folder: string;
  /** for the topology */
  readonly name: string;

  /** a guard is known by the process that it guards only */
  readonly #seen = new Set<number>();
  readonly #heard: (() => string)[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.name = basename(folder);
  }

  /**
   * What is left of the test's processes after it is killed, and is a failure. A test that fails, or is stuck, tells what
   * its runs have said.
   */
  static async create(scope: Scope): Promise<Workspace> {
    const place = new Workspace(await mkdtemp(join(tmpdir(), 'squall-e2e-')));
    scope.timeout?.(STUCK_MS, `no assertion for ${STUCK_MS / 1000} s; what its runs have said is above`);
    scope.teardown(async () => {
      try {
        if (scope.passed === false) for (const said of place.#heard.splice(0)) scope.log?.(said().slice(-SHOWN_CHARS));
        await place.allGone();
      } finally {
        for (const { pid } of place.processes()) process.kill(pid, 'SIGKILL');
        await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
      }
    });
    return place;
  }

  /** `said` is asked for when the test has failed. */
  hear(said: () => string): void {
    this.#heard.push(said);
  }

  path(name: string): string {
    return join(this.folder, name);
  }
  get state(): string {
    return this.path('state');
  }

  /** The living processes of this test: workers, commands, nats-servers and their guards. */
  processes(): readonly LivingProcess[] {
    const living = livingProcesses();
    const own = living.filter(({ pid, command }) => pid !== process.pid && command.includes(this.name));
    for (const { pid } of own) this.#seen.add(pid);
    const guarded = ({ command }: LivingProcess) => Number(/ squall-nats-guard (\d+)$/.exec(command)?.[1] ?? 0);
    return [...own, ...living.filter((one) => this.#seen.has(guarded(one)))];
  }

  /** `count[3]`: the process that `ps` shows under that title. */
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

/** Of what a run has warned of, that which is the run's: a machine that is busy starts processes slowly. */
export function ownWarnings(warnings: readonly string[]): string[] {
  return warnings.filter((warning) => !/ is still starting/.test(warning));
}

/** 0 where there is no such file */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
