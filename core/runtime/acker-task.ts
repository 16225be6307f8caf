/**
 * A task of `__acker`: applies what arrives at once, never waits for anybody, and tells the ledgers in the same turn.
 */
import { Acker } from '../reliability/acker.js';
import type { Credit } from '../reliability/channel.js';
import { ReceiveChannel } from '../reliability/channel.js';
import { rootEpoch, rootTask, sameEpoch } from '../tuple/root-ids.js';
import type { Batch } from '../wire/batch.js';
import {
  type AckRecords,
  decodeAcks,
  encodeDone,
  type FailRecord,
  ROOT_WORDS,
  XOR_WORDS,
} from '../wire/control-frames.js';
import { emptyHeader, FLAG_PROBE, type FrameHeader, KIND_ACK, KIND_DONE, openFrame, sealFrame } from '../wire/frame.js';
import { MAX_FRAME_FAILS } from './ack-box.js';
import type { LocalPeer, TaskEnv } from './env.js';
import { type Drops, tellCredit } from './inbox.js';
import { MAX_FRAME_WORDS } from './sender.js';

/** Unconfirmed records a sender may have. The acker never lets them wait, so this bounds what is on the way. */
const WINDOW_RECORDS = 1 << 16;
const WINDOW_BYTES = 4 << 20;
/** A sender is told when this much has been applied since, or when it asks. */
const TELL_AFTER_RECORDS = WINDOW_RECORDS / 8;
const FIRST_DONE = 1024;

/** What is to be told to one ledger. */
interface Outgoing {
  done: Uint32Array;
  words: number;
  fails: FailRecord[];
  frame: number;
}

/** A ledger in the same process. */
export interface LocalLedger extends LocalPeer {
  acceptDone(sender: number, epoch: number, frame: number, done: Uint32Array, fails: readonly FailRecord[]): void;
  acceptClaims(roots: Uint32Array): void;
}

export class AckerTask implements LocalPeer {
  readonly drops: Drops = {};
  readonly #env: TaskEnv;
  readonly #acker: Acker;
  readonly #channels = new Map<number, ReceiveChannel>();
  readonly #told = new Map<ReceiveChannel, number>();
  readonly #outgoing = new Map<number, Outgoing>();
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
  /** called when ack records were lost on the way, so that ledgers look after their roots */
  readonly #acksLost: () => void;

  constructor(env: TaskEnv, acksLost: () => void) {
    this.#env = env;
    this.#acksLost = acksLost;
    this.#acker = new Acker(env.ackers.length, { done: (hi, lo) => this.#done(hi, lo) });
  }

  get epoch(): number {
    return this.#env.epoch;
  }
  get counts(): Acker['counts'] {
    return this.#acker.counts;
  }
  get open(): number {
    return this.#acker.open;
  }

