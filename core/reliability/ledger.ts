/**
 * The ledger of a task that starts tuple trees: what it emitted and nobody has completed yet. An entry is one tracked
 * tuple; an attempt is one root made for it. Pure: the owner passes the time in, sends what `LedgerEvents` asks for,
 * and takes due entries out by `nextDue`.
 *
 * | event for an attempt | it is the newest                      | it is older, still live | closed         |
 * |----------------------|---------------------------------------|-------------------------|----------------|
 * | DONE                 | complete: ack, forget the others      | the same                | counted `late` |
 * | FAILED               | backoff, new attempt, or dead letter  | closed; nothing else    | counted        |
 * | time-out, lost       | new attempt; this one lives T more    | closed                  | –              |
 *
 * `failed` and `timeout` use attempts up; lost processes and links do not.
 */
import { SquallError } from '../errors.js';
import type { Failure, MessageId, ReplayReason, RetryPolicyOptions } from '../topology/definition.js';
import { ackerOf, MAX_GENERATION, MAX_SLOTS, MIN_SLOTS, rootHi, rootLo, rootSlot } from '../tuple/root-ids.js';
import { DueQueue } from './due-queue.js';
import { type Entry, newEntry } from './ledger-entry.js';
import { backoffMs } from './retry-policy.js';
import { TimingWheel } from './timing-wheel.js';

export interface LedgerEvents<Kept> {
  complete(entry: Entry<Kept>, latencyMs: number): void;
  /** out of attempts, or quarantined; call `buried` when the store has it */
  dead(entry: Entry<Kept>, failure: Failure): void;
  /** this attempt is given up: its acker may free it */
  forget(hi: number, lo: number): void;
  /** an attempt has ended badly and the tuple will be sent again */
  replay(entry: Entry<Kept>, reason: ReplayReason): void;
  /** with `returns`: an attempt has ended badly, and the tuple is the source's again */
  returned?(entry: Entry<Kept>, failure: Failure): void;
}

export interface LedgerOptions {
  readonly task: number;
  readonly epoch: number;
  readonly ackers: number;
  readonly timeoutMs: number;
  readonly retry: RetryPolicyOptions;
  /** what is lost is handed back and forgotten here */
  readonly returns?: boolean;
  /** uniform in [0, 1) */
  readonly random: () => number;
  readonly now: number;
}

/** More attempts of one tuple alive at once would only multiply the load that delays them. */
const MAX_LIVE_ATTEMPTS = 3;

const FREE = 0;
const LIVE = 1;

export class Ledger<Kept> {
  /** root of the attempt that `open` or `again` made */
  hi = 0;
  lo = 0;
  readonly counts = { late: 0, closed: 0, superseded: 0 };

  readonly #options: LedgerOptions;
  readonly #events: LedgerEvents<Kept>;
  readonly #wheel: TimingWheel;
  readonly #due = new DueQueue<Entry<Kept>>();
  readonly #held: Entry<Kept>[] = [];
  readonly #spare: Entry<Kept>[] = [];

  #capacity = 0;
  #state = new Uint8Array(0);
  #generation = new Uint32Array(0);
  /** when the attempt was started, or last said to be held by a task */
  #touched = new Float64Array(0);
  #started = new Float64Array(0);
  readonly #entries: (Entry<Kept> | undefined)[] = [];
  /** ring of free slots, oldest first */
  #freeRing = new Int32Array(0);
  #freeHead = 0;
  #freeCount = 0;

  /** time that counts for no attempt; the wheel's clock is late by it */
  #standstillMs = 0;
  #nextSequence = 0;
  #pending = 0;
  #waiting = 0;
  #bytes = 0;

  constructor(options: LedgerOptions, events: LedgerEvents<Kept>, slots = MIN_SLOTS) {
    this.#options = options;
    this.#events = events;
    this.#wheel = new TimingWheel(options.timeoutMs, options.now);
    this.#grow(slots);
  }

  /** tuples whose newest attempt is on its way, or is to be sent again as soon as everybody is back */
  get pending(): number {
    return this.#pending;
  }
  /** tuples in backoff or on their way to the dead-letter store; they do not count as pending */
  get waiting(): number {
    return this.#waiting;
  }
  /** bytes of the values that are kept for replay */
  get bytes(): number {
    return this.#bytes;
  }
  get empty(): boolean {
    return this.#pending === 0 && this.#waiting === 0;
  }
  get held(): number {
    return this.#held.length;
  }

  /** A new tracked tuple; its first root is in `hi`, `lo`. */
  open(id: MessageId, kept: Kept | undefined, row: number, bytes: number, now: number): Entry<Kept> {
    if (!this.hasSlot) throw tooManyPending();
    const entry = this.#spare.pop() ?? newEntry<Kept>();
    entry.id = id;
    entry.kept = kept;
    entry.row = row;
    entry.sequence = this.#nextSequence++;
    entry.firstAt = now;
    entry.bytes = bytes;
    entry.state = 'pending';
    this.#pending += 1;
    this.#bytes += bytes;
    this.#start(entry, now);
    return entry;
  }

