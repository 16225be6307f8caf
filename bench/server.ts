import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findNatsServer } from '../core/cluster/nats-server-find.js';
import { type Child, startChild } from './child.js';

const START_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 20;

export interface BenchServer {
  readonly url: string;
  readonly child: Child;
}

/** The nats-server that Squall itself would start. */
export function natsServerBinary(): Promise<string> {
  binary ??= findNatsServer({ log: (line) => console.error(line) });
  return binary;
}
let binary: Promise<string> | undefined;

/** A nats-server of this run's own: loopback, a free port that the server picks, JetStream in `folder`. */
export async function startServer(folder: string): Promise<BenchServer> {
  const storeFolder = join(folder, 'jetstream');
  const child = startChild('nats-server', await natsServerBinary(), [
    ...['--addr', '127.0.0.1', '--port', '-1', '--ports_file_dir', folder],
    ...['--jetstream', '--store_dir', storeFolder],
  ]);
  const url = await Promise.race([child.broken, urlFrom(folder)]);
  return { url, child };
}

/** The server writes `<program>_<pid>.ports` once it listens. */
async function urlFrom(folder: string): Promise<string> {
  for (const deadline = performance.now() + START_LIMIT_MS; performance.now() < deadline; await sleep(LOOK_EVERY_MS)) {
    const file = readdirSync(folder).find((name) => name.endsWith('.ports'));
    if (file === undefined || !existsSync(join(folder, file))) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    if (text.trimEnd().endsWith('}')) return (JSON.parse(text) as { nats: string[] }).nats[0];
  }
  throw new Error(`nats-server did not say within ${START_LIMIT_MS / 1000} s where it listens`);
}
