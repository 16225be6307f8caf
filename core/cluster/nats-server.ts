/** A nats-server of our own: on loopback, behind a token, with JetStream, over one folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SquallError } from '../errors.js';
import { readGreeting } from '../transport/greeting.js';

export interface EmbeddedNatsOptions {
  /** from `findNatsServer` */
  readonly binary: string;
  /** made if missing (mode 0700); holds the configuration, the log and the JetStream store */
  readonly dir: string;
  /** default: a free one. A restart gives the former, so that clients find it again. */
  readonly port?: number;
  /** what clients have to show; reaches the server in a file that only its owner may read */
  readonly token: string;
  /** default `nats-server.log` in `dir` */
  readonly logFile?: string;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface EmbeddedNats {
  /** without the token */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly pid: number;
  /** resolves when the process has ended, by whatever cause */
  readonly exited: Promise<ServerExit>;
  /** SIGTERM, and SIGKILL if that does not end it within 3 s. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL; what is stored stays */
  kill(): void;
}

const HOST = '127.0.0.1';
const STOP_TIMEOUT_MS = 3_000;
/** JetStream reads its store before the server listens: long for gigabytes on a busy machine. */
const READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 20;
const GREETING_TIMEOUT_MS = 1_000;
/** Between the moment that we see a port free and the server's bind another process may take it. */
const PORT_ATTEMPTS = 5;
/** Some 10 000 lines: history enough, and a bound for a folder that is used for years. */
const LOG_LIMIT_BYTES = 1 << 20;
const LOG_TAIL_BYTES = 4096;
const LOG_TAIL_LINES = 10;

/**
 * Starts the server and waits until it greets. It is its own process group, so a Ctrl-C in the terminal does not reach
 * it: its owner stops it. Where the owner dies without that (SIGKILL), a guard ends the server within 4 s (POSIX only).
 * Rejects with ERR_SQUALL_NATS_START and the last lines of its log when it ends before.
 */
export async function startEmbeddedNats(options: EmbeddedNatsOptions): Promise<EmbeddedNats> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    try {
      return await launch({ ...options, port, settings: { authorization: { token: options.token } } });
    } catch (error) {
      const taken = error instanceof SquallError && /address already in use/.test(String(error.facts.log));
      if (options.port !== undefined || !taken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

export interface LaunchOptions extends EmbeddedNatsOptions {
  readonly port: number;
  /** more of nats-server's configuration */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** @internal One start, on one port, with any settings. */
export async function launch(options: LaunchOptions): Promise<EmbeddedNats> {
  const { binary, dir, port, token, settings, logFile = join(dir, 'nats-server.log') } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // By its name we know that it is our server which greets on the port, and not another that took it.
  const name = `squall-${randomBytes(6).toString('hex')}`;
  const configFile = join(dir, 'nats-server.conf');
  // The server's configuration language takes JSON.
  const config = {
    listen: `${HOST}:${port}`,
    server_name: name,
    jetstream: { store_dir: join(dir, 'jetstream') },
    ...settings,
  };
  writeFileSync(configFile, JSON.stringify(config, null, 2), { mode: 0o600 });

  const log = openLog(logFile);
  const logStart = statSync(logFile).size;
  let child: ChildProcess;
  try {
    child = spawn(binary, ['-c', configFile], { detached: true, stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
  const exited = new Promise<ServerExit>((resolve, reject) => {
    child.on('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const guard = child.pid === undefined ? undefined : guardServer(child.pid);
  let over = false;
  const end = (): void => {
    over = true;
    guard?.kill();
  };
  exited.then(end, end);
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  const deadline = performance.now() + READY_TIMEOUT_MS;
  try {
    while ((await greetingName(port)) !== name) {
      // Rejects where there is nothing to run.
      if (over) throw new Error(`it ended with ${describe(await exited)}`);
      if (performance.now() > deadline) throw new Error(`port ${port} did not answer within ${READY_TIMEOUT_MS} ms`);
      await delay(READY_POLL_MS);
    }
  } catch (cause) {
    kill();
    const tail = logTail(logFile, logStart);
    throw new SquallError(
      'ERR_SQUALL_NATS_START',
      `nats-server (${binary}) did not start: ${(cause as Error).message}${tail && `\n${tail}`}\nIts log is ${logFile}`,
      { facts: { binary, port, logFile, log: tail }, cause },
    );
  }
  let stopping: Promise<void> | undefined;
  return {
    url: `nats://${HOST}:${port}`,
    port,
    token,
    pid: child.pid as number,
    exited,
    stop() {
      stopping ??= stop(child, exited);
      return stopping;
    },
    kill,
  };
}

async function stop(child: ChildProcess, exited: Promise<ServerExit>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}

/**
 * A shell that waits for the end of its input, which comes when this process ends, however it ends; then it ends the
 * server. It holds nothing else: no descriptor of ours, no terminal.
 */
function guardServer(pid: number): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const script = [
    'read -r _',
    'kill -TERM "$1" 2>/dev/null || exit 0',
    'n=0',
    `while [ $n -lt ${STOP_TIMEOUT_MS / 100} ]; do sleep 0.1; kill -0 "$1" 2>/dev/null || exit 0; n=$((n+1)); done`,
    'kill -KILL "$1" 2>/dev/null',
  ].join('\n');
  const guard = spawn('/bin/sh', ['-c', script, 'squall-nats-guard', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {}); // no shell: the server runs all the same
  guard.stdin?.on('error', () => {});
  guard.unref();
  return guard;
}

/** The name of the server that greets on `port`, or undefined. */
async function greetingName(port: number): Promise<string | undefined> {
  try {
    return (await readGreeting(HOST, port, GREETING_TIMEOUT_MS)).server_name;
  } catch {
    return undefined;
  }
}

/** A TCP port that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, resolve);
  });
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function openLog(file: string): number {
  const log = openSync(file, 'a', 0o600);
  if (statSync(file).size > LOG_LIMIT_BYTES) truncateSync(file);
  return log;
}

/** The last lines that were written after `start`. */
function logTail(file: string, start: number): string {
  const end = statSync(file).size;
  const from = Math.max(start, end - LOG_TAIL_BYTES);
  const bytes = Buffer.alloc(Math.max(0, end - from));
  const descriptor = openSync(file, 'r');
  readSync(descriptor, bytes, 0, bytes.length, from);
  closeSync(descriptor);
  return bytes.toString().trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

function describe({ code, signal }: ServerExit): string {
  return signal ?? `exit code ${code}`;
}