  /** Where the values of the entry's newest copy are. */
  keep(entry: Entry<Kept>, kept: Kept | undefined, row: number, bytes: number): void {
    this.#bytes += bytes - entry.bytes;
    entry.kept = kept;
    entry.row = row;
    entry.bytes = bytes;
  }

  /** The last `open` did not happen: its tuple was refused. */
  cancel(entry: Entry<Kept>): void {
    this.#release(entry.newest);
    this.#leave(entry);
    this.#nextSequence -= 1;
  }

  /** A tuple that can never be emitted: it goes to the dead letters at once. */
  reject(id: MessageId, failure: Failure, now: number): Entry<Kept> {
    const entry = this.open(id, undefined, 0, 0, now);
    this.#record(entry, failure, now, now);
    this.#bury(entry, failure);
    return entry;
  }

  /** The next attempt of an entry that `nextDue` gave out; its root is in `hi`, `lo`. */
  again(entry: Entry<Kept>, now: number): void {
    entry.attempt += 1;
    entry.state = 'pending';
    this.#waiting -= 1;
    this.#pending += 1;
    this.#start(entry, now);
  }

  /** An entry whose next attempt is due, or undefined. The caller sends it: `again`. */
  nextDue(now: number): Entry<Kept> | undefined {
    for (;;) {
      const entry = this.#due.pop(now);
      if (entry === undefined || entry.state === 'waiting') return entry;
    }
  }

  /** When the next entry will be due, or Infinity. */
  get dueAt(): number {
    return this.#due.firstAt;
  }

