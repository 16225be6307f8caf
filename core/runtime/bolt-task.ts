/** A task of a bolt: takes tuples while its outputs have room, executes them in order, acks what ended well. */
import { SquallError } from '../errors.js';
import type { Credit } from '../reliability/channel.js';
import type { BoltDefinition, BoltInstance, BoltOut, EmitOptions, TaskContext } from '../topology/definition.js';
import { StableId } from '../tuple/stable-ids.js';
import { type Batch, META, metaReason } from '../wire/batch.js';
import type { AckRecords, FailRecord } from '../wire/control-frames.js';
import type { FrameHeader } from '../wire/frame.js';
import type { LocalLedger } from './acker-task.js';
import type { TaskEnv } from './env.js';
import { Execution } from './execution.js';
import { errorFacts } from './failure.js';
import { type Arrived, Inbox } from './inbox.js';
import { CLAIM_AFTER_MS, Origin, REASONS } from './origin.js';
import type { OutStream } from './outbox.js';
import { Claims, Sender } from './sender.js';
import { ReceivedTuple } from './tuple.js';

/** A turn ends after this long, so that other tasks of the process and its sockets get theirs. */
const TURN_MS = 4;
/** The clock is read once in so many executes. */
const CLOCK_EVERY = 64;
const WORKER_LOST = REASONS.indexOf('worker-lost');
/** What `tick` and `end` emit is retried like a spout's tuples by default. */
const TICK_RETRY = Object.freeze({ attempts: 10, backoff: Object.freeze({ firstMs: 0, maxMs: 10_000 }) });

/** What earlier deaths of its process mean for a task. */
export interface Suspicion {
  /** every tuple is announced before its execute */
  readonly announce: boolean;
  /** stable ids of tuples that are not executed */
  readonly poison: readonly string[];
}

export interface BoltCounts {
  executed: number;
  emitted: number;
  acked: number;
  failed: number;
}

export class BoltTask implements LocalLedger {
  readonly counts: BoltCounts = { executed: 0, emitted: 0, acked: 0, failed: 0 };
  readonly inbox: Inbox;
  readonly sender: Sender;

  readonly #env: TaskEnv;
  readonly #definition: BoltDefinition;
  readonly #where: string;
  #instance!: BoltInstance;
  #origin: Origin | undefined;
  /** reused from execute to execute; one that returned a promise keeps its own */
  #execution: Execution;
  #defaultStream: OutStream | undefined;
  /** row of the first frame in the inbox that comes next, and how many of the rows before it failed */
  #row = 0;
  #failed = 0;
  #frameMs = 0;
  /** an execute, a flush, a tick or `end` has returned a promise that is still open */
  #busy: string | undefined;
  #busySince = 0;
  /** tells the promise that is waited for from those that were given up */
  #awaits = 0;
  #tickDue = false;
  readonly #endsFrom = new Set<number>();
  #endState: 'open' | 'ending' | 'settling' | 'said' | 'ended' = 'open';
  /** for bolts with `flush`: rows that are executed and not acked yet, as [rootHi, rootLo, xorHi, xorLo] */
  #held: number[] = [];
  #sequence = 0;
  readonly #timers: (() => void)[] = [];
  #lastFlushAt = 0;
  #flushPlanned = false;
  #turnStart = 0;
  /** the supervisor believes that an announced tuple is being executed */
  #announced = false;
  readonly #poison: Set<string>;
  readonly #announceAll: boolean;

  constructor(env: TaskEnv, definition: BoltDefinition, suspicion: Suspicion = { announce: false, poison: [] }) {
    this.#poison = new Set(suspicion.poison);
    this.#announceAll = suspicion.announce;
    this.#env = env;
    this.#definition = definition;
    this.#where = `${env.component}[${env.task}]`;
    this.sender = new Sender(env);
    this.inbox = new Inbox(env);
    if (definition.streams.some(({ name }) => name === 'default')) {
      this.#defaultStream = this.sender.outbox.stream('default', this.#where);
    }
    this.#execution = new Execution(this.sender.outbox, this.#where, this.#defaultStream);
  }

  get epoch(): number {
    return this.#env.epoch;
  }
  get origin(): Origin | undefined {
    return this.#origin;
  }
  get hasEnd(): boolean {
    return this.#instance?.end !== undefined;
  }
  readonly misuses: Record<string, number> = {};
  get cycle(): { readonly step: 'open' | 'over' | 'settling' | 'said'; readonly quiet: boolean } | undefined {
    return undefined;
  }
  cycleStep(_step: 'end' | 'close'): void {}
  get executing(): boolean {
    return this.#busy !== undefined;
  }

  async start(context: TaskContext): Promise<void> {
    this.#instance = await this.#definition.prepare(context);
  }

