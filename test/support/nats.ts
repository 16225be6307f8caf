/** A private nats-server for a test: own port, own store, to be killed, stopped and restarted at will. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedNats, freePort, launch } from '../../core/cluster/nats-server.js';
import { findNatsServer } from '../../core/cluster/nats-server-find.js';
import type { ConnectOptions } from '../../core/transport/connect-options.js';

let binary: Promise<string> | undefined;

/** As users' commands find it: fetched into the cache the first time. */
export function natsServerBinary(): Promise<string> {
  binary ??= findNatsServer({ log: (message) => console.error(message) });
  return binary;
}

const TOKEN = 'test-token';

export class TestNats {
  readonly port: number;
  readonly url: string;
  /** what lets a client in, unless the settings say otherwise */
  readonly options: ConnectOptions;
  readonly #binary: string;
  readonly #dir: string;
  #settings: Readonly<Record<string, unknown>>;
  #server: EmbeddedNats | undefined;

  private constructor(path: string, dir: string, port: number, settings: Readonly<Record<string, unknown>>) {
    this.#binary = path;
    this.#dir = dir;
    this.port = port;
    this.url = `nats://127.0.0.1:${port}`;
    this.options = { servers: [this.url], credentials: { kind: 'token', token: TOKEN } };
    this.#settings = settings;
  }

  /** `settings`: more of nats-server's configuration, as JSON; `started: false` chooses the port only. */
  static async start(
    settings: Readonly<Record<string, unknown>> = {},
    { started = true }: { readonly started?: boolean } = {},
  ): Promise<TestNats> {
    const dir = await mkdtemp(join(tmpdir(), 'squall-nats-'));
    const nats = new TestNats(await natsServerBinary(), dir, await freePort(), settings);
    if (started) await nats.restart();
    return nats;
  }

  get pid(): number {
    if (this.#server === undefined) throw new Error('the server is not running');
    return this.#server.pid;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill9(): Promise<void> {
    this.#server?.kill();
    await this.#server?.exited;
  }

  /** Same port, same store; other settings where given. */
  async restart(settings: Readonly<Record<string, unknown>> = this.#settings): Promise<void> {
    await this.kill9();
    this.#settings = settings;
    this.#server = await launch({
      binary: this.#binary,
      dir: this.#dir,
      port: this.port,
      token: TOKEN,
      settings: { authorization: { token: TOKEN }, ...settings },
    });
  }

  /** SIGSTOP: its sockets stay, and nothing answers. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Ends it, also when it is paused, and removes its folder. Idempotent. */
  async stop(): Promise<void> {
    await this.kill9();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
