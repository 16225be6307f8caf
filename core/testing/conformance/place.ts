/** Where a check takes place: a folder and a nats-server of its own, which outlives the runs. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedNats, startEmbeddedNats } from '../../cluster/nats-server.js';
import { findNatsServer } from '../../cluster/nats-server-find.js';
import type { ConnectOptions } from '../../transport/connect-options.js';

/** What the functions of an author are given. */
export interface CheckPlace {
  /** empty at first, and removed afterwards: for the files of the round */
  readonly folder: string;
  /** URL of the check's own nats-server, with its token; JetStream is on. The run uses it too. */
  readonly nats: string;
  /** from 1 */
  readonly round: number;
}

export class Laboratory {
  readonly #folder: string;
  readonly #server: EmbeddedNats;

  private constructor(folder: string, server: EmbeddedNats) {
    this.#folder = folder;
    this.#server = server;
  }

  static async open(log: (line: string) => void): Promise<Laboratory> {
    const folder = await mkdtemp(join(tmpdir(), 'squall-check-'));
    try {
      const binary = await findNatsServer({ log });
      const token = randomBytes(24).toString('base64url');
      return new Laboratory(folder, await startEmbeddedNats({ binary, dir: join(folder, 'nats'), token }));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get connection(): ConnectOptions {
    const { url, token } = this.#server;
    return { servers: [url], credentials: { kind: 'token', token } };
  }

  place(round: number): CheckPlace {
    const { port, token } = this.#server;
    return { folder: this.#made(`round-${round}`), nats: `nats://${token}@127.0.0.1:${port}`, round };
  }

  /** For journals and the state of runs: not the author's. */
  notes(round: number): string {
    return this.#made(`notes-${round}`);
  }

  async close(): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #made(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
}
