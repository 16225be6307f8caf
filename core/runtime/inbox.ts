/**
 * What a bolt task receives: checks frames, keeps order per channel, hands out batches, and gives each sender its
 * confirmation and credit.
 */

import type { Credit } from '../reliability/channel.js';
import { ReceiveChannel } from '../reliability/channel.js';
import type { EdgePlan } from '../topology/definition.js';
import type { Batch } from '../wire/batch.js';
import { encodeCredit } from '../wire/control-frames.js';
import { decodeBatch } from '../wire/data-frame.js';
import {
  emptyHeader,
  FLAG_END,
  FLAG_PROBE,
  type FrameHeader,
  KIND_CREDIT,
  KIND_DATA,
  openFrame,
  sealFrame,
} from '../wire/frame.js';
import { type ReadRow, RowLayout } from '../wire/layout.js';
import { shortestTimeoutMs, type TaskEnv } from './env.js';
import { siteOf } from './outbox.js';

/** Why frames were dropped, and how many. */
export type Drops = Record<string, number>;

/** A frame in the queue. `batch` is undefined where it only carried a flag. */
export interface Arrived {
  readonly channel: ReceiveChannel;
  readonly frame: number;
  readonly batch: Batch | undefined;
  readonly input: Input | undefined;
  readonly flags: number;
  readonly at: number;
  /** the row whose execute comes next, the executes of rows before it that are open, and those that failed */
  row: number;
  open: number;
  failed: number;
}

/** How an edge into this bolt is read. */
export interface Input {
  readonly edge: EdgePlan;
  readonly layout: RowLayout;
  /** of the stream, for stable ids */
  readonly site: number;
  readonly read: ReadRow;
}

/** All connections of a process together may have this much on the way to them: far below what makes a broker stall. */
const RECEIVE_BUDGET_BYTES = 8 << 20;
/** A window is about this much measured work, and never more than a quarter of the message time-out. */
const WINDOW_MS = 1000;
const MIN_WINDOW_RECORDS = 16;
const MAX_WINDOW_RECORDS = 1 << 16;
/** Nothing is measured yet: as the links begin, or an answer to a question would invite all that others have no room for. */
const FIRST_WINDOW_RECORDS = 64;
/** A channel that was silent for so long leaves its share of the budget to others. */
const ACTIVE_MS = 5000;