  acceptFrame(bytes: Buffer): void {
    const header = this.#header;
    const refused = openFrame(bytes, this.#env.plan.hash, header, this.#env.frameKey);
    if (refused !== undefined) return this.drop(refused);
    if (header.kind !== KIND_ACK) return this.drop('malformed');
    if (header.receiver !== this.#env.task || header.receiverEpoch !== this.#env.epoch) return this.drop('stale');
    let records: AckRecords | undefined;
    if (header.count > 0) {
      try {
        records = decodeAcks(bytes);
      } catch {
        return this.drop('malformed');
      }
    }
    this.acceptParcel(header, records);
  }

  acceptParcel(header: FrameHeader, parcel: Batch | AckRecords | undefined): void {
    if (header.senderEpoch < this.#env.peerEpoch(header.sender)) return this.drop('stale');
    let channel = this.#channels.get(header.sender);
    if (channel === undefined || channel.senderEpoch < header.senderEpoch) {
      channel = new ReceiveChannel(header.sender, header.senderEpoch);
      this.#channels.set(header.sender, channel);
    } else if (channel.senderEpoch > header.senderEpoch) {
      return this.drop('stale');
    }
    const arrival = channel.arrive(header.frame, header.count, header.total, 0, 0, 0, 0);
    // XOR is not idempotent: what came once must not be applied again
    if (arrival === 'duplicate') return this.drop('duplicate');
    if (arrival === 'gap') this.#acksLost();
    if (header.count > 0) this.#apply(parcel as AckRecords);
    channel.executed(header.frame, header.count, 0);
    channel.flushed();
    const told = this.#told.get(channel);
    const news = channel.consumed - (told ?? 0);
    // the first at once: its sender has a small window until it hears how large ours is
    if (told === undefined || news >= TELL_AFTER_RECORDS || arrival === 'gap' || (header.flags & FLAG_PROBE) !== 0) {
      this.#told.set(channel, channel.consumed);
      channel.credit(WINDOW_RECORDS, WINDOW_BYTES, this.#credit);
      tellCredit(this.#env, header.sender, header.senderEpoch, this.#credit);
    }
    this.#env.wake();
  }

  acceptCredit(): void {}

  drop(cause: string): void {
    this.drops[cause] = (this.drops[cause] ?? 0) + 1;
  }

  #apply({ inits, acks, fails, forgets }: AckRecords): void {
    const acker = this.#acker;
    for (let at = 0; at < inits.length; at += XOR_WORDS)
      acker.init(inits[at], inits[at + 1], inits[at + 2], inits[at + 3]);
    for (let at = 0; at < acks.length; at += XOR_WORDS) acker.ack(acks[at], acks[at + 1], acks[at + 2], acks[at + 3]);
    for (const fail of fails) if (acker.fail(fail.hi, fail.lo)) this.#failed(fail);
    for (let at = 0; at < forgets.length; at += ROOT_WORDS) acker.forget(forgets[at], forgets[at + 1]);
  }

  /** The task's earlier incarnations are over. */
  peerReady(task: number, epoch: number): void {
    this.#acker.epochOf(task, epoch);
    const outgoing = this.#outgoing.get(task);
    if (outgoing === undefined) return;
    // its successor may have been quicker than the news of it: what is its own stays
    const done = outgoing.done.slice(0, outgoing.words);
    outgoing.words = 0;
    outgoing.frame = 0;
    outgoing.fails = outgoing.fails.filter(({ hi }) => sameEpoch(rootEpoch(hi), epoch));
    for (let at = 0; at < done.length; at += ROOT_WORDS) {
      if (sameEpoch(rootEpoch(done[at]), epoch)) this.#done(done[at], done[at + 1]);
    }
    this.#env.wake();
  }

  /** Tells the ledgers what is complete and what has failed. */
  flush(): void {
    for (const [task, outgoing] of this.#outgoing) {
      if (outgoing.words > 0 || outgoing.fails.length > 0) this.#tell(task, outgoing);
    }
  }

  #done(hi: number, lo: number): void {
    const outgoing = this.#outgoingTo(rootTask(hi));
    if (outgoing.words === MAX_FRAME_WORDS) this.#tell(rootTask(hi), outgoing);
    if (outgoing.words === outgoing.done.length) {
      const grown = new Uint32Array(outgoing.done.length * 2);
      grown.set(outgoing.done);
      outgoing.done = grown;
    }
    outgoing.done[outgoing.words] = hi;
    outgoing.done[outgoing.words + 1] = lo;
    outgoing.words += ROOT_WORDS;
  }

  #failed(fail: FailRecord): void {
    const task = rootTask(fail.hi);
    const outgoing = this.#outgoingTo(task);
    outgoing.fails.push(fail);
    // each may carry a stack of some KiB
    if (outgoing.fails.length === MAX_FRAME_FAILS) this.#tell(task, outgoing);
  }

  #outgoingTo(task: number): Outgoing {
    let outgoing = this.#outgoing.get(task);
    if (outgoing === undefined) {
      outgoing = { done: new Uint32Array(FIRST_DONE), words: 0, fails: [], frame: 0 };
      this.#outgoing.set(task, outgoing);
    }
    return outgoing;
  }

  #tell(task: number, outgoing: Outgoing): void {
    const epoch = this.#env.peerEpoch(task);
    // not heard of yet, or dead: `peerReady` sorts that out. What is too much is replayed.
    if (epoch === 0 && outgoing.words < MAX_FRAME_WORDS && outgoing.fails.length < MAX_FRAME_FAILS) return;
    const done = outgoing.done.slice(0, outgoing.words);
    const { fails } = outgoing;
    outgoing.words = 0;
    outgoing.fails = [];
    if (epoch === 0) return;
    outgoing.frame += 1;
    const local = this.#env.local(task) as LocalLedger | undefined;
    if (local !== undefined) {
      local.acceptDone(this.#env.task, this.#env.epoch, outgoing.frame, done, fails);
      return;
    }
    const header = emptyHeader();
    header.kind = KIND_DONE;
    header.sender = this.#env.task;
    header.senderEpoch = this.#env.epoch;
    header.receiver = task;
    header.receiverEpoch = epoch;
    header.frame = outgoing.frame;
    header.count = done.length / ROOT_WORDS + fails.length;
    const frame = encodeDone({ done, fails });
    sealFrame(frame, this.#env.plan.hash, header, this.#env.frameKey);
    // false: the link is down; the ledgers sweep when it is back
    this.#env.control.publish(this.#env.subjects.ledger(task, epoch), frame);
  }
}
