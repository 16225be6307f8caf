/** Bodies of the control frames: records for ackers, for ledgers, and the credits of a channel. */
import { pack, unpack } from 'msgpackr';
import type { Credit } from '../reliability/channel.js';
import type { Failure } from '../topology/definition.js';
import { FRAME_HEADER_BYTES } from './frame.js';
import { frameMemory } from './frame-memory.js';
import { Malformed } from './malformed.js';

/** Roots with a value each: rows of [hi, lo, xorHi, xorLo]. */
export const XOR_WORDS = 4;
/** Roots alone: rows of [hi, lo]. */
export const ROOT_WORDS = 2;

/** A failed tree on its way from a bolt by the acker to the ledger. */
export interface FailRecord {
  readonly hi: number;
  readonly lo: number;
  readonly failure: Failure;
}

/** Everything that a task tells an acker in one flush. */
export interface AckRecords {
  readonly inits: Uint32Array;
  readonly acks: Uint32Array;
  readonly forgets: Uint32Array;
  readonly fails: readonly FailRecord[];
}

export interface DoneRecords {
  readonly done: Uint32Array;
  readonly fails: readonly FailRecord[];
}

export function encodeAcks(records: AckRecords): Buffer {
  return encodeSections([records.inits, records.acks, records.forgets], records.fails);
}
/** Decoded sections are valid until the next frame is decoded. */
export function decodeAcks(frame: Buffer): AckRecords {
  const { sections, fails } = decodeSections(frame, [XOR_WORDS, XOR_WORDS, ROOT_WORDS]);
  return { inits: sections[0], acks: sections[1], forgets: sections[2], fails };
}
export function encodeDone(records: DoneRecords): Buffer {
  return encodeSections([records.done], records.fails);
}
export function decodeDone(frame: Buffer): DoneRecords {
  const { sections, fails } = decodeSections(frame, [ROOT_WORDS]);
  return { done: sections[0], fails };
}
export function encodeRoots(roots: Uint32Array): Buffer {
  return encodeSections([roots], []);
}
export function decodeRoots(frame: Buffer): Uint32Array {
  return decodeSections(frame, [ROOT_WORDS]).sections[0];
}

function encodeSections(sections: readonly Uint32Array[], fails: readonly FailRecord[]): Buffer {
  const packed = fails.length === 0 ? EMPTY : pack(fails.map(({ hi, lo, failure }) => [hi, lo, failure]));
  let length = FRAME_HEADER_BYTES + packed.length;
  for (const section of sections) length += 4 + section.byteLength;
  const frame = frameMemory(length);
  let at = FRAME_HEADER_BYTES;
  for (const section of sections) at = frame.writeUInt32LE(section.length, at);
  for (const section of sections) {
    frame.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), at);
    at += section.byteLength;
  }
  frame.set(packed, at);
  return frame;
}

function decodeSections(frame: Buffer, rowWords: readonly number[]): { sections: Uint32Array[]; fails: FailRecord[] } {
  let at = FRAME_HEADER_BYTES + rowWords.length * 4;
  if (at > frame.length) throw new Malformed('sections');
  let used = 0;
  const sections = rowWords.map((words, index) => {
    const length = frame.readUInt32LE(FRAME_HEADER_BYTES + index * 4);
    if (length % words !== 0 || at + length * 4 > frame.length) throw new Malformed('section length');
    const section = scratch(used, length);
    new Uint8Array(section.buffer, section.byteOffset, length * 4).set(frame.subarray(at, at + length * 4));
    at += length * 4;
    used += length;
    return section;
  });
  if (at === frame.length) return { sections, fails: [] };
  return { sections, fails: decodeFails(frame.subarray(at)) };
}

/** Records are applied at once, so all frames are decoded into the same words: no garbage per frame. */
let scratchWords = new Uint32Array(1 << 14);

function scratch(at: number, length: number): Uint32Array<ArrayBuffer> {
  // what was handed out before in this frame keeps the old memory
  if (at + length > scratchWords.length) scratchWords = new Uint32Array((at + length) * 2);
  return scratchWords.subarray(at, at + length);
}

function decodeFails(bytes: Buffer): FailRecord[] {
  let rows: unknown;
  try {
    rows = unpack(bytes);
  } catch {
    throw new Malformed('failures');
  }
  if (!Array.isArray(rows)) throw new Malformed('failures');
  return rows.map((row: unknown) => {
    if (!Array.isArray(row) || !isWord(row[0]) || !isWord(row[1]) || typeof row[2]?.reason !== 'string') {
      throw new Malformed('failure');
    }
    return { hi: row[0], lo: row[1], failure: row[2] as Failure };
  });
}

const isWord = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff;

const CREDIT_BYTES = 40;

export function encodeCredit(credit: Credit): Buffer {
  const frame = frameMemory(FRAME_HEADER_BYTES + CREDIT_BYTES + credit.missing.length * 4);
  let at = frame.writeUInt32LE(credit.frame, FRAME_HEADER_BYTES);
  at = frame.writeUInt32LE(credit.windowRecords, at);
  at = frame.writeDoubleLE(credit.consumed, at);
  at = frame.writeDoubleLE(credit.failed, at);
  at = frame.writeDoubleLE(credit.lost, at);
  at = frame.writeUInt32LE(credit.windowBytes, at);
  at = frame.writeUInt32LE(credit.missing.length, at);
  for (const bound of credit.missing) at = frame.writeUInt32LE(bound, at);
  return frame;
}

export function decodeCredit(frame: Buffer): Credit {
  const at = FRAME_HEADER_BYTES;
  if (frame.length < at + CREDIT_BYTES) throw new Malformed('credit');
  const bounds = frame.readUInt32LE(at + 36);
  if (bounds % 2 !== 0 || frame.length !== at + CREDIT_BYTES + bounds * 4) throw new Malformed('credit');
  return {
    frame: frame.readUInt32LE(at),
    windowRecords: frame.readUInt32LE(at + 4),
    consumed: frame.readDoubleLE(at + 8),
    failed: frame.readDoubleLE(at + 16),
    lost: frame.readDoubleLE(at + 24),
    windowBytes: frame.readUInt32LE(at + 32),
    missing: Array.from({ length: bounds }, (_, index) => frame.readUInt32LE(at + CREDIT_BYTES + index * 4)),
  };
}

const EMPTY = Buffer.alloc(0);
