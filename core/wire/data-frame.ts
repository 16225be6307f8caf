/**
 * Body of a data frame: u32 number of groups, u32 words of side table for several roots, groups, rows and side table as they
 * are in memory, then each column as form, length, payload.
 */
import { endianness } from 'node:os';
import type { EdgePlan } from '../topology/definition.js';
import { Batch, GROUP_WORDS, MAX_BATCH_ROWS, ROW_WORDS, SEVERAL_ROOTS } from './batch.js';
import { FRAME_HEADER_BYTES } from './frame.js';
import { frameMemory } from './frame-memory.js';
import type { RowLayout } from './layout.js';
import { Malformed } from './malformed.js';

if (endianness() !== 'LE') throw new Error('Squall runs on little-endian machines only');

const COLUMN_HEADER_BYTES = 5;
const IDS_AT = FRAME_HEADER_BYTES + 8;

/** A whole frame with the body of `batch`; the header is still to be sealed. The batch lets go of its values. */
export function encodeBatch(batch: Batch): Buffer {
  const groupBytes = batch.groupCount * GROUP_WORDS * 4;
  const rowBytes = batch.count * ROW_WORDS * 4;
  const rootBytes = batch.rootWords * 4;
  const idBytes = groupBytes + rowBytes + rootBytes;
  let length = IDS_AT + idBytes;
  const sizes: number[] = [];
  for (const column of batch.columns) {
    const size = column.measure();
    sizes.push(size);
    length += COLUMN_HEADER_BYTES + size;
  }
  const frame = frameMemory(length);
  frame.writeUInt32LE(batch.groupCount, FRAME_HEADER_BYTES);
  frame.writeUInt32LE(batch.rootWords, FRAME_HEADER_BYTES + 4);
  frame.set(new Uint8Array(batch.groups.buffer, batch.groups.byteOffset, groupBytes), IDS_AT);
  frame.set(new Uint8Array(batch.rows.buffer, batch.rows.byteOffset, rowBytes), IDS_AT + groupBytes);
  if (rootBytes > 0) {
    frame.set(new Uint8Array(batch.roots.buffer, batch.roots.byteOffset, rootBytes), IDS_AT + groupBytes + rowBytes);
  }
  let at = IDS_AT + idBytes;
  for (let index = 0; index < batch.columns.length; index++) {
    const column = batch.columns[index];
    frame[at] = column.form;
    frame.writeUInt32LE(sizes[index], at + 1);
    at = column.write(frame, at + COLUMN_HEADER_BYTES);
  }
  batch.valuesSent();
  return frame;
}

/** The batch in a frame whose header was sound. Throws Malformed. The frame may be overwritten afterwards. */
export function decodeBatch(frame: Buffer, count: number, edge: EdgePlan, layout: RowLayout, site: number): Batch {
  if (frame.length < IDS_AT || count > MAX_BATCH_ROWS) throw new Malformed('ids');
  const groupCount = frame.readUInt32LE(FRAME_HEADER_BYTES);
  const rootWords = frame.readUInt32LE(FRAME_HEADER_BYTES + 4);
  const rowsAt = IDS_AT + groupCount * GROUP_WORDS * 4;
  const rootsAt = rowsAt + count * ROW_WORDS * 4;
  let at = rootsAt + rootWords * 4;
  if (groupCount > count || at > frame.length) throw new Malformed('ids');
  const groups = words(frame, IDS_AT, groupCount * GROUP_WORDS);
  const rows = words(frame, rowsAt, count * ROW_WORDS);
  const columns = layout.columns();
  for (const column of columns) {
    if (at + COLUMN_HEADER_BYTES > frame.length) throw new Malformed('columns');
    const form = frame[at];
    const size = frame.readUInt32LE(at + 1);
    at += COLUMN_HEADER_BYTES;
    if (at + size > frame.length) throw new Malformed('column length');
    column.read(frame.subarray(at, at + size), form, count);
    at += size;
  }
  if (at !== frame.length) throw new Malformed('trailing bytes');
  const batch = new Batch(edge, layout, site, columns, rows, groups);
  batch.count = count;
  batch.groupCount = groupCount;
  batch.bytes = frame.length;
  if (rootWords > 0) {
    batch.roots = words(frame, rootsAt, rootWords);
    batch.rootWords = rootWords;
  }
  for (let group = 0; group < groups.length; group += GROUP_WORDS) {
    if (groups[group] !== SEVERAL_ROOTS) continue;
    const from = groups[group + 1];
    if (from >= rootWords || from + 1 + batch.roots[from] * 2 > rootWords) throw new Malformed('roots');
  }
  for (let row = 0; row < rows.length; row += ROW_WORDS) {
    if (rows[row + 2] >>> 16 >= groupCount) throw new Malformed('group');
    batch.xorHi ^= rows[row];
    batch.xorLo ^= rows[row + 1];
  }
  return batch;
}

function words(frame: Buffer, at: number, length: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(length);
  new Uint8Array(copy.buffer).set(frame.subarray(at, at + length * 4));
  return copy;
}