  /** The run begins. */
  go(): void {
    const { tickEveryMs } = this.#definition;
    if (tickEveryMs !== undefined && this.#instance.tick !== undefined) {
      const cancel = this.#env.clock.every(tickEveryMs, () => {
        // the end of the input is the end of the ticks
        if (this.#endState !== 'open') return;
        this.#tickDue = true;
        this.#env.wake();
      });
      this.#timers.push(cancel);
    }
    const claimMs = Math.max(20, this.#env.plan.config.messageTimeoutMs / 8);
    this.#timers.push(this.#env.clock.every(claimMs, () => this.#claim(this.#env.clock.now() - claimMs)));
    this.#env.wake();
  }

  async stop(): Promise<void> {
    for (const cancel of this.#timers) cancel();
    this.#origin?.stop();
    this.sender.stop();
    await this.#instance?.cleanup?.();
  }

  // ---- what comes in -------------------------------------------------------------------------------------------

  acceptParcel(header: FrameHeader, parcel: Batch | AckRecords): void {
    this.inbox.acceptParcel(header, header.count > 0 ? (parcel as Batch) : undefined);
  }
  acceptCredit(header: FrameHeader, credit: Credit): void {
    this.sender.acceptCredit(header, credit);
  }
  acceptDone(acker: number, epoch: number, frame: number, done: Uint32Array, fails: readonly FailRecord[]): void {
    this.#origin?.acceptDone(acker, epoch, frame, done, fails);
  }
  acceptClaims(roots: Uint32Array): void {
    this.#origin?.acceptClaims(roots);
  }
  acceptLedgerFrame(bytes: Buffer): void {
    this.#origin?.acceptFrame(bytes);
  }

  peerReady(task: number, epoch: number): void {
    this.sender.peerReady(task, epoch);
    this.inbox.peerReady(task, epoch);
    this.#origin?.peerReady(task);
    this.claimSoon();
    this.#env.wake();
  }
  peerGone(task: number, component: string, isAcker: boolean): void {
    this.sender.peerGone(task);
    this.inbox.peerGone(task);
    this.#origin?.peerGone(task, component, isAcker);
  }
  linkLost(failure: { readonly component?: string; readonly task?: number }): void {
    this.#origin?.sweepSoon('link-lost', failure);
    this.claimSoon();
  }

  /** After a loss somewhere: say which roots are safe here, before their ledgers replay what nobody claims. */
  claimSoon(): void {
    this.#env.clock.after(CLAIM_AFTER_MS, () => this.#claim(Number.POSITIVE_INFINITY));
  }

  // ---- work ----------------------------------------------------------------------------------------------------

  /** A turn: returns true when more can be done at once. */
  turn(): boolean {
    const start = this.#env.clock.now();
    this.#turnStart = start;
    const more = this.#work(start);
    if (this.#announced && this.#busy === undefined) this.#survived();
    this.#origin?.work(start);
    const lingered = start - this.#lastFlushAt >= this.#env.plan.config.lingerMs;
    if (lingered || (!more && this.#busy === undefined)) this.#flush();
    else if (this.#busy !== undefined) this.#flushLater();
    return more;
  }

  /** While an execute is awaited there may be more to send in a moment, or not for a long time. */
  #flushLater(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#env.clock.after(this.#env.plan.config.lingerMs, () => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    this.#lastFlushAt = this.#env.clock.now();
    this.counts.emitted = this.sender.outbox.created;
    this.sender.flush();
    this.inbox.flushed();
  }

  /** Executes until input, room or the turn is used up. True: the turn was. */
  #work(start: number): boolean {
    let executes = 0;
    let frameStart = start;
    while (this.#busy === undefined) {
      if (this.#tickDue && this.#endState === 'open' && this.sender.hasRoom) {
        this.#tickDue = false;
        this.#treeStarter('tick', (out) => this.#instance.tick?.(out));
        continue;
      }
      const arrived = this.inbox.first;
      if (arrived === undefined) {
        this.#maybeEnd();
        return false;
      }
      const { batch } = arrived;
      const count = batch?.count ?? 0;
      while (this.#row < count) {
        if (!this.sender.hasRoom) return this.#noRoom(frameStart);
        this.#execute(arrived, batch as Batch, this.#row++);
        if (this.#busy !== undefined) {
          this.#frameMs += this.#env.clock.now() - frameStart;
          return false;
        }
        if (++executes % CLOCK_EVERY === 0 && this.#env.clock.now() - start > TURN_MS) {
          this.#frameMs += this.#env.clock.now() - frameStart;
          return true;
        }
      }
      if (this.#instance.flush !== undefined && this.#held.length > 0) {
        this.#flushInstance();
        continue;
      }
      const now = this.#env.clock.now();
      this.#frameMs += now - frameStart;
      this.#frameDone(arrived);
      if (now - start > TURN_MS) return true;
      frameStart = now;
    }
    return false;
  }

  #noRoom(frameStart: number): boolean {
    this.#frameMs += this.#env.clock.now() - frameStart;
    this.sender.outbox.avoidFull();
    return this.sender.hasRoom;
  }

  #frameDone(arrived: Arrived): void {
    this.inbox.executed(this.#failed, this.#frameMs);
    this.#row = 0;
    this.#failed = 0;
    this.#frameMs = 0;
    if (arrived.channel.ended) this.#endsFrom.add(arrived.channel.sender);
  }

  #execute(arrived: Arrived, batch: Batch, row: number): void {
    const execution = this.#execution;
    const at = batch.groupAt(row);
    execution.begin(batch, row, at);
    if (this.#poison.size > 0 && this.#isPoison(batch, row)) return this.#refuse(execution);
    if (this.#announceAll || (metaReason(batch.groups[at + META]) === WORKER_LOST && execution.rootHi !== 0)) {
      this.#announce(batch, row);
    } else if (this.#announced) this.#survived();
    const input = arrived.input as NonNullable<Arrived['input']>;
    this.counts.executed += 1;
    let result: void | Promise<void>;
    try {
      const values = input.read(batch.columns, row);
      result = this.#instance.execute(new ReceivedTuple(values, arrived.channel.sender, batch, row), execution as never);
    } catch (error) {
      this.#settle(execution, error);
      return;
    }
    if (result === undefined || typeof (result as { then?: unknown }).then !== 'function') {
      this.#settle(execution, undefined);
      return;
    }
    // the promise may hold on to its `out`
    this.#execution = new Execution(this.sender.outbox, this.#where, this.#defaultStream);
    this.#await('execute', result, (error) => this.#settle(execution, error));
  }

  /** Waits for what the bolt's code returned; then `settled` with the error or undefined, and on with the work. */
  #await(what: string, promise: Promise<void>, settled: (error: unknown) => void): void {
    this.#busy = what;
    const turn = ++this.#awaits;
    this.#busySince = this.#env.clock.now();
    const done = (error: unknown): void => {
      // one that was given up and ends after all ends nothing
      if (this.#awaits !== turn || this.#busy === undefined) return;
      this.#frameMs += this.#env.clock.now() - this.#busySince;
      this.#busy = undefined;
      settled(error);
      // what is quick goes on in this turn; a turn of the event loop for each would cost more than the execute
      if (this.#env.clock.now() - this.#turnStart < TURN_MS) this.#work(this.#turnStart);
      if (this.#busy === undefined) this.#env.wake();
      else this.#flushLater();
    };
    const cancel = this.#env.clock.after(this.executeTimeoutMs, () =>
      done(
        new SquallError(
          'ERR_SQUALL_EXECUTE_TIMEOUT',
          `${this.#where}: ${what} did not settle within executeTimeoutMs = ${this.executeTimeoutMs}`,
        ),
      ),
    );
    Promise.resolve(promise).then(
      () => {
        cancel();
        done(undefined);
      },
      (error: unknown) => {
        cancel();
        done(error ?? new Error(`${what} rejected with ${String(error)}`));
      },
    );
  }

  get executeTimeoutMs(): number {
    return this.#definition.executeTimeoutMs ?? this.#env.plan.config.messageTimeoutMs * 10;
  }

  #settle(execution: Execution, error: unknown): void {
    execution.settle();
    if (error !== undefined) {
      this.#failed += 1;
      this.counts.failed += 1;
      if (execution.rootHi !== 0) this.#fail(execution.rootHi, execution.rootLo, error);
      else this.#env.report.warn(`${this.#where}: an untracked tuple failed and is gone: ${errorFacts(error).message}`);
      return;
    }
    if (this.#instance.flush !== undefined) {
      this.#held.push(execution.rootHi, execution.rootLo, execution.xorHi, execution.xorLo);
      return;
    }
    this.counts.acked += 1;
    if (execution.rootHi !== 0 && this.#env.ackers.length > 0) {
      this.sender.acks.ack(execution.rootHi, execution.rootLo, execution.xorHi, execution.xorLo);
    }
  }

  #fail(hi: number, lo: number, error: unknown): void {
    this.sender.acks.fail(hi, lo, {
      reason: 'failed',
      attempts: 0,
      component: this.#env.component,
      task: this.#env.task,
      error: errorFacts(error),
    });
  }

  /** A sink writes what the batch gave it; only then are the tuples acked. */
  #flushInstance(): void {
    const settled = (error: unknown): void => {
      const held = this.#held;
      this.#held = [];
      for (let at = 0; at < held.length; at += 4) {
        if (error === undefined) {
          this.counts.acked += 1;
          if (held[at] !== 0) this.sender.acks.ack(held[at], held[at + 1], held[at + 2], held[at + 3]);
        } else {
          this.#failed += 1;
          this.counts.failed += 1;
          if (held[at] !== 0) this.#fail(held[at], held[at + 1], error);
        }
      }
    };
    try {
      const result = this.#instance.flush?.();
      if (result === undefined) settled(undefined);
      else this.#await('flush', result, settled);
    } catch (error) {
      settled(error);
    }
  }

  /** A tuple whose last executor died is announced before its execute: it may kill this process too. */
  #announce(batch: Batch, row: number): void {
    this.#announced = true;
    const at = batch.groupAt(row);
    const id = batch.stableId(row, new StableId()).toString();
    this.#env.report.suspect({ hi: batch.groups[at], lo: batch.groups[at + 1], id, task: this.#env.task });
  }

