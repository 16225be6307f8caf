/** Files that let us in. They are read for each dial, so that what was renewed meanwhile counts. */
import { readFileSync } from 'node:fs';
import { SquallError } from '../errors.js';
import type { TlsFiles } from './connect-options.js';

/**
 * Reads `file` at each call; what it was before, when it cannot be read now. Throws ERR_SQUALL_NATS_OPTIONS, which calls
 * it `what`, when it cannot be read at first.
 */
export function fileContents(file: string, what: string): () => Buffer {
  let contents: Buffer | undefined;
  const read = (): Buffer => {
    try {
      contents = readFileSync(file);
    } catch (cause) {
      if (contents === undefined) {
        const { code } = cause as NodeJS.ErrnoException;
        const message = `The NATS ${what} file ${file} cannot be read (${code})`;
        throw new SquallError('ERR_SQUALL_NATS_OPTIONS', message, { facts: { file, code }, cause });
      }
    }
    return contents;
  };
  read();
  return read;
}

/** A user's seed out of a file that may hold comments. */
export function nkeySeed(file: string): () => Uint8Array {
  const read = fileContents(file, 'nkey');
  return () => {
    const seed = /^SU[A-Z2-7]{56}$/m.exec(read().toString());
    if (seed !== null) return Buffer.from(seed[0]);
    const message = `Expected a user's nkey seed (SU…) in ${file}, found none`;
    throw new SquallError('ERR_SQUALL_NATS_OPTIONS', message, { facts: { file } });
  };
}

export interface TlsContents {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly ca: string | undefined;
  readonly handshakeFirst: boolean | undefined;
}

/** The contents, not the paths: while the client reads files itself, its socket has no error handler. */
export function tlsContents(files: TlsFiles): TlsContents {
  const cert = files.certFile === undefined ? undefined : fileContents(files.certFile, 'certificate');
  const key = files.keyFile === undefined ? undefined : fileContents(files.keyFile, 'key');
  const ca = files.caFile === undefined ? undefined : fileContents(files.caFile, 'CA');
  return {
    get cert() {
      return cert?.().toString();
    },
    get key() {
      return key?.().toString();
    },
    get ca() {
      return ca?.().toString();
    },
    handshakeFirst: files.handshakeFirst,
  };
}
