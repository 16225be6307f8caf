/**
 * The sending half that spout and bolt tasks share: outbox and ack box, credits from their receivers, what to do when
 * a receiver dies or returns, and the claims to what this task still holds.
 */

import type { Credit } from '../reliability/channel.js';
import type { Failure } from '../topology/definition.js';
import { rootTask } from '../tuple/root-ids.js';
import { Batch } from '../wire/batch.js';
import { decodeCredit, encodeRoots } from '../wire/control-frames.js';
import { emptyHeader, type FrameHeader, KIND_CREDIT, KIND_RENEW, openFrame, sealFrame } from '../wire/frame.js';
import { AckBox, type AckParcel } from './ack-box.js';
import type { LocalLedger } from './acker-task.js';
import type { TaskEnv } from './env.js';
import type { Drops } from './inbox.js';
import { Letters } from './letters.js';
import type { Link } from './link.js';
import { Outbox } from './outbox.js';

/** What is still unsent, unconfirmed or lost of one task's links, for the balance. */
export interface LinkCounts {
  created: number;
  consumed: number;
  failed: number;
  lost: number;
  inFlight: number;
}

/** Words of one frame of roots: 256 KiB, whatever is claimed. */
export const MAX_FRAME_WORDS = 1 << 16;
/** How often silent links are asked after. */
const PROBE_EVERY_MS = 125;

export class Sender {
  readonly outbox: Outbox;
  readonly acks: AckBox;
  readonly drops: Drops = {};
  readonly #env: TaskEnv;
  readonly #cancelProbe: () => void;
  readonly #blocked = new Set<number>();
  /** receivers without room, and since when, as far as it was looked */
  readonly #fullSince = new Map<number, number>();
  readonly #letters = new Letters();

  constructor(env: TaskEnv) {
    this.#env = env;
    const wake = (): void => env.wake();
    this.outbox = new Outbox(env, wake);
    this.acks = new AckBox(env, wake);
    this.#cancelProbe = env.clock.every(PROBE_EVERY_MS, () => this.#probe());
  }

  get hasRoom(): boolean {
    return this.outbox.hasRoom && this.acks.hasRoom;
  }

  stop(): void {
    this.#cancelProbe();
  }

  /** Everything collected goes out: first the tuples, then what the ackers are told of them. */
  flush(): void {
    this.outbox.flush();
    this.acks.flush();
  }

  end(): void {
    this.flush();
    for (const link of this.outbox.links.values()) link.end();
  }

  /** All tuples that were sent, and END, are confirmed. */
  get delivered(): boolean {
    for (const link of this.outbox.links.values()) if (!link.idle) return false;
    return true;
  }

