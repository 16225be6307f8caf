/**
 * The frame: everything that one task says to another travels in this envelope. Little-endian, 56 bytes:
 *
 *     0 u16 magic 'Sq'      2 u8 version       3 u8 kind          4 u32 CRC-32 of bytes 8 … end, begun with the kind
 *     8 u32 topology hash  12 u32 length      16 u16 sender      18 u16 receiver (task numbers)
 *    20 u32 sender epoch   24 u32 receiver epoch                 28 u32 frame number in its channel, from 1
 *    32 u32, 36 u32 XOR of all edge ids sent on the channel, this frame's included
 *    40 f64 count of all records sent on the channel, this frame's included
 *    48 u16 edge           50 u16 flags      52 u32 count of records
 *    56 body
 *
 * Decoders check everything before they believe anything; what they refuse is counted by its cause and dropped.
 */
import { crc32 } from 'node:zlib';

export const FRAME_HEADER_BYTES = 56;
export const FRAME_VERSION = 1;
const MAGIC = 0x7153;

export const KIND_DATA = 1;
/** INIT, ACK, FORGET and FAIL records to an acker */
export const KIND_ACK = 2;
/** DONE and FAILED records to a ledger */
export const KIND_DONE = 3;
/** roots that a task still holds, to their ledger; not numbered */
export const KIND_RENEW = 4;
/** confirmation and credit of a receiver, to a sender; not numbered */
export const KIND_CREDIT = 5;

/** nothing more will come from this sender on this channel */
export const FLAG_END = 1;
/** an idle sender asks whether everything arrived */
export const FLAG_PROBE = 2;
/** More records than any frame of ours holds; a larger count is a lie. */
export const MAX_RECORDS = 1 << 20;

export type Refusal = 'truncated' | 'magic' | 'version' | 'length' | 'checksum' | 'foreign' | 'stale' | 'malformed';

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

/** Writes the header in front of a body that is already in place, and seals the frame with its checksum. */
export function sealFrame(frame: Buffer, hash: number, header: FrameHeader): void {
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
  frame.writeUInt32LE(crc32(frame.subarray(8), header.kind), 4);
}

/** Reads a header into `header`; undefined when the frame is sound. Body lengths are the body decoders' to check. */
export function openFrame(frame: Buffer, hash: number, header: FrameHeader): Refusal | undefined {
  if (frame.length < FRAME_HEADER_BYTES) return 'truncated';
  if (frame.readUInt16LE(0) !== MAGIC) return 'magic';
  if (frame[2] !== FRAME_VERSION) return 'version';
  if (frame.readUInt32LE(12) !== frame.length) return 'length';
  if (frame.readUInt32LE(8) !== hash) return 'foreign';
  if (crc32(frame.subarray(8), frame[3]) !== frame.readUInt32LE(4)) return 'checksum';
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
