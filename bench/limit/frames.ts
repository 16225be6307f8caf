/**
 * The frames of the hand-written pipeline, as small as a program can make them that knows its own data:
 * - tuples: count, then per tuple root, edge low, edge high, then the values as one MessagePack array;
 * - records: per record root, low, high;
 * - roots: one number each.
 * Numbers have 32 bits in the machine's byte order: all processes of a run share a machine.
 */
import { pack, unpack } from 'msgpackr';

export type Send = (payload: Uint8Array) => void;

/** Tuples in a frame; a full one is sent at once. */
export const FRAME_TUPLES = 512;
const NUMBER_BYTES = 4;
const ID_NUMBERS = 3;

/** Collects tuples of one stream. A frame goes out when it is full, or when its owner has nothing left to do. */
export class TupleWriter {
  readonly #send: Send;
  /** the count, then the ids: the head of a frame as it is sent */
  readonly #head = new Uint32Array(1 + FRAME_TUPLES * ID_NUMBERS);
  readonly #headBytes = new Uint8Array(this.#head.buffer);
  #values: string[] = [];

  constructor(send: Send) {
    this.#send = send;
  }

  add(root: number, low: number, high: number, value: string): void {
    const at = 1 + this.#values.length * ID_NUMBERS;
    this.#head[at] = root;
    this.#head[at + 1] = low;
    this.#head[at + 2] = high;
    if (this.#values.push(value) === FRAME_TUPLES) this.flush();
  }

  flush(): void {
    const count = this.#values.length;
    if (count === 0) return;
    this.#head[0] = count;
    const headBytes = (1 + count * ID_NUMBERS) * NUMBER_BYTES;
    const values = pack(this.#values);
    this.#values = [];
    const payload = Buffer.allocUnsafe(headBytes + values.length);
    payload.set(this.#headBytes.subarray(0, headBytes));
    payload.set(values, headBytes);
    this.#send(payload);
  }
}

/** The tuples of one frame: `ids` holds root, low, high of each. Reused: valid until the next `read`. */
export class TupleReader {
  readonly ids = new Uint32Array(FRAME_TUPLES * ID_NUMBERS);
  readonly #idBytes = new Uint8Array(this.ids.buffer);
  readonly #count = new Uint32Array(1);
  readonly #countBytes = new Uint8Array(this.#count.buffer);
  values: readonly string[] = [];

  read(payload: Uint8Array): void {
    this.#countBytes.set(payload.subarray(0, NUMBER_BYTES));
    const valuesAt = (1 + this.#count[0] * ID_NUMBERS) * NUMBER_BYTES;
    this.#idBytes.set(payload.subarray(NUMBER_BYTES, valuesAt));
    this.values = unpack(payload.subarray(valuesAt)) as string[];
  }
}

/**
 * XOR records for the acker, merged: one per root and flush. `slots` bounds the roots that are alive at a time; no two
 * of them share `root % slots`, so a table of that size finds a root's record.
 */
export class RecordWriter {
  readonly #send: Send;
  readonly #slotMask: number;
  readonly #records: Uint32Array;
  /** for each slot, where its record is in `#records`; stale where another root is found there */
  readonly #recordOf: Int32Array;
  #length = 0;

  /** `slots` is a power of two */
  constructor(send: Send, slots: number) {
    this.#send = send;
    this.#slotMask = slots - 1;
    this.#records = new Uint32Array(slots * ID_NUMBERS);
    this.#recordOf = new Int32Array(slots);
  }

  add(root: number, low: number, high: number): void {
    const slot = root & this.#slotMask;
    const records = this.#records;
    const known = this.#recordOf[slot];
    if (known < this.#length && records[known] === root) {
      records[known + 1] ^= low;
      records[known + 2] ^= high;
      return;
    }
    const at = this.#length;
    this.#recordOf[slot] = at;
    records[at] = root;
    records[at + 1] = low;
    records[at + 2] = high;
    this.#length = at + ID_NUMBERS;
  }

  flush(): void {
    if (this.#length === 0) return;
    this.#send(new Uint8Array(this.#records.slice(0, this.#length).buffer));
    this.#length = 0;
  }
}

/** The numbers of a records or roots frame, copied where the payload is not aligned. */
export function numbersOf(payload: Uint8Array): Uint32Array {
  const { buffer, byteOffset, byteLength } = payload;
  return byteOffset % NUMBER_BYTES === 0
    ? new Uint32Array(buffer, byteOffset, byteLength / NUMBER_BYTES)
    : new Uint32Array(new Uint8Array(payload).buffer);
}
