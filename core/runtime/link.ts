/**
 * This task's side of what it sends to one other task: numbers and credits by the channel, queues while the other is
 * away or the network is down, asks after silence. Data to bolts and records to ackers go by the same rules.
 */

import type { Credit } from '../reliability/channel.js';
import { SendChannel } from '../reliability/channel.js';
import type { Transport } from '../transport/transport.js';
import type { Batch } from '../wire/batch.js';
import type { AckRecords } from '../wire/control-frames.js';
import { FLAG_END, FLAG_PROBE, FRAME_HEADER_BYTES, type FrameHeader, sealFrame } from '../wire/frame.js';
import { frameMemory } from '../wire/frame-memory.js';
import type { TaskEnv } from './env.js';

/** What is sent: a batch of tuples, or ack records. */
export interface Parcel {
  readonly count: number;
  readonly bytes: number;
  readonly xorHi: number;
  readonly xorLo: number;
}

/** How parcels of one kind travel. */
export interface Freight<P extends Parcel> {
  readonly kind: number;
  /** its records are tuples, and belong to the balance */
  readonly tuples: boolean;
  readonly transport: Transport;
  subject(receiver: number, epoch: number): string;
  edge(parcel: P): number;
  /** the parcel has left as bytes, and its receiver has confirmed it: nobody asks for it any more */
  settled?(parcel: P): void;
  /** the frame with room for its header */
  encode(parcel: P): Buffer;
}

/** Until the receiver has said what it can take: little, for it may be slow, and its answer to the first comes soon. */
const FIRST_WINDOW_TUPLES = 64;
/** Ackers are never slow, and answer rarely. */
const FIRST_WINDOW_RECORDS = 1024;
const FIRST_WINDOW_BYTES = 1 << 20;
/** An idle sender with unconfirmed frames asks after them this often. */
const PROBE_AFTER_MS = 250;

export class Link<P extends Parcel & (Batch | AckRecords)> {
  readonly receiver: number;
  readonly #env: TaskEnv;
  readonly #freight: Freight<P>;
  readonly #changed: () => void;
  #channel: SendChannel<P> | undefined;
  #subject = '';
  /** undefined where the receiver, in this process, may still look at what it was given */
  readonly #settled: ((parcel: P) => void) | undefined;
  /** sealed parcels that nobody can take at present */
  #queue: P[] = [];
  #queuedBytes = 0;
  /** its sender does not wait for credit: what there is none for waits here */
  readonly #runsAhead: boolean;
  #lastSentAt = 0;
  #ending = false;

  /** `changed` is called whenever there may be more, or less, room than before. */
  constructor(env: TaskEnv, receiver: number, freight: Freight<P>, changed: () => void, runsAhead = false) {
    this.#env = env;
    this.receiver = receiver;
    this.#freight = freight;
    this.#changed = changed;
    this.#runsAhead = runsAhead;
    const { settled } = freight;
    this.#settled = settled === undefined || env.isLocal(receiver) ? undefined : (parcel) => settled(parcel);
  }

  get channel(): SendChannel<P> | undefined {
    return this.#channel;
  }

