/**
 * The part of a task that starts tuple trees and sees them to their end: a spout's emits, a bolt's ticks and `end`.
 * Around the pure ledger it sends, hears the ackers, replays, and buries.
 */

import { Ledger } from '../reliability/ledger.js';
import type { Entry } from '../reliability/ledger-entry.js';
import { Positions } from '../reliability/positions.js';
import type { Failure, MessageId, Position, ReplayReason } from '../topology/definition.js';
import { MIN_SLOTS, rootTask } from '../tuple/root-ids.js';
import { type Batch, metaOf } from '../wire/batch.js';
import { decodeDone, decodeRoots, type FailRecord, ROOT_WORDS } from '../wire/control-frames.js';
import { emptyHeader, KIND_DONE, KIND_RENEW, openFrame } from '../wire/frame.js';
import type { AckBox } from './ack-box.js';
import { Backlog } from './backlog.js';
import type { TaskEnv } from './env.js';
import { errorFacts } from './failure.js';
import type { Drops } from './inbox.js';
import { LatencyHistogram } from './latency.js';
import { Letters } from './letters.js';
import type { Outbox, OutStream } from './outbox.js';
import { Sweeps } from './sweeps.js';
import { TreeIds } from './tree-ids.js';
import { Waiters } from './waiters.js';

const FIRST_ATTEMPT = metaOf(1, 0);

/** In `meta`: 0 = first attempt. */
export const REASONS: readonly (ReplayReason | undefined)[] = [
  undefined,
  'failed',
  'timeout',
  'worker-lost',
  'link-lost',
  'acker-lost',
];

/** Values of all pending tuples of a task: beyond this the source waits. */
export const MAX_PENDING_BYTES = 64 << 20;
/** Tuples in backoff or on their way to the dead-letter store: beyond this the source waits. */
export const MAX_WAITING = 1 << 16;
/** After a loss, tasks claim what they hold this much later: see SWEEP_AFTER_MS. */
export const CLAIM_AFTER_MS = 250;
/** A restarted ledger's small table: most bolts never tick. */
const TICK_SLOTS = 1024;

export interface OriginCounts {
  emitted: number;
  untracked: number;
  acked: number;
  deadLettered: number;
  /** handed back to a source that replays by itself */
  returned: number;
  readonly replays: Record<ReplayReason, number>;
}

export interface OriginHooks {
  acked?(id: MessageId): void;
  failed?(id: MessageId, failure: Failure): void;
}

export class Origin {
  readonly counts: OriginCounts = {
    emitted: 0,
    untracked: 0,
    acked: 0,
    deadLettered: 0,
    returned: 0,
    replays: { failed: 0, timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 },
  };
  readonly latency = new LatencyHistogram();
  readonly drops: Drops = {};

  readonly #env: TaskEnv;
  readonly #outbox: Outbox;
  readonly #acks: AckBox;
  readonly #hooks: OriginHooks;
  readonly #ledger: Ledger<Batch>;
  readonly #positions: Positions;
  readonly #backlog = new Backlog();
  readonly #ids: TreeIds;
  readonly #header = emptyHeader();
  /** last DONE frame of each acker */
  readonly #letters = new Letters();
  readonly #doneFrames = new Map<number, { epoch: number; frame: number }>();
  readonly #sweeps = new Sweeps();
  #cancelTimer: () => void;
  #lastTickAt: number;
  #burying = 0;
  /** with ackers 0: ids whose `ack` is to be called after the emit */
  #untrackedAcks: MessageId[] = [];

