/** The nats-server that belongs to a state folder: one at a time, found by others while it runs. */

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectOptions } from '../transport/connect-options.js';
import { type EmbeddedNats, startEmbeddedNats } from './nats-server.js';
import { findNatsServer } from './nats-server-find.js';
import type { StateFolder } from './state-folder.js';

/** A server that keeps dying is started again, but not in a tight loop. */
const RESTART_DELAYS_MS = [0, 250, 500, 1000, 2000, 4000] as const;
const HEALTHY_MS = 10_000;
const LEFTOVER_MS = 5000;

export interface OwnServer {
  readonly connection: ConnectOptions;
  /** ends the server; idempotent */
  stop(): Promise<void>;
}

/**
 * Starts the server over the (locked) folder and keeps it running: it is started again, on the same port, if it dies.
 * `tell` hears of deaths, `failed` when it cannot be kept up. `log`: what fetching a server tells people.
 */
export async function startOwnServer(
  state: StateFolder,
  tell: (line: string) => void,
  failed: (error: Error) => void,
): Promise<OwnServer> {
  await endLeftover(state);
  const binary = await findNatsServer({ log: tell });
  const token = randomBytes(24).toString('base64url');
  let stopped = false;
  let deaths = 0;
  let server = await startEmbeddedNats({ binary, dir: state.serverFolder, token });
  const { port } = server;

  const watch = (current: EmbeddedNats): void => {
    state.writeServer({ url: current.url, token, pid: current.pid });
    const startedAt = performance.now();
    void current.exited.then(async ({ code, signal }) => {
      if (stopped) return;
      if (performance.now() - startedAt > HEALTHY_MS) deaths = 0;
      const delayMs = RESTART_DELAYS_MS[deaths++];
      if (delayMs === undefined) return failed(new Error(`nats-server died ${deaths} times in a row`));
      tell(`nats-server died (${signal ?? `exit code ${code}`}); starting it again`);
      await delay(delayMs);
      if (stopped) return;
      try {
        server = await startEmbeddedNats({ binary, dir: state.serverFolder, token, port });
        if (stopped) await server.stop();
        else watch(server);
      } catch (error) {
        failed(error as Error);
      }
    });
  };
  watch(server);
  return {
    connection: { servers: [server.url], credentials: { kind: 'token', token } },
    async stop() {
      stopped = true;
      await server.stop();
      state.writeServer(undefined);
    },
  };
}

/** A server whose run was killed may still be about to end: two over one store would spoil it. */
async function endLeftover(state: StateFolder): Promise<void> {
  const leftover = state.readServer();
  if (leftover === undefined || !commandOf(leftover.pid).includes(state.serverFolder)) return;
  process.kill(leftover.pid, 'SIGTERM');
  const deadline = performance.now() + LEFTOVER_MS;
  while (state.readServer() !== undefined) {
    if (performance.now() > deadline) process.kill(leftover.pid, 'SIGKILL');
    await delay(20);
  }
}

/** Command line of a process, or '' where it cannot be told. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // no /proc on this system
  }
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