  /** Records that may be sent now; ≤ 0: none. */
  get room(): number {
    if (this.#channel === undefined || this.#queue.length > 0) return 0;
    if (!this.#freight.transport.connected) return 0;
    return this.#channel.room;
  }

  /** Records on the way, unconfirmed. */
  get inFlight(): number {
    return this.#channel?.inFlight ?? 0;
  }

  /** See SendChannel; 0: not known yet. */
  get speed(): number {
    return this.#channel?.speed ?? 0;
  }

  /** What is sent now becomes bytes at once: nothing of the parcel is looked at afterwards. */
  get direct(): boolean {
    if (this.#channel === undefined || this.#queue.length > 0) return false;
    return this.#freight.transport.connected && this.#env.local(this.receiver) === undefined;
  }

  /** What waits here. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Everything is confirmed and nothing waits. */
  get idle(): boolean {
    if (this.#queue.length > 0) return false;
    if (this.#channel === undefined) return !this.#ending;
    return this.#channel.unconfirmedFrames === 0 && this.#channel.ended === this.#ending;
  }

  /** The receiver's incarnation `epoch` is ready. */
  open(epoch: number): void {
    if (this.#channel?.receiverEpoch === epoch) return;
    const window = this.#freight.tuples ? FIRST_WINDOW_TUPLES : FIRST_WINDOW_RECORDS;
    this.#channel = new SendChannel(this.receiver, epoch, window, FIRST_WINDOW_BYTES);
    this.#subject = this.#freight.subject(this.receiver, epoch);
    this.#drain();
    this.#changed();
  }

  /** The receiver is gone: `lost` gets what it had not confirmed. What was not sent yet waits for its successor. */
  close(cause: string, lost: (parcel: P) => void): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#channel = undefined;
    channel.forEachUnconfirmed(lost);
    this.#changed();
    if (!this.#freight.tuples) return;
    this.#env.report.channelClosed({
      sender: this.#env.task,
      senderEpoch: this.#env.epoch,
      receiver: this.receiver,
      receiverEpoch: channel.receiverEpoch,
      created: channel.sent,
      consumed: channel.consumed,
      failed: channel.failed,
      writtenOff: channel.inFlight + channel.lost,
      cause,
      mismatches: 0,
    });
  }

  send(parcel: P): void {
    const channel = this.#channel;
    const queues = channel === undefined || this.#queue.length > 0 || (this.#runsAhead && channel.room <= 0);
    if (queues || !this.#freight.transport.connected) {
      this.#queue.push(parcel);
      this.#queuedBytes += parcel.bytes;
    } else {
      this.#transmit(channel, parcel);
    }
    this.#changed();
  }

  /** Nothing more will come; said again to each successor of the receiver. */
  end(): void {
    this.#ending = true;
    if (this.#channel !== undefined && this.#queue.length === 0) this.#sendEnd();
  }

  credit(epoch: number, credit: Credit, lost: (parcel: P) => void): void {
    if (this.#channel === undefined || this.#channel.receiverEpoch !== epoch) return;
    this.#channel.credit(credit, lost, this.#settled);
    if (this.#queue.length > 0) this.#drain();
    this.#changed();
  }

  /** The network is back. */
  linkUp(): void {
    this.#drain();
    this.#changed();
  }

  /** Asks, when frames have been unconfirmed in silence, whether they arrived. */
  probe(now: number): void {
    const channel = this.#channel;
    if (channel === undefined || channel.unconfirmedFrames === 0) return;
    if (now - this.#lastSentAt < PROBE_AFTER_MS || !this.#freight.transport.connected) return;
    this.#signal(channel, FLAG_PROBE);
  }

  /** Calls `visit` for everything that is on its way to a living receiver or waits for one. */
  forEachHeld(visit: (parcel: P) => void): void {
    for (const parcel of this.#queue) visit(parcel);
    this.#channel?.forEachUnconfirmed(visit);
  }

  /** Calls `visit` for everything that waits here. */
  forEachQueued(visit: (parcel: P) => void): void {
    for (const parcel of this.#queue) visit(parcel);
  }

  #drain(): void {
    const channel = this.#channel;
    if (channel === undefined || !this.#freight.transport.connected) return;
    let sent = 0;
    while (sent < this.#queue.length && !(this.#runsAhead && channel.room <= 0)) {
      const parcel = this.#queue[sent++];
      this.#queuedBytes -= parcel.bytes;
      this.#transmit(channel, parcel);
    }
    if (sent > 0) this.#queue = this.#queue.slice(sent);
    if (this.#ending && this.#queue.length === 0) this.#sendEnd();
  }

  #sendEnd(): void {
    const channel = this.#channel;
    if (channel === undefined || channel.ended || !this.#freight.transport.connected) return;
    channel.ended = true;
    this.#signal(channel, FLAG_END);
  }

  #transmit(channel: SendChannel<P>, parcel: P): void {
    // of what is lost on the way to an acker nothing can be told but that it is lost
    const kept = this.#freight.tuples ? parcel : (NOTHING as unknown as P);
    channel.send(parcel.count, parcel.bytes, parcel.xorHi, parcel.xorLo, kept);
    this.#publish(channel, 0, parcel);
  }

  /** A frame without records. */
  #signal(channel: SendChannel<P>, flags: number): void {
    channel.send(0, 0, 0, 0, NOTHING as unknown as P);
    // an END that got lost is said again by the next question
    this.#publish(channel, channel.ended ? flags | FLAG_END : flags, undefined);
  }

  #publish(channel: SendChannel<P>, flags: number, parcel: P | undefined): void {
    this.#lastSentAt = this.#env.clock.now();
    const header: FrameHeader = {
      kind: this.#freight.kind,
      sender: this.#env.task,
      receiver: this.receiver,
      senderEpoch: this.#env.epoch,
      receiverEpoch: channel.receiverEpoch,
      frame: channel.frame,
      xorHi: channel.xorHi,
      xorLo: channel.xorLo,
      total: channel.sent,
      edge: parcel === undefined ? 0 : this.#freight.edge(parcel),
      flags,
      count: parcel?.count ?? 0,
    };
    const local = this.#env.local(this.receiver);
    if (local !== undefined) {
      if (local.epoch === channel.receiverEpoch) local.acceptParcel(header, parcel ?? (NOTHING as unknown as P));
      return;
    }
    const frame = parcel === undefined ? frameMemory(FRAME_HEADER_BYTES) : this.#freight.encode(parcel);
    sealFrame(frame, this.#env.plan.hash, header, this.#env.frameKey);
    // false: the link went down this instant. The frame is numbered, so its loss will be seen.
    this.#freight.transport.publish(this.#subject, frame);
  }
}

/** Stands for the contents of a frame that has none. */
const NOTHING: Parcel = Object.freeze({ count: 0, bytes: 0, xorHi: 0, xorLo: 0 });