  /** The acker says: complete. */
  done(hi: number, lo: number, now: number): void {
    const entry = this.#live(hi, lo);
    if (entry === undefined) {
      this.counts.late += 1;
      return;
    }
    const slot = rootSlot(lo);
    if (entry.older === undefined) this.#release(slot);
    else {
      for (const other of this.#attempts(entry)) {
        if (other !== slot) this.#forget(other);
        this.#release(other);
      }
    }
    this.#leave(entry);
    this.#events.complete(entry, now - entry.firstAt);
    // one that was never sent again is known to nobody else any more: it serves the next tuple
    if (entry.attempt === 1 && entry.history === undefined && this.#spare.length < MAX_SPARE) this.#spare.push(entry);
  }

  /** A bolt failed the tree, or a sender lost its frame: the acker has freed the root. */
  failed(hi: number, lo: number, failure: Failure, now: number): void {
    const entry = this.#live(hi, lo);
    if (entry === undefined) {
      this.counts.closed += 1;
      return;
    }
    const slot = rootSlot(lo);
    const newest = entry.newest === slot;
    const startedAt = this.#started[slot];
    this.#dropAttempt(entry, slot);
    if (failure.reason === 'kills-worker') {
      this.#record(entry, failure, startedAt, now);
      this.#bury(entry, failure);
    } else if (newest) this.#lose(entry, failure, startedAt, now);
  }

  /** A task says that it holds this root: its time starts again. */
  renew(hi: number, lo: number, now: number): void {
    if (this.#live(hi, lo) === undefined) return;
    const slot = rootSlot(lo);
    this.#touched[slot] = now;
    this.#wheel.renew(slot, now - this.#standstillMs);
  }

  /** For `ms` until now nobody could be heard: no attempt is any nearer to its time-out for that. */
  standstill(ms: number): void {
    this.#standstillMs += ms;
  }

  /** Turns the clock to `now`: attempts that nobody has held for T time out. */
  advance(now: number): void {
    this.#wheel.advance(now - this.#standstillMs, (slot) => this.#expire(slot, now));
  }

  /**
   * Every attempt that was under way at the loss and that nobody has claimed after `before` is lost. `acker`: only the
   * roots of that acker, whose state died with it, so that these attempts can never complete. Returns how many were
   * spared because of a claim: what one task holds of such a tree may be safe while another part of it is lost, so they
   * are to be looked at again. `lossAt`: where that is done, the time of the loss.
   */
  sweep(
    before: number,
    reason: 'worker-lost' | 'link-lost' | 'acker-lost',
    failure: Partial<Failure>,
    now: number,
    acker?: number,
    lossAt = before,
  ): number {
    let spared = 0;
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#state[slot] !== LIVE || this.#started[slot] > lossAt) continue;
      if (this.#touched[slot] > before) {
        if (this.#entries[slot]?.newest === slot) spared += 1;
        continue;
      }
      if (acker !== undefined && ackerOf(rootLo(slot, 0), this.#options.ackers) !== acker) continue;
      const entry = this.#entries[slot] as Entry<Kept>;
      const newest = entry.newest === slot;
      const startedAt = this.#started[slot];
      if (acker !== undefined || !newest) {
        // a restarted acker may hold it as well: its INIT can have come after the restart
        this.#forget(slot);
        this.#dropAttempt(entry, slot);
      } else this.#demote(entry, slot, now);
      if (newest) this.#lose(entry, { ...failure, reason, attempts: entry.attempt }, startedAt, now);
    }
    return spared;
  }

  /** All processes and links are back: what was lost with them is due, in one wave. */
  releaseHeld(now: number): void {
    for (const entry of this.#held.splice(0)) {
      if (entry.state !== 'held') continue;
      entry.state = 'waiting';
      this.#pending -= 1;
      this.#waiting += 1;
      this.#due.push(entry, now);
    }
  }

  /** A tuple that has killed its process again goes to the dead letters, whatever its attempts. False: it is gone. */
  quarantine(hi: number, lo: number, failure: Failure, now: number): boolean {
    const entry = this.#entries[rootSlot(lo)];
    if (entry === undefined || entry.lastHi !== hi || entry.lastLo !== lo) return false;
    if (entry.state === 'closed' || entry.state === 'dead') return false;
    this.#record(entry, failure, entry.firstAt, now);
    this.#bury(entry, failure);
    return true;
  }

  /** The dead-letter store has it. */
  buried(entry: Entry<Kept>): void {
    if (entry.state === 'dead') this.#leave(entry);
  }

  /** Calls `visit` for each entry that is not closed and is older than `before`. */
  forEachOlder(before: number, visit: (entry: Entry<Kept>) => void): void {
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#state[slot] === LIVE && this.#started[slot] < before) visit(this.#entries[slot] as Entry<Kept>);
    }
  }

  /** Time at which the oldest live attempt was started, or undefined. */
  get oldestStartedAt(): number | undefined {
    let oldest = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#state[slot] === LIVE && this.#started[slot] < oldest) oldest = this.#started[slot];
    }
    return oldest === Number.POSITIVE_INFINITY ? undefined : oldest;
  }

  /** Room for the attempts of one more tuple. */
  get hasSlot(): boolean {
    return this.#freeCount > 0 || this.#capacity < MAX_SLOTS;
  }

  #expire(slot: number, now: number): void {
    const entry = this.#entries[slot] as Entry<Kept>;
    if (entry.newest !== slot) {
      this.#forget(slot);
      this.#dropAttempt(entry, slot);
      return;
    }
    const startedAt = this.#started[slot];
    this.#demote(entry, slot, now);
    this.#lose(entry, { reason: 'timeout', attempts: entry.attempt }, startedAt, now);
  }

  /** The newest attempt is over: by its reason the tuple is held, waits for its backoff, or is dead. */
  #lose(entry: Entry<Kept>, failure: Failure, startedAt: number, now: number): void {
    const reason = failure.reason as ReplayReason;
    this.#record(entry, failure, startedAt, now);
    entry.reason = reason;
    if (this.#options.returns === true) {
      this.#closeAttempts(entry);
      this.#events.replay(entry, reason);
      this.#leave(entry);
      this.#events.returned?.(entry, failure);
      return;
    }
    const uses = reason === 'failed' || reason === 'timeout';
    if (uses) entry.used += 1;
    if (uses && entry.used >= this.#options.retry.attempts) {
      this.#bury(entry, failure);
      return;
    }
    this.#events.replay(entry, reason);
    if (!uses) {
      entry.state = 'held';
      this.#held.push(entry);
      return;
    }
    entry.state = 'waiting';
    this.#pending -= 1;
    this.#waiting += 1;
    this.#due.push(entry, now + backoffMs(this.#options.retry, entry.used, this.#options.random()));
  }

