/** Helpers of the wire tests: streams, batches, and the way of a batch over the wire and back. */
import type { EdgePlan, StreamDeclaration } from '../../core/topology/definition.js';
import type { FieldType } from '../../core/topology/fields.js';
import { Batch, Lineage, newStamp } from '../../core/wire/batch.js';
import { decodeBatch, encodeBatch } from '../../core/wire/data-frame.js';
import { emptyHeader, type FrameHeader, KIND_DATA, openFrame, sealFrame } from '../../core/wire/frame.js';
import { RowLayout } from '../../core/wire/layout.js';

export const HASH = 0xdeadbeef;
export const SITE = 0x1000;

export type Row = Record<string, unknown>;

export function streamOf(fields: Readonly<Record<string, FieldType>>): StreamDeclaration {
  return { name: 'default', fields: Object.entries(fields).map(([name, type]) => ({ name, type })), direct: false };
}

export function layoutOf(fields: Readonly<Record<string, FieldType>>): RowLayout {
  return new RowLayout(streamOf(fields));
}

export function edgeOf(layout: RowLayout): EdgePlan {
  const stream = { name: 'default', fields: layout.fields, direct: false };
  const grouping = { kind: 'shuffle' } as const;
  return { index: 3, source: 'split', stream, target: 'count', input: 'default', grouping, feedback: false };
}

export function lineageOf(of: Partial<Lineage> = {}): Lineage {
  return Object.assign(new Lineage(), { stamp: newStamp() }, of);
}

/** A batch of rows, each with the edge id (row + 1, ~row). */
export function batchOf(layout: RowLayout, rows: readonly Row[], lineage = lineageOf()): Batch {
  const batch = new Batch(edgeOf(layout), layout, SITE);
  for (const [at, row] of rows.entries()) {
    layout.push(batch.columns, row);
    batch.add(lineage, at + 1, ~at >>> 0);
  }
  return batch;
}

export function headerOf(of: Partial<FrameHeader> = {}): FrameHeader {
  return {
    ...emptyHeader(),
    kind: KIND_DATA,
    sender: 1,
    receiver: 2,
    senderEpoch: 1,
    receiverEpoch: 1,
    frame: 1,
    ...of,
  };
}

/** `batch` as the sealed frame that travels. */
export function frameOf(batch: Batch): Buffer {
  const { count, xorHi, xorLo } = batch;
  const frame = encodeBatch(batch);
  sealFrame(frame, HASH, headerOf({ count, total: count, xorHi, xorLo, edge: batch.edge.index }));
  return frame;
}

/** What the receiver makes of a frame; throws its cause where it refuses it. */
export function received(frame: Buffer, layout: RowLayout): Batch {
  const header = emptyHeader();
  const refused = openFrame(frame, HASH, header);
  if (refused !== undefined) throw new Error(`refused: ${refused}`);
  return decodeBatch(frame, header.count, edgeOf(layout), layout, SITE);
}

export function rowsOf(batch: Batch): Row[] {
  return Array.from({ length: batch.count }, (_, row) => batch.layout.all(batch.columns, row));
}

/** The rows as a receiver in another process has them. The frame is overwritten before they are looked at. */
export function overTheWire(layout: RowLayout, rows: readonly Row[]): Row[] {
  const frame = frameOf(batchOf(layout, rows));
  const batch = received(frame, layout);
  frame.fill(0xaa);
  return rowsOf(batch);
}