  /** From now on this tuple is not executed any more: it has killed its process again and again. */
  quarantine(id: string): void {
    this.#poison.add(id);
  }

  #isPoison(batch: Batch, row: number): boolean {
    return this.#poison.has(batch.stableId(row, new StableId()).toString());
  }

  #refuse(execution: Execution): void {
    execution.settle();
    this.#failed += 1;
    this.counts.failed += 1;
    if (execution.rootHi === 0) return;
    const { component, task } = this.#env;
    this.sender.acks.fail(execution.rootHi, execution.rootLo, { reason: 'kills-worker', attempts: 0, component, task });
  }

  #survived(): void {
    this.#announced = false;
    this.#env.report.suspect(undefined);
  }

  // ---- tick and end --------------------------------------------------------------------------------------------

  /** What `tick` and `end` emit starts trees in this task's own ledger. */
  #treeStarter(what: 'tick' | 'end', call: (out: never) => void | Promise<void>): void {
    const { outbox, acks } = this.sender;
    this.#origin ??= new Origin(this.#env, outbox, acks, { retry: TICK_RETRY, ticks: true }, {});
    const origin = this.#origin;
    let open = true;
    const out: Pick<BoltOut, 'emit'> = {
      emit: (values: Record<string, unknown>, options?: EmitOptions) => {
        if (!open) {
          throw new SquallError('ERR_SQUALL_OUT_SETTLED', `${this.#where}: emit after its ${what} has settled`);
        }
        const stream = outbox.stream(options?.stream ?? 'default', this.#where);
        origin.offer(stream, values, this.#sequence++, this.#env.clock.now());
      },
    };
    const settled = (error: unknown): void => {
      open = false;
      if (error !== undefined) this.#env.report.fatal(error, `${this.#where} ${what}`);
      else if (what === 'end') this.#endState = 'settling';
    };
    try {
      const result = call(out as never);
      if (result === undefined || typeof (result as { then?: unknown }).then !== 'function') settled(undefined);
      else this.#await(what, result, settled);
    } catch (error) {
      settled(error);
    }
  }

  /** The queue is empty: is the input over, has `end` run, is everything that it emitted settled? */
  #maybeEnd(): void {
    if (this.#endState === 'open') {
      if (!this.#inputOver()) return;
      this.#endState = 'ending';
      if (this.#instance.end !== undefined) this.#treeStarter('end', (out) => this.#instance.end?.(out));
      else this.#endState = 'settling';
      if (this.#endState !== 'settling') return;
    }
    if (this.#endState === 'settling' && (this.#origin === undefined || this.#origin.empty)) this.#sayEnd();
    if (this.#endState !== 'said' || !this.sender.delivered) return;
    this.#endState = 'ended';
    this.#env.report.ended();
  }

  #sayEnd(): void {
    this.#endState = 'said';
    this.sender.end();
    this.#env.wake();
  }

  /** This incarnation replaces one that had already said END: its input and its own trees are over. */
  resumeEnded(): void {
    // what still arrives was completed by others: nothing is left to be done with it
    this.#instance = { execute() {} };
    this.#sayEnd();
  }

  #inputOver(): boolean {
    if (this.#endsFrom.size === 0) return false;
    const component = this.#env.plan.components.find(({ name }) => name === this.#env.component);
    for (const edge of component?.inputs ?? []) {
      const source = this.#env.plan.components.find(({ name }) => name === edge.source);
      if (source === undefined) return false;
      for (let task = source.firstTask; task < source.firstTask + source.tasks; task++) {
        if (!this.#endsFrom.has(task)) return false;
      }
    }
    return true;
  }

  #claim(arrivedBefore: number): void {
    if (this.#env.ackers.length === 0) return;
    const claims = new Claims();
    this.inbox.forEachWaiting(arrivedBefore, (batch) => claims.addBatch(batch));
    for (let at = 0; at < this.#held.length; at += 4) claims.add(this.#held[at], this.#held[at + 1]);
    this.sender.claim(claims);
    claims.send(this.#env);
  }
}
