/**
 * The frame: everything that one task says to another travels in this envelope. Little-endian, 64 bytes:
 *
 *     0 u16 magic 'Sq'      2 u8 version       3 u8 kind          4 u32 CRC-32 of bytes 8 … 55 and the body, begun with the kind
 *     8 u32 topology hash  12 u32 length      16 u16 sender      18 u16 receiver (task numbers)
 *    20 u32 sender epoch   24 u32 receiver epoch                 28 u32 frame number in its channel, from 1
 *    32 u32, 36 u32 XOR of all edge ids sent on the channel, this frame's included
 *    40 f64 count of all records sent on the channel, this frame's included
 *    48 u16 edge           50 u16 flags      52 u32 count of records
 *    56 u64 SipHash-2-4 under the run's key of bytes 0 … 55, and of the body where the frame is not numbered
 *    64 body
 *
 * Decoders check everything before they believe anything; what they refuse is counted by its cause and dropped. The key
 * keeps out whoever only shares the server: workers have it from their supervisor. A numbered frame needs no keyed sum of
 * its body: who has heard it, and alters the body so that the CRC stays, comes after it, and its number is taken.
 */
import { crc32 } from 'node:zlib';
import { OPEN_KEY, type SipKey, sip, sipHash } from './sip-hash.js';

export const FRAME_HEADER_BYTES = 64;
export const FRAME_VERSION = 2;
const SUM_AT = 56;
const MAGIC = 0x7153;

export const KIND_DATA = 1;
/** INIT, ACK, FORGET and FAIL records to an acker */
export const KIND_ACK = 2;
/** DONE and FAILED records to a ledger */
export const KIND_DONE = 3;
/** roots that a task still holds, to their ledger; a letter */
export const KIND_RENEW = 4;
/** confirmation and credit of a receiver, to a sender; a letter */
export const KIND_CREDIT = 5;
/** to all tasks of a run; a letter */
export const KIND_EVERYONE = 6;

/** nothing more will come from this sender on this channel */
export const FLAG_END = 1;
/** an idle sender asks whether everything arrived */
export const FLAG_PROBE = 2;
/** More records than any frame of ours holds; a larger count is a lie. */
export const MAX_RECORDS = 1 << 20;

export type Refusal =
  | 'truncated'
  | 'magic'
  | 'version'
  | 'length'
  | 'checksum'
  | 'forged'
  | 'foreign'
  | 'stale'
  | 'malformed';

export interface FrameHeader {
  kind: number;
  sender: number;
  receiver: number;
  senderEpoch: number;
  receiverEpoch: number;
  frame: number;
  xorHi: number;
  xorLo: number;
  total: number;
  edge: number;
  flags: number;
  count: number;
}

export function emptyHeader(): FrameHeader {
  return {
    kind: 0,
    sender: 0,
    receiver: 0,
    senderEpoch: 0,
    receiverEpoch: 0,
    frame: 0,
    xorHi: 0,
    xorLo: 0,
    total: 0,
    edge: 0,
    flags: 0,
    count: 0,
  };
}

/** Writes the header in front of a body that is already in place, and seals the frame with its sums. */
export function sealFrame(frame: Buffer, hash: number, header: FrameHeader, key: SipKey = OPEN_KEY): void {
  frame.writeUInt16LE(MAGIC, 0);
  frame[2] = FRAME_VERSION;
  frame[3] = header.kind;
  frame.writeUInt32LE(hash, 8);
  frame.writeUInt32LE(frame.length, 12);
  frame.writeUInt16LE(header.sender, 16);
  frame.writeUInt16LE(header.receiver, 18);
  frame.writeUInt32LE(header.senderEpoch, 20);
  frame.writeUInt32LE(header.receiverEpoch, 24);
  frame.writeUInt32LE(header.frame, 28);
  frame.writeUInt32LE(header.xorHi >>> 0, 32);
  frame.writeUInt32LE(header.xorLo >>> 0, 36);
  frame.writeDoubleLE(header.total, 40);
  frame.writeUInt16LE(header.edge, 48);
  frame.writeUInt16LE(header.flags, 50);
  frame.writeUInt32LE(header.count, 52);
  frame.writeUInt32LE(checksum(frame), 4);
  keyedSum(frame, key);
  frame.writeUInt32LE(sip.lo, SUM_AT);
  frame.writeUInt32LE(sip.hi, SUM_AT + 4);
}

/** Of all but itself and the keyed sum. */
function checksum(frame: Buffer): number {
  return crc32(frame.subarray(FRAME_HEADER_BYTES), crc32(frame.subarray(8, SUM_AT), frame[3]));
}

/** Letters (what is not part of a numbered channel) bear the number of their worker's letter, and it covers their body. */
function keyedSum(frame: Buffer, key: SipKey): void {
  const letter = frame[3] > KIND_DONE;
  sipHash(key, frame, letter ? frame.length : SUM_AT, SUM_AT);
}

/** Reads a header into `header`; undefined when the frame is sound. Body lengths are the body decoders' to check. */
export function openFrame(
  frame: Buffer,
  hash: number,
  header: FrameHeader,
  key: SipKey = OPEN_KEY,
): Refusal | undefined {
  if (frame.length < FRAME_HEADER_BYTES) return 'truncated';
  if (frame.readUInt16LE(0) !== MAGIC) return 'magic';
  if (frame[2] !== FRAME_VERSION) return 'version';
  if (frame.readUInt32LE(12) !== frame.length) return 'length';
  if (frame.readUInt32LE(8) !== hash) return 'foreign';
  if (checksum(frame) !== frame.readUInt32LE(4)) return 'checksum';
  keyedSum(frame, key);
  if (frame.readUInt32LE(SUM_AT) !== sip.lo || frame.readUInt32LE(SUM_AT + 4) !== sip.hi) return 'forged';
  header.kind = frame[3];
  header.sender = frame.readUInt16LE(16);
  header.receiver = frame.readUInt16LE(18);
  header.senderEpoch = frame.readUInt32LE(20);
  header.receiverEpoch = frame.readUInt32LE(24);
  header.frame = frame.readUInt32LE(28);
  header.xorHi = frame.readUInt32LE(32);
  header.xorLo = frame.readUInt32LE(36);
  header.total = frame.readDoubleLE(40);
  header.edge = frame.readUInt16LE(48);
  header.flags = frame.readUInt16LE(50);
  header.count = frame.readUInt32LE(52);
  return header.count > MAX_RECORDS ? 'malformed' : undefined;
}
