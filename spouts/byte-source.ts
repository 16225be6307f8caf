/**
 * The bytes of one file in order, a chunk at a time. A chunk is valid until the call after the next one, so that one
 * can be used while the next is on its way. One call at a time, `close` too.
 */
export interface ByteSource {
  /** Never empty; `undefined` at the end. Rejects with the error of the file system or of zlib. */
  read(): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/** So large that reading it costs more than the hop to a thread and back, so small that a task can keep a few. */
export const CHUNK_BYTES = 256 * 1024;
