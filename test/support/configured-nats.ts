/** A nats-server with a configuration as people write it: in the configuration's own language, its log readable. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../core/cluster/nats-server.js';
import type { Scope, Workspace } from './e2e.js';
import { natsServerBinary } from './nats.js';

const POLL_MS = 20;
const READY_WITHIN_MS = 10_000;

export class ConfiguredNats {
  readonly url: string;
  readonly #log: string;

  private constructor(url: string, log: string) {
    this.url = url;
    this.#log = log;
  }

  /** Over the test's folder, with JetStream; ends with the test. */
  static async start(scope: Scope, place: Workspace, configuration: string): Promise<ConfiguredNats> {
    const port = await freePort();
    const log = place.path('server.log');
    const file = place.path('server.conf');
    writeFileSync(place.path('included.conf'), configuration);
    writeFileSync(
      file,
      [
        `listen: 127.0.0.1:${port}`,
        `jetstream: { store_dir: ${JSON.stringify(place.path('jetstream'))} }`,
        `log_file: ${JSON.stringify(log)}`,
        'include included.conf',
      ].join('\n'),
    );
    const child = spawn(await natsServerBinary(), ['-c', file], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    scope.teardown(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    const nats = new ConfiguredNats(`nats://127.0.0.1:${port}`, log);
    for (const deadline = performance.now() + READY_WITHIN_MS; !/Server is ready/.test(nats.log); ) {
      if (child.exitCode !== null || performance.now() > deadline) throw new Error(`it did not start: ${nats.log}`);
      await delay(POLL_MS);
    }
    return nats;
  }

  /** What it has logged so far. */
  get log(): string {
    try {
      return readFileSync(this.#log, 'utf8');
    } catch {
      return '';
    }
  }

  /** Lines about what it refused. */
  get refusals(): string[] {
    return this.log.split('\n').filter((line) => /violation|authorization|authentication/i.test(line));
  }
}