  #record(entry: Entry<Kept>, failure: Failure, startedAt: number, now: number): void {
    entry.history ??= [];
    entry.history.push({
      attempt: entry.attempt,
      startedAt,
      endedAt: now,
      failure: { ...failure, attempts: entry.attempt },
    });
    // attempts that use nothing up are not bounded by the policy; the first and the last of them tell the story
    if (entry.history.length > MAX_HISTORY) entry.history.splice(1, 1);
  }

  #bury(entry: Entry<Kept>, failure: Failure): void {
    this.#closeAttempts(entry);
    if (entry.state !== 'waiting') {
      this.#pending -= 1;
      this.#waiting += 1;
    }
    entry.state = 'dead';
    this.#events.dead(entry, failure);
  }

  #closeAttempts(entry: Entry<Kept>): void {
    for (const slot of this.#attempts(entry)) {
      this.#forget(slot);
      this.#release(slot);
    }
    entry.newest = -1;
    entry.older = undefined;
  }

  #leave(entry: Entry<Kept>): void {
    if (entry.state === 'waiting' || entry.state === 'dead') this.#waiting -= 1;
    else this.#pending -= 1;
    this.#bytes -= entry.bytes;
    entry.state = 'closed';
    entry.kept = undefined;
    entry.newest = -1;
    entry.older = undefined;
  }

  #start(entry: Entry<Kept>, now: number): void {
    if (this.#freeCount === 0) this.#grow(Math.min(this.#capacity * 2, MAX_SLOTS));
    const slot = this.#freeRing[this.#freeHead];
    this.#freeHead = this.#freeHead + 1 === this.#capacity ? 0 : this.#freeHead + 1;
    this.#freeCount -= 1;
    const generation = (this.#generation[slot] + 1) & MAX_GENERATION;
    this.#generation[slot] = generation;
    this.#state[slot] = LIVE;
    this.#touched[slot] = now;
    this.#started[slot] = now;
    this.#entries[slot] = entry;
    this.#wheel.add(slot, now - this.#standstillMs);
    entry.newest = slot;
    this.hi = rootHi(this.#options.task, this.#options.epoch, generation);
    this.lo = rootLo(slot, generation);
    entry.lastHi = this.hi;
    entry.lastLo = this.lo;
  }

  /** The newest attempt is superseded but lives T more: its tree may yet complete. */
  #demote(entry: Entry<Kept>, slot: number, now: number): void {
    entry.newest = -1;
    entry.older ??= [];
    entry.older.unshift(slot);
    this.counts.superseded += 1;
    this.#wheel.renew(slot, now - this.#standstillMs);
    // one place is kept for the attempt to come
    while (entry.older.length > MAX_LIVE_ATTEMPTS - 1) {
      const oldest = entry.older.pop() as number;
      this.#forget(oldest);
      this.#release(oldest);
    }
  }

  #dropAttempt(entry: Entry<Kept>, slot: number): void {
    if (entry.newest === slot) entry.newest = -1;
    else if (entry.older !== undefined) entry.older = entry.older.filter((other) => other !== slot);
    this.#release(slot);
  }

  #attempts(entry: Entry<Kept>): readonly number[] {
    if (entry.older === undefined) return entry.newest < 0 ? [] : [entry.newest];
    return entry.newest < 0 ? entry.older : [entry.newest, ...entry.older];
  }

  #forget(slot: number): void {
    const generation = this.#generation[slot];
    this.#events.forget(rootHi(this.#options.task, this.#options.epoch, generation), rootLo(slot, generation));
  }

  /** The slot may be used again, after all that were freed before it. Its entry stays known by its last root. */
  #release(slot: number): void {
    this.#wheel.remove(slot);
    this.#state[slot] = FREE;
    const tail = this.#freeHead + this.#freeCount;
    this.#freeRing[tail >= this.#capacity ? tail - this.#capacity : tail] = slot;
    this.#freeCount += 1;
  }

  /** Of another generation, or of an earlier incarnation of this task (an acker may not know yet): no attempt of ours. */
  #live(hi: number, lo: number): Entry<Kept> | undefined {
    const slot = rootSlot(lo);
    if (slot >= this.#capacity || this.#state[slot] !== LIVE) return undefined;
    const generation = this.#generation[slot];
    if (hi !== rootHi(this.#options.task, this.#options.epoch, generation) || lo !== rootLo(slot, generation))
      return undefined;
    return this.#entries[slot];
  }

  #grow(capacity: number): void {
    const old = this.#capacity;
    const ring = new Int32Array(capacity);
    for (let i = 0; i < this.#freeCount; i++) ring[i] = this.#freeRing[(this.#freeHead + i) % old];
    for (let slot = old; slot < capacity; slot++) ring[this.#freeCount++] = slot;
    this.#freeRing = ring;
    this.#freeHead = 0;
    this.#state = copied(this.#state, new Uint8Array(capacity));
    this.#generation = copied(this.#generation, new Uint32Array(capacity));
    this.#touched = copied(this.#touched, new Float64Array(capacity));
    this.#started = copied(this.#started, new Float64Array(capacity));
    this.#wheel.grow(capacity);
    this.#capacity = capacity;
  }
}

function tooManyPending(): SquallError {
  return new SquallError(
    'ERR_SQUALL_TOO_MANY_PENDING',
    `more than ${MAX_SLOTS} tracked tuples of one task are under way. A spout's next should emit a few tuples and return: it is asked again while there is room.`,
    { facts: { limit: MAX_SLOTS } },
  );
}

const MAX_HISTORY = 64;
/** Entries at hand: new ones for every tuple were half of a spout's garbage collection. */
const MAX_SPARE = 1 << 14;

function copied<A extends { set(from: A): void }>(from: A, into: A): A {
  into.set(from);
  return into;
}