  constructor(
    env: TaskEnv,
    outbox: Outbox,
    acks: AckBox,
    options: {
      readonly position?: Position;
      readonly ticks?: boolean;
      /** its source sends again what is lost, not the ledger */
      readonly returns?: boolean;
    },
    hooks: OriginHooks,
  ) {
    this.#env = env;
    this.#outbox = outbox;
    this.#acks = acks;
    this.#hooks = hooks;
    this.#positions = new Positions(options.position);
    const now = env.clock.now();
    this.#lastTickAt = now;
    this.#ledger = new Ledger<Batch>(
      {
        task: env.task,
        epoch: env.epoch,
        ackers: Math.max(1, env.ackers.length),
        timeoutMs: env.config.messageTimeoutMs,
        retry: env.config.retry,
        returns: options.returns ?? false,
        random: env.random,
        now,
      },
      {
        complete: (entry, latencyMs) => this.#complete(entry, latencyMs),
        dead: (entry, failure) => this.#bury(entry, failure),
        forget: (hi, lo) => {
          if (env.ackers.length > 0) acks.forget(hi, lo);
        },
        replay: (entry, reason) => this.#replayed(entry, reason),
        returned: (entry, failure) => this.#returned(entry, failure),
      },
      options.ticks ? TICK_SLOTS : MIN_SLOTS,
    );
    this.#ids = new TreeIds(env, options.ticks ?? false);
    const tickMs = Math.min(250, Math.max(5, env.config.messageTimeoutMs / 16));
    this.#cancelTimer = env.clock.every(tickMs, () => this.#onTimer(tickMs));
  }

  get pending(): number {
    return this.#ledger.pending;
  }
  get waiting(): number {
    return this.#ledger.waiting;
  }
  get late(): number {
    return this.#ledger.counts.late;
  }
  get bytes(): number {
    return this.#ledger.bytes;
  }
  get oldestStartedAt(): number | undefined {
    return this.#ledger.oldestStartedAt;
  }
  /** nothing emitted here is unsettled */
  get empty(): boolean {
    return this.#ledger.empty && this.#burying === 0 && this.#backlog.empty;
  }

  /** May another tree be started? */
  get hasRoom(): boolean {
    return (
      this.#ledger.bytes < MAX_PENDING_BYTES &&
      this.#ledger.waiting < MAX_WAITING &&
      this.#ledger.hasSlot &&
      !this.#positions.full
    );
  }

  stop(): void {
    this.#cancelTimer();
    this.#cancelWake();
  }

  /** Emits a tracked tuple. Throws, with nothing sent, where the values do not fit. */
  start(
    stream: OutStream,
    values: Record<string, unknown>,
    id: MessageId,
    position: Position | undefined,
    now: number,
    to?: number,
  ): void {
    if (this.#env.ackers.length === 0) {
      this.#outbox.emit(stream, values, this.#ids.lineage(id, 0, 0, FIRST_ATTEMPT), to);
      this.counts.emitted += 1;
      this.counts.untracked += 1;
      this.#positions.completed(this.#positions.emitted(position));
      this.#untrackedAcks.push(id);
      this.#env.wake();
      return;
    }
    const outbox = this.#outbox;
    const ledger = this.#ledger;
    // the root must be in the tuple, and the values in the ledger: so the root first, and its values after the emit
    const entry = ledger.open(id, undefined, 0, 0, now);
    outbox.xorHi = 0;
    outbox.xorLo = 0;
    try {
      outbox.emit(stream, values, this.#ids.lineage(id, ledger.hi, ledger.lo, FIRST_ATTEMPT), to);
    } catch (error) {
      ledger.cancel(entry);
      throw error;
    }
    this.counts.emitted += 1;
    this.#positions.emitted(position);
    ledger.keep(entry, outbox.keptBatch, outbox.keptRow, outbox.keptBytes);
    if (outbox.keptBatch === undefined) {
      // nobody takes this stream: the tree is complete as it is
      ledger.done(ledger.hi, ledger.lo, now);
      return;
    }
    this.#acks.init(ledger.hi, ledger.lo, outbox.xorHi, outbox.xorLo);
  }

  /** Emits a tracked tuple now or as soon as there is room: `tick` and `end` cannot be asked to wait. */
  offer(stream: OutStream, values: Record<string, unknown>, now: number, to?: number): void {
    const id = this.#offered++;
    if (this.#backlog.empty && this.#mayStart) {
      this.start(stream, values, id, undefined, now, to);
      return;
    }
    // what can be refused is refused now, while there is somebody to be told
    if (stream.direct && to === undefined) throw this.#outbox.misdirected(stream);
    if (this.#env.debug) stream.layout.validate(values, `${this.#env.component}[${this.#env.task}]`);
    this.#backlog.push(stream, values, id, to ?? 0, `${this.#env.component}[${this.#env.task}]`);
  }
  #offered = 0;

  /** Resolves when what is offered leaves at once. */
  ready(): Promise<void> {
    if (this.#backlog.empty && this.#mayStart) return Promise.resolve();
    this.#env.wake();
    return this.#waiters.wait();
  }
  readonly #waiters = new Waiters();

  get #mayStart(): boolean {
    const { maxSpoutPending } = this.#env.config;
    return this.#ledger.pending < maxSpoutPending && this.hasRoom && this.#outbox.hasRoom && this.#acks.hasRoom;
  }

  /** Emits a tuple that nobody tracks. */
  startUntracked(stream: OutStream, values: Record<string, unknown>, number: number, to?: number): void {
    this.#outbox.emit(stream, values, this.#ids.lineage(number, 0, 0, FIRST_ATTEMPT), to);
    this.counts.emitted += 1;
    this.counts.untracked += 1;
  }

  /** A message that can never be emitted goes to the dead letters. */
  reject(
    id: MessageId,
    failure: Failure,
    values: unknown,
    stream: string,
    position: Position | undefined,
    now: number,
  ): void {
    this.counts.emitted += 1;
    this.#rejectedValues = values;
    this.#rejectedStream = stream;
    // its own number: with ackers 0 no other tuple has an entry
    this.#ledger.reject(id, failure, now).sequence = this.#positions.emitted(position);
    this.#rejectedValues = undefined;
  }
  #rejectedValues: unknown;
  #rejectedStream = 'default';

  /** Sends what is due again, while there is room; calls the acks of untracked tuples. */
  work(now: number): void {
    if (this.#untrackedAcks.length > 0) {
      for (const id of this.#untrackedAcks.splice(0)) {
        this.counts.acked += 1;
        this.#hooks.acked?.(id);
      }
    }
    while (this.#ledger.dueAt <= now && this.#outbox.hasRoom && this.#acks.hasRoom && this.#ledger.hasSlot) {
      const entry = this.#ledger.nextDue(now);
      if (entry === undefined) break;
      this.#again(entry, now);
    }
    this.#wakeWhenDue(now);
    while (!this.#backlog.empty && this.#mayStart) {
      const { stream, values, id, to } = this.#backlog.shift();
      try {
        this.start(stream, values, id, undefined, now, to);
      } catch (error) {
        // its `tick` or `end` has returned: nobody is there to be told but the dead letters
        const failure = { attempts: 1, component: this.#env.component, task: this.#env.task, error: errorFacts(error) };
        const reason = (error as { code?: unknown }).code === 'ERR_SQUALL_OVERSIZE' ? 'oversize' : 'failed';
        this.reject(id, { ...failure, reason }, values, stream.declaration.name, undefined, now);
      }
    }
    if (!this.#waiters.empty && this.#backlog.empty && this.#mayStart) this.#waiters.release();
  }

  /** What waits out its backoff gets its turn at its time: the timer alone would make a short one long. */
  #wakeWhenDue(now: number): void {
    const { dueAt } = this.#ledger;
    if (dueAt <= now || dueAt >= this.#wakeAt) return;
    this.#cancelWake();
    this.#wakeAt = dueAt;
    this.#cancelWake = this.#env.clock.after(dueAt - now, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#env.wake();
    });
  }
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelWake = (): void => {};

  /** Bytes from the control connection for this ledger. Never throws. */
  acceptFrame(bytes: Buffer): void {
    const header = this.#header;
    const refused = openFrame(bytes, this.#env.plan.hash, header, this.#env.frameKey);
    if (refused !== undefined) return this.drop(refused);
    if (header.receiver !== this.#env.task || header.receiverEpoch !== this.#env.epoch) return this.drop('stale');
    try {
      if (header.kind === KIND_RENEW) {
        const repeated = this.#letters.refusal(header.sender, header.senderEpoch, header.frame);
        if (repeated !== undefined) this.drop(repeated);
        else this.acceptClaims(decodeRoots(bytes));
      } else if (header.kind === KIND_DONE) {
        const { done, fails } = decodeDone(bytes);
        this.acceptDone(header.sender, header.senderEpoch, header.frame, done, fails);
      } else this.drop('malformed');
    } catch {
      this.drop('malformed');
    }
  }

  /** An acker says what is complete and what has failed. */
  acceptDone(acker: number, epoch: number, frame: number, done: Uint32Array, fails: readonly FailRecord[]): void {
    const now = this.#env.clock.now();
    const last = this.#doneFrames.get(acker);
    if (last === undefined || last.epoch !== epoch) {
      if (last !== undefined && epoch < last.epoch) return this.drop('stale');
      this.#doneFrames.set(acker, { epoch, frame });
    } else {
      if (frame <= last.frame) return this.drop('duplicate');
      // completions were lost on the way: nobody holds those roots, so a sweep finds them
      if (frame !== last.frame + 1) this.linkLost({});
      last.frame = frame;
    }
    const ledger = this.#ledger;
    for (let at = 0; at < done.length; at += ROOT_WORDS) ledger.done(done[at], done[at + 1], now);
    for (const { hi, lo, failure } of fails) ledger.failed(hi, lo, failure, now);
    this.#env.wake();
  }

  /** A task holds these roots. */
  acceptClaims(roots: Uint32Array): void {
    const now = this.#env.clock.now();
    for (let at = 0; at < roots.length; at += ROOT_WORDS) {
      if (rootTask(roots[at]) === this.#env.task) this.#ledger.renew(roots[at], roots[at + 1], now);
    }
  }

  /** A process died: once its successor is ready and had time to tell, what is unaccounted for is replayed. */
  peerGone(task: number, component: string, isAcker: boolean): void {
    this.#sweeps.taskGone(task, component, isAcker, this.#env.clock.now());
  }

  peerReady(task: number): void {
    const now = this.#env.clock.now();
    this.#sweeps.taskReady(task, now);
    this.#releaseIfAllBack();
    this.#runSweeps(now);
  }

  /** Something was lost on a link: what nobody claims and does not complete in time is replayed. */
  linkLost(failure: Partial<Failure>): void {
    this.#sweeps.linkLost(failure, this.#env.clock.now());
  }

  quarantine(hi: number, lo: number, failure: Failure): boolean {
    const done = this.#ledger.quarantine(hi, lo, failure, this.#env.clock.now());
    this.#env.wake();
    return done;
  }

  /** Positions that changed since the last call. */
  takePosition(): Position | undefined {
    if (!this.#positions.changed) return undefined;
    this.#positions.changed = false;
    return this.#positions.position;
  }

  #onTimer(tickMs: number): void {
    const now = this.#env.clock.now();
    // a tuple that waits for somebody to come back is not late: that time does not count
    if (!this.#allBack()) this.#ledger.standstill(now - this.#lastTickAt);
    // Node runs timers before sockets after a block: what is already there may be the completions we wait for
    const rounds = now - this.#lastTickAt > tickMs * 4 ? ROUNDS_AFTER_BLOCK : 1;
    this.#lastTickAt = now;
    this.#afterInput(rounds);
  }

  #afterInput(rounds: number): void {
    this.#env.clock.soon(() => {
      if (rounds > 1) return this.#afterInput(rounds - 1);
      const now = this.#env.clock.now();
      this.#runSweeps(now);
      if (this.#allBack()) this.#ledger.advance(now);
      this.#releaseIfAllBack();
      if (this.#ledger.dueAt <= now || this.#ledger.empty) this.#env.wake();
    });
  }

  #runSweeps(now: number): void {
    const due = this.#sweeps.takeDue(now);
    if (due.length === 0) return;
    let spared = 0;
    for (const sweep of due) {
      const { reason, before, lossAt, failure, waitsFor } = sweep;
      if (reason === 'acker-lost') {
        // roots that were given to a dead acker until its successor came are as lost as the older ones
        this.#ledger.sweep(now, reason, failure, now, this.#env.ackers.indexOf(waitsFor as number));
        continue;
      }
      const claimed = this.#ledger.sweep(before, reason, failure, now, undefined, lossAt);
      if (claimed > 0) this.#sweeps.again(sweep, now, this.#env.config.messageTimeoutMs / 4);
      spared += claimed;
    }
    if (spared > 0) this.#env.askClaims();
    this.#releaseIfAllBack();
    this.#env.wake();
  }

  #allBack(): boolean {
    return this.#env.data.connected && this.#env.control.connected && this.#sweeps.allBack;
  }

  #releaseIfAllBack(): void {
    if (this.#ledger.held === 0 || !this.#allBack()) return;
    this.#ledger.releaseHeld(this.#env.clock.now());
    this.#env.wake();
  }

  #again(entry: Entry<Batch>, now: number): void {
    const batch = entry.kept as Batch;
    const ledger = this.#ledger;
    ledger.again(entry, now);
    const outbox = this.#outbox;
    outbox.xorHi = 0;
    outbox.xorLo = 0;
    const stream = outbox.stream(batch.edge.stream.name, this.#env.component);
    const values = batch.layout.all(batch.columns, entry.row);
    const meta = metaOf(entry.attempt, REASONS.indexOf(entry.reason));
    const to = stream.direct ? batch.receiver : undefined;
    outbox.emit(stream, values, this.#ids.lineage(entry.id, ledger.hi, ledger.lo, meta), to);
    // the newer copy keeps the values: the older frame may go
    ledger.keep(entry, outbox.keptBatch, outbox.keptRow, outbox.keptBytes);
    this.#acks.init(ledger.hi, ledger.lo, outbox.xorHi, outbox.xorLo);
  }

  #complete(entry: Entry<Batch>, latencyMs: number): void {
    this.counts.acked += 1;
    this.latency.record(latencyMs);
    this.#positions.completed(entry.sequence);
    this.#hooks.acked?.(entry.id);
  }

  #replayed(entry: Entry<Batch>, reason: ReplayReason): void {
    this.counts.replays[reason] += 1;
    const failure = entry.history?.at(-1)?.failure ?? { reason, attempts: entry.attempt };
    this.#env.report.replay({ id: String(entry.id), attempt: entry.attempt + 1, failure });
  }

  /** The spout's source is told, and sends it again as it sees fit. */
  #returned(entry: Entry<Batch>, failure: Failure): void {
    this.counts.returned += 1;
    this.#positions.completed(entry.sequence);
    this.#hooks.failed?.(entry.id, { ...failure, attempts: entry.attempt });
    this.#env.wake();
  }

  #bury(entry: Entry<Batch>, failure: Failure): void {
    const batch = entry.kept;
    const stream = batch?.edge.stream.name ?? this.#rejectedStream;
    const values = batch === undefined ? this.#rejectedValues : batch.layout.all(batch.columns, entry.row);
    const skewMs = this.#env.clock.wall() - this.#env.clock.now();
    this.#burying += 1;
    this.counts.deadLettered += 1;
    const letter = {
      topology: this.#env.plan.name,
      run: this.#env.run,
      component: this.#env.component,
      task: this.#env.task,
      epoch: this.#env.epoch,
      stream,
      id: String(entry.id),
      tuple: this.#ids.stable(stream, entry.id).toString(),
      at: this.#env.clock.wall(),
      reason: failure.reason,
      values,
      attempts: (entry.history ?? []).map(({ attempt, startedAt, endedAt, failure }) => ({
        attempt,
        startedAt: Math.round(startedAt + skewMs),
        endedAt: Math.round(endedAt + skewMs),
        failure,
      })),
    };
    const buried = (): void => {
      this.#burying -= 1;
      this.#ledger.buried(entry);
      this.#positions.completed(entry.sequence);
      this.#hooks.failed?.(entry.id, { ...failure, attempts: entry.attempt });
      this.#env.wake();
    };
    this.#env.report.deadLetter(letter).then(buried, (error: unknown) => this.#env.report.fatal(error, 'dead letters'));
  }

  drop(cause: string): void {
    this.drops[cause] = (this.drops[cause] ?? 0) + 1;
  }
}

/** Turns of the event loop that let waiting input in after a long block, before anything may time out. */
const ROUNDS_AFTER_BLOCK = 50;
