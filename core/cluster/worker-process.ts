/** One worker process: its pipes, its pulse, its end. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { packageRoot } from '../package-root.js';
import { BEAT_MS, LEASE_MS } from '../runtime/heartbeat.js';
import { WORKER_CONDITION } from '../runtime/load-topology.js';
import type { FromWorker, ToWorker } from '../runtime/protocol.js';

/** In few files, for a quick start: see `scripts/bundle.mjs`. */
const MAIN = join(packageRoot() ?? '.', 'dist/worker/core/runtime/worker-main.js');
/**
 * A new process has this long until its first beat: a busy machine starts Node slowly (20 s at 40 processes for 2 cores),
 * and to kill who is late makes it busier. One that ends meanwhile is noticed all the same.
 */
const FIRST_BEAT_MS = 45_000;

/** After its exit its last messages are read; a grandchild that holds the pipe open must not delay us longer. */
const LAST_WORDS_MS = 250;

/** A check that comes so late tells of us, not of the worker. */
const LATE_CHECK_MS = 4 * BEAT_MS;

export interface WorkerProcessEvents {
  message(message: FromWorker): void;
  /** a whole line that the worker printed */
  line(line: string): void;
  /** its main thread stopped turning, or turns again */
  blocked(blocked: boolean): void;
  exit(why: string): void;
}

export class WorkerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #events: WorkerProcessEvents;
  readonly #watch: NodeJS.Timeout;
  #beatAt = performance.now() + FIRST_BEAT_MS;
  #checkedAt = performance.now();
  #blocked = false;
  #why: string | undefined;
  #exited = false;
  #lastError: string | undefined;
  #blockedSince = 0;

  /** `title` fills argv too, so that there is room for it as the process title, and `ps` shows it from the start. */
  constructor(title: string, events: WorkerProcessEvents) {
    this.#events = events;
    this.#child = fork(MAIN, [title], {
      // 0 stdin, 1 and 2 what it prints, 3 messages, 4 heartbeat
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      serialization: 'advanced',
      env: withoutSecrets(process.env),
      // half of Node's default: as fast here, and tens of MiB less where all tasks share a process
      execArgv: ['--max-semi-space-size=8', `--conditions=${WORKER_CONDITION}`, ...inheritedFlags()],
    });
    this.pid = this.#child.pid ?? 0;
    this.#child.on('message', (message) => events.message(message as FromWorker));
    this.#child.on('error', (error) => this.#gone(`could not be started: ${error.message}`));
    this.#child.on('exit', (code, signal) => {
      const gone = (): void => this.#gone(this.#why ?? (signal === null ? `exit code ${code}` : signal));
      // what it said last may still be in the pipe
      if (!this.#child.connected) gone();
      else {
        this.#child.once('disconnect', gone);
        setTimeout(gone, LAST_WORDS_MS);
      }
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
          if (ERROR_LINE.test(line)) this.#lastError = line.trim();
          events.line(line);
        });
    }
    const pulse = this.#child.stdio[HEARTBEAT] as Duplex | null;
    pulse?.on('data', (bytes: Buffer) => {
      // it stood still for longer than its lease, and we have not given it up
      if (bytes.includes(ASKING_BEAT) && this.#why === undefined) pulse.write('.');
      this.#beat(bytes);
    });
    pulse?.on('error', () => {});
    this.#watch = setInterval(() => this.#check(), BEAT_MS);
  }

  /** The last line it printed that names an error: what Node says of one that nobody caught. */
  get lastError(): string | undefined {
    return this.#lastError;
  }
  get exited(): boolean {
    return this.#exited;
  }
  /** Its main thread has not turned for so long; 0 when it does. */
  get blockedMs(): number {
    return this.#blocked ? performance.now() - this.#blockedSince : 0;
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** SIGKILL: it works on stopped and blocked processes too. */
  kill(why: string): void {
    if (this.#exited) return;
    this.#why ??= why;
    this.#child.kill('SIGKILL');
  }

  #beat(bytes: Buffer): void {
    this.#beatAt = performance.now();
    const last = bytes[bytes.length - 1];
    const blocked = last === BLOCKED_BEAT;
    if (last === ASKING_BEAT || blocked === this.#blocked) return;
    this.#blocked = blocked;
    if (blocked) this.#blockedSince = performance.now();
    this.#events.blocked(blocked);
  }

  #check(): void {
    const now = performance.now();
    const late = now - this.#checkedAt > LATE_CHECK_MS;
    this.#checkedAt = now;
    // we were the ones who stood still: what it said meanwhile is still to be read
    if (late) this.#beatAt = Math.max(this.#beatAt, now);
    const silentMs = performance.now() - this.#beatAt;
    if (silentMs > LEASE_MS) this.kill(`silent for ${Math.round(LEASE_MS / 1000)} s`);
  }

  #gone(why: string): void {
    if (this.#exited) return;
    this.#exited = true;
    clearInterval(this.#watch);
    this.#events.exit(why);
  }
}

/**
 * Workers are told by the pipe how to log in. What they inherited would be in the hands of all that components start, and
 * of core dumps.
 */
function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NATS_PASSWORD: _password, NATS_TOKEN: _token, ...rest } = env;
  // a user without a password is a token
  if (_password === undefined) delete rest.NATS_USER;
  if (rest.NATS_URL?.includes('@')) delete rest.NATS_URL;
  return rest;
}

const HEARTBEAT = 4;
const ERROR_LINE = /^(?:Uncaught )?\w*(?:Error|Exception)(?: \[\w+\])?: /;
const BLOCKED_BEAT = '!'.charCodeAt(0);
const ASKING_BEAT = '?'.charCodeAt(0);

/** Memory limits and profilers that the run was started with are meant for its workers too. */
function inheritedFlags(): string[] {
  return process.execArgv.filter((flag) =>
    /^--(max-old-space-size|max-semi-space-size|cpu-prof|cpu-prof-dir|heap-prof)(=|$)/.test(flag),
  );
}
