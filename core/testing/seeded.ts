/** Randomness from one seed: the same seed, the same run. */
import { type Cipher, createCipheriv, createHash } from 'node:crypto';
import { EdgeIds } from '../tuple/edge-ids.js';

/** A small pool: most tests need few ids. */
const POOL_IDS = 256;

/** A stream of bytes that follows from the seed, as good as random: AES in counter mode. */
function keystream(seed: string): Cipher {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16, 32));
}

export class Seeded {
  readonly #seed: string;

  constructor(seed: number | string) {
    this.#seed = String(seed);
  }

  /** Edge ids for one worker. Never from a linear generator: see EdgeIds. */
  edgeIds(worker: string): EdgeIds {
    const stream = keystream(`${this.#seed} edges ${worker}`);
    return new EdgeIds((pool) => {
      const bytes = stream.update(new Uint8Array(pool.byteLength));
      new Uint8Array(pool.buffer, pool.byteOffset, pool.byteLength).set(bytes);
    }, POOL_IDS);
  }

  /** Numbers in [0, 1). */
  random(worker: string): () => number {
    const stream = keystream(`${this.#seed} random ${worker}`);
    const zeros = new Uint8Array(4);
    return () => stream.update(zeros).readUInt32LE(0) / 2 ** 32;
  }

  /** 32 hex digits. */
  runId(): string {
    return createHash('sha256').update(`${this.#seed} run`).digest('hex').slice(0, 32);
  }
}
