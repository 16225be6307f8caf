/** Users known by a key pair: their seed is the secret, and the server needs their public key only. */
import { nkeys } from 'nats';
import { SquallError } from '../errors.js';
import { nkeySeed } from './credential-files.js';

export interface NewUser {
  /** `SU…`: secret */
  readonly seed: string;
  /** `U…` */
  readonly publicKey: string;
}

export function newUser(): NewUser {
  const pair = nkeys.createUser();
  return { seed: Buffer.from(pair.getSeed()).toString(), publicKey: pair.getPublicKey() };
}

/** Throws ERR_SQUALL_NATS_OPTIONS where the file cannot be read or holds no seed. */
export function publicKeyIn(file: string): string {
  const seed = nkeySeed(file)();
  try {
    return nkeys.fromSeed(seed).getPublicKey();
  } catch {
    // its message may quote the seed
    throw new SquallError('ERR_SQUALL_NATS_OPTIONS', `the nkey seed in ${file} is damaged: its checksum is wrong`, {
      facts: { file },
    });
  }
}