  /** All that was sent is confirmed. */
  get settled(): boolean {
    for (const link of this.#links()) if (!link.idle) return false;
    return true;
  }

  acceptFrame(bytes: Buffer): void {
    const header = emptyHeader();
    const refused = openFrame(bytes, this.#env.plan.hash, header, this.#env.frameKey);
    if (refused !== undefined) return this.#drop(refused);
    if (header.kind !== KIND_CREDIT) return this.#drop('malformed');
    let credit: Credit;
    try {
      credit = decodeCredit(bytes);
    } catch {
      return this.#drop('malformed');
    }
    const repeated = this.#letters.refusal(header.sender, header.senderEpoch, header.frame);
    if (repeated !== undefined) return this.#drop(repeated);
    this.acceptCredit(header, credit);
  }

  acceptCredit(header: FrameHeader, credit: Credit): void {
    if (header.receiver !== this.#env.task || header.receiverEpoch !== this.#env.epoch) return this.#drop('stale');
    const link = this.outbox.links.get(header.sender);
    if (link !== undefined) {
      link.credit(header.senderEpoch, credit, (batch) => this.#failRoots(batch, 'link-lost', header.sender));
      return;
    }
    // what an acker lost cannot be told again: the ledgers find those roots by a sweep
    this.acks.links.get(header.sender)?.credit(header.senderEpoch, credit, () => {});
  }

  peerReady(task: number, epoch: number): void {
    this.#blocked.delete(task);
    this.outbox.links.get(task)?.open(epoch);
    this.acks.links.get(task)?.open(epoch);
  }

  peerGone(task: number): void {
    this.#blocked.delete(task);
    this.outbox.links.get(task)?.close('worker-lost', (batch) => this.#failRoots(batch, 'worker-lost', task));
    this.acks.links.get(task)?.close('acker-lost', () => {});
    this.acks.flush();
  }

  /** The task's event loop does not turn: what it has of ours is late, not lost, and we claim it in its stead. */
  peerBlocked(task: number, blocked: boolean): void {
    if (blocked) this.#blocked.add(task);
    else this.#blocked.delete(task);
  }

  linkUp(): void {
    for (const link of this.#links()) link.linkUp();
  }

  /** Adds the roots of everything that has not left this task, or waits at a task that is blocked. */
  claim(claims: Claims): void {
    this.outbox.forEachWaiting((batch) => claims.addBatch(batch));
    for (const link of this.outbox.links.values()) {
      if (this.#blocked.has(link.receiver)) link.forEachHeld((batch) => claims.addBatch(batch));
      else link.forEachQueued((batch) => claims.addBatch(batch));
    }
  }

  /** Live links only: what closed was reported when it closed. `acks`: the links to the ackers. */
  counts(): LinkCounts {
    const sum: LinkCounts = { created: 0, consumed: 0, failed: 0, lost: 0, inFlight: 0 };
    for (const { channel } of this.outbox.links.values()) {
      if (channel === undefined) continue;
      sum.created += channel.sent;
      sum.consumed += channel.consumed;
      sum.failed += channel.failed;
      sum.lost += channel.lost;
      sum.inFlight += channel.inFlight;
    }
    return sum;
  }

  #failRoots(batch: Batch, reason: 'worker-lost' | 'link-lost', task: number): void {
    if (this.#env.ackers.length === 0 || !(batch instanceof Batch)) return;
    const failure: Failure = { reason, attempts: 0, component: batch.edge.target, task };
    batch.forEachRoot((hi, lo) => this.acks.fail(hi, lo, failure));
    this.#env.wake();
  }

  #probe(): void {
    const now = this.#env.clock.now();
    for (const link of this.#links()) {
      link.probe(now);
      if (link.room > 0) this.#fullSince.delete(link.receiver);
      else if (!this.#fullSince.has(link.receiver)) this.#fullSince.set(link.receiver, now);
    }
  }

  /** Who has no room for what is sent, and for how long. */
  blockedOn(now: number): { readonly task: number; readonly ms: number }[] {
    return [...this.#fullSince].map(([task, since]) => ({ task, ms: now - since }));
  }

  *#links(): Generator<Link<Batch> | Link<AckParcel>> {
    yield* this.outbox.links.values();
    yield* this.acks.links.values();
  }

  #drop(cause: string): void {
    this.drops[cause] = (this.drops[cause] ?? 0) + 1;
  }
}

/** Roots that a task holds, by the task whose ledger they are in. */
export class Claims {
  readonly #roots = new Map<number, number[]>();

  add(hi: number, lo: number): void {
    if (hi === 0) return;
    const task = rootTask(hi);
    const roots = this.#roots.get(task) ?? [];
    this.#roots.set(task, roots);
    const last = roots.length - 2;
    if (last >= 0 && roots[last] === hi && roots[last + 1] === lo) return;
    roots.push(hi, lo);
  }

  /** Those of the rows from `fromRow` on. */
  addBatch(batch: Batch, fromRow = 0): void {
    // a frame that only asked or ended has no tuples
    if (!(batch instanceof Batch)) return;
    batch.forEachRoot((hi, lo) => this.add(hi, lo), fromRow);
  }

  /** Tells the ledgers. */
  send(env: TaskEnv): void {
    for (const [task, roots] of this.#roots) {
      const epoch = env.peerEpoch(task);
      if (epoch === 0) continue;
      const local = env.local(task) as LocalLedger | undefined;
      if (local !== undefined) {
        local.acceptClaims(Uint32Array.from(roots));
        continue;
      }
      for (let at = 0; at < roots.length; at += MAX_FRAME_WORDS) {
        this.#publish(env, task, epoch, Uint32Array.from(roots.slice(at, at + MAX_FRAME_WORDS)));
      }
    }
  }

  #publish(env: TaskEnv, task: number, epoch: number, words: Uint32Array): void {
    const header = emptyHeader();
    header.kind = KIND_RENEW;
    header.sender = env.task;
    header.senderEpoch = env.epoch;
    header.receiver = task;
    header.receiverEpoch = epoch;
    header.count = words.length / 2;
    header.frame = env.nextLetter();
    const frame = encodeRoots(words);
    sealFrame(frame, env.plan.hash, header, env.frameKey);
    env.control.publish(env.subjects.ledger(task, epoch), frame);
  }
}