export class Inbox {
  readonly drops: Drops = {};
  readonly #env: TaskEnv;
  readonly #inputs = new Map<number, Input>();
  readonly #channels = new Map<number, ReceiveChannel>();
  /** last time something arrived, and records confirmed to the sender, by channel */
  readonly #heard = new Map<ReceiveChannel, { at: number; told: number; answer: boolean }>();
  #queue: Arrived[] = [];
  #head = 0;
  /** the first frame that has rows to be executed, from `#head` on: where executes overlap, those before it are under way */
  #cursor = 0;
  /** records in the queue */
  #waiting = 0;
  /** work that a window is to hold */
  readonly #windowMs: number;
  /** measured: milliseconds of work per record */
  #msPerRecord = 0;
  #closing: ReceiveChannel[] = [];
  readonly #header = emptyHeader();
  readonly #credit: Credit = {
    frame: 0,
    consumed: 0,
    failed: 0,
    lost: 0,
    windowRecords: 0,
    windowBytes: 0,
    missing: [],
  };

  /** `inputs`: the bolt's declared inputs, for the fields it reads. */
  constructor(env: TaskEnv) {
    this.#env = env;
    this.#windowMs = Math.min(WINDOW_MS, shortestTimeoutMs(env.plan) / 4);
    const component = env.plan.components.find(({ name }) => name === env.component);
    if (component?.definition.kind !== 'bolt') throw new Error(`${env.component} is no bolt`);
    for (const edge of component.inputs) {
      const layout = new RowLayout(edge.stream);
      const declared = component.definition.inputs.find(({ name }) => name === edge.input);
      const source = env.plan.components.find(({ name }) => name === edge.source);
      const stream = source?.definition.streams.findIndex(({ name }) => name === edge.stream.name) ?? 0;
      const site = siteOf(source?.index ?? 0, stream);
      this.#inputs.set(edge.index, { edge, layout, site, read: layout.reader(declared?.fields) });
    }
  }

  /** Measured; 0: not yet. */
  get msPerRecord(): number {
    return this.#msPerRecord;
  }
  get waiting(): number {
    return this.#waiting;
  }
  /** The frame whose rows come next. */
  get next(): Arrived | undefined {
    return this.#queue[this.#cursor];
  }
  /** The frame at the head of the queue is executed to its last row. */
  get firstIsExecuted(): boolean {
    return this.#head < this.#cursor && this.#queue[this.#head].open === 0;
  }
  /** Everything that arrived is executed. */
  get empty(): boolean {
    return this.#head === this.#queue.length;
  }
  /** records that arrived on all channels, lost ones, and frames that came twice or disagreed with their count */
  counts(): { arrived: number; lost: number; duplicates: number; mismatches: number } {
    const sum = { arrived: 0, lost: 0, duplicates: 0, mismatches: 0 };
    for (const channel of [...this.#channels.values(), ...this.#closing]) {
      sum.arrived += channel.arrived;
      sum.lost += channel.lost;
      sum.duplicates += channel.duplicates;
      sum.mismatches += channel.mismatches;
    }
    return sum;
  }

  /** Channels heard of lately. */
  activeSenders(now: number): number {
    let active = 0;
    for (const { at } of this.#heard.values()) if (now - at < ACTIVE_MS) active += 1;
    return active;
  }

  /** Bytes from the data connection. Never throws. */
  acceptFrame(bytes: Buffer): void {
    const header = this.#header;
    const refused = openFrame(bytes, this.#env.plan.hash, header, this.#env.frameKey);
    if (refused !== undefined) return this.drop(refused);
    const input = this.#inputs.get(header.edge);
    if (header.kind !== KIND_DATA || (input === undefined && header.count > 0)) return this.drop('malformed');
    if (header.receiver !== this.#env.task || header.receiverEpoch !== this.#env.epoch) return this.drop('stale');
    let batch: Batch | undefined;
    if (header.count > 0 && input !== undefined) {
      try {
        batch = decodeBatch(bytes, header.count, input.edge, input.layout, input.site);
      } catch {
        // decoders throw only on bytes that no encoder wrote
        return this.drop('malformed');
      }
    }
    this.acceptParcel(header, batch);
  }

  /** A frame's contents, from the network or from a task of this process. */
  acceptParcel(header: FrameHeader, batch: Batch | undefined): void {
    const known = this.#env.peerEpoch(header.sender);
    if (header.senderEpoch < known) return this.drop('stale');
    let channel = this.#channels.get(header.sender);
    if (channel === undefined || channel.senderEpoch !== header.senderEpoch) {
      if (channel !== undefined) {
        if (header.senderEpoch < channel.senderEpoch) return this.drop('stale');
        this.#retire(channel);
      }
      channel = new ReceiveChannel(header.sender, header.senderEpoch);
      this.#channels.set(header.sender, channel);
      this.#heard.set(channel, { at: 0, told: 0, answer: false });
    }
    const now = this.#env.clock.now();
    const heard = this.#heard.get(channel) as { at: number; told: number; answer: boolean };
    heard.at = now;
    const arrival = channel.arrive(
      header.frame,
      header.count,
      header.total,
      header.xorHi,
      header.xorLo,
      batch?.xorHi ?? 0,
      batch?.xorLo ?? 0,
    );
    if (arrival === 'duplicate') return this.drop('duplicate');
    // END too: its sender waits for nothing else
    if (arrival === 'gap' || (header.flags & (FLAG_PROBE | FLAG_END)) !== 0) heard.answer = true;
    this.#queue.push({
      channel,
      frame: header.frame,
      batch,
      input: batch === undefined ? undefined : this.#inputs.get(header.edge),
      flags: header.flags,
      at: now,
      row: 0,
      open: 0,
      failed: 0,
    });
    this.#waiting += header.count;
    this.#env.wake();
  }

  drop(cause: string): void {
    this.drops[cause] = (this.drops[cause] ?? 0) + 1;
  }

  /** All executes of the next frame are begun. */
  begun(): void {
    this.#cursor += 1;
  }

  /**
   * Takes out the first frame, which is executed to its last row; it took `ms` of work. Frames leave in the order in which
   * they came, whichever is ready first.
   */
  takeExecuted(ms: number): Arrived {
    const arrived = this.#queue[this.#head];
    const { channel, frame, batch, flags, failed } = arrived;
    this.#head += 1;
    if (this.#head > 256 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#cursor -= this.#head;
      this.#head = 0;
    } else if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      this.#cursor = 0;
    }
    const records = batch?.count ?? 0;
    this.#waiting -= records;
    if (records > 0) {
      const each = ms / records;
      this.#msPerRecord = this.#msPerRecord === 0 ? each : this.#msPerRecord * 0.8 + each * 0.2;
    }
    channel.executed(frame, records, failed);
    if ((flags & FLAG_END) !== 0) channel.ended = true;
    return arrived;
  }

  /** The results of all that was executed are handed to the links: confirm it, and say what may come. */
  flushed(): void {
    const idle = this.next === undefined;
    const window = this.#windowRecords();
    for (const channel of this.#channels.values()) {
      channel.flushed();
      const heard = this.#heard.get(channel) as { at: number; told: number; answer: boolean };
      const news = channel.consumed + channel.failed + channel.lost - heard.told;
      // a sender with a window left needs no letter for every frame
      if (!heard.answer && news === 0) continue;
      if (!heard.answer && !idle && news < window / 8) continue;
      heard.told += news;
      heard.answer = false;
      this.#tell(channel, window);
    }
    if (this.#closing.length > 0) this.#closing = this.#closing.filter((channel) => !this.#finish(channel));
  }

  /** The sender's process is gone. What it sent is executed; then its channel's last word is told. */
  peerGone(sender: number): void {
    const channel = this.#channels.get(sender);
    if (channel !== undefined) channel.closed = true;
  }

  /** A successor of the sender is ready: nothing of the old one is on the way any more. */
  peerReady(sender: number, epoch: number): void {
    const channel = this.#channels.get(sender);
    if (channel === undefined || channel.senderEpoch === epoch) return;
    this.#retire(channel);
    this.#channels.delete(sender);
    this.flushed();
  }

  /** At the end of the run: the channels whose senders are gone, told now. */
  closeAll(): void {
    for (const channel of this.#channels.values()) if (channel.closed) this.#report(channel);
    for (const channel of this.#closing) this.#report(channel);
    this.#closing = [];
  }

  /** Calls `visit` for every batch in the queue that arrived before `before`, with the first row that is still held here. */
  forEachWaiting(before: number, visit: (batch: Batch, fromRow: number) => void): void {
    for (let index = this.#head; index < this.#queue.length; index++) {
      const { batch, at, row, open } = this.#queue[index];
      if (batch === undefined || at > before) continue;
      // which of those before it are open nobody notes
      const fromRow = open > 0 ? 0 : row;
      if (fromRow < batch.count) visit(batch, fromRow);
    }
  }

  #retire(channel: ReceiveChannel): void {
    this.#heard.delete(channel);
    this.#closing.push(channel);
  }

  #finish(channel: ReceiveChannel): boolean {
    if (channel.waiting > 0) return false;
    this.#report(channel);
    return true;
  }

  #report(channel: ReceiveChannel): void {
    this.#env.report.channelClosed({
      sender: channel.sender,
      senderEpoch: channel.senderEpoch,
      receiver: this.#env.task,
      receiverEpoch: this.#env.epoch,
      created: channel.total,
      consumed: channel.consumed,
      failed: channel.failed,
      writtenOff: channel.total - channel.consumed - channel.failed,
      cause: 'link-lost',
      mismatches: channel.mismatches,
    });
  }

  #windowRecords(): number {
    const senders = Math.max(1, this.activeSenders(this.#env.clock.now()));
    if (this.#msPerRecord === 0) return FIRST_WINDOW_RECORDS;
    const records = this.#windowMs / this.#msPerRecord / senders;
    return Math.round(Math.max(MIN_WINDOW_RECORDS, Math.min(MAX_WINDOW_RECORDS, records)));
  }

  #tell(channel: ReceiveChannel, windowRecords: number): void {
    const credit = this.#credit;
    const windowBytes = Math.round(RECEIVE_BUDGET_BYTES / Math.max(1, this.#env.activeSenders()));
    channel.credit(windowRecords, windowBytes, credit);
    tellCredit(this.#env, channel.sender, channel.senderEpoch, credit);
  }
}

/** Gives `credit` to the incarnation `senderEpoch` of the task `sender`. */
export function tellCredit(env: TaskEnv, sender: number, senderEpoch: number, credit: Credit): void {
  const header = emptyHeader();
  header.kind = KIND_CREDIT;
  header.sender = env.task;
  header.senderEpoch = env.epoch;
  header.receiver = sender;
  header.receiverEpoch = senderEpoch;
  const local = env.local(sender);
  if (local !== undefined) {
    if (local.epoch === senderEpoch) local.acceptCredit(header, credit);
    return;
  }
  header.frame = env.nextLetter();
  const frame = encodeCredit(credit);
  sealFrame(frame, env.plan.hash, header, env.frameKey);
  env.control.publish(env.subjects.credit(sender), frame);
}
