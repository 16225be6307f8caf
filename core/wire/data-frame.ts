/** Body of a data frame: the id rows as they are in memory, then each column as form, length, payload. */
import { endianness } from 'node:os';
import { Batch, EDGE_HI, EDGE_LO, ID_WORDS } from './batch.js';
import { FRAME_HEADER_BYTES } from './frame.js';
import type { RowLayout } from './layout.js';
import { Malformed } from './malformed.js';
import type { EdgePlan } from '../topology/definition.js';

if (endianness() !== 'LE') throw new Error('Squall runs on little-endian machines only');

const COLUMN_HEADER_BYTES = 5;

/** A whole frame with the body of `batch`; the header is still to be sealed. */
export function encodeBatch(batch: Batch): Buffer {
  const idBytes = batch.count * ID_WORDS * 4;
  let length = FRAME_HEADER_BYTES + idBytes;
  const sizes: number[] = [];
  for (const column of batch.columns) {
    const size = column.measure();
    sizes.push(size);
    length += COLUMN_HEADER_BYTES + size;
  }
  const frame = Buffer.allocUnsafe(length);
  frame.set(new Uint8Array(batch.ids.buffer, batch.ids.byteOffset, idBytes), FRAME_HEADER_BYTES);
  let at = FRAME_HEADER_BYTES + idBytes;
  for (let index = 0; index < batch.columns.length; index++) {
    const column = batch.columns[index];
    frame[at] = column.form;
    frame.writeUInt32LE(sizes[index], at + 1);
    at = column.write(frame, at + COLUMN_HEADER_BYTES);
  }
  return frame;
}

/** The batch in a frame whose header was sound. Throws Malformed. The frame may be overwritten afterwards. */
export function decodeBatch(frame: Buffer, count: number, edge: EdgePlan, layout: RowLayout): Batch {
  const idBytes = count * ID_WORDS * 4;
  let at = FRAME_HEADER_BYTES + idBytes;
  if (at > frame.length) throw new Malformed('ids');
  const ids = new Uint32Array(count * ID_WORDS);
  new Uint8Array(ids.buffer).set(frame.subarray(FRAME_HEADER_BYTES, at));
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
  const batch = new Batch(edge, layout, 0, columns, ids);
  batch.count = count;
  batch.bytes = frame.length;
  for (let row = 0; row < ids.length; row += ID_WORDS) {
    batch.xorHi ^= ids[row + EDGE_HI];
    batch.xorLo ^= ids[row + EDGE_LO];
  }
  return batch;
}
