/** A task of a bolt: takes tuples while its outputs have room, executes them in order, acks what ended well. */
import type { Credit } from '../reliability/channel.js';
import { isPromise } from '../topology/component.js';
import type { BoltDefinition, BoltInstance, BoltOut, TaskContext } from '../topology/definition.js';
import type { Batch } from '../wire/batch.js';
import type { AckRecords, FailRecord } from '../wire/control-frames.js';
import type { FrameHeader } from '../wire/frame.js';
import type { LocalLedger } from './acker-task.js';
import { DroppedTuples } from './dropped-tuples.js';
import { renewEveryMs, type TaskEnv } from './env.js';
import { Execution } from './execution.js';
import { errorFacts } from './failure.js';
import { Held, HeldTuple, Hold } from './held.js';
import { type Arrived, type Drops, Inbox } from './inbox.js';
import { InputEnd } from './input-end.js';
import { Linger } from './linger.js';
import { Load } from './load.js';
import { ManualDesk, ManualOut } from './manual-out.js';
import { Meter } from './meter.js';
import { CLAIM_AFTER_MS, Origin } from './origin.js';
import { Output } from './output.js';
import type { TaskError } from './protocol.js';
import { Claims, Sender } from './sender.js';
import { type BoltCounts, Settler } from './settler.js';
import { Suspects, type Suspicion } from './suspects.js';
import { TreeOut } from './tree-out.js';
import { ReceivedTuple } from './tuple.js';
import { waitFor } from './wait.js';

/** A turn ends after this long, so that other tasks of the process and its sockets get theirs. */
const TURN_MS = 4;
/** The clock is read once in so many executes, more often where they take long. */
const CLOCK_EVERY = 64;
/** Under --debug, dropped tuples are looked for this often. */
const LOOK_FOR_DROPPED_MS = 500;

export class BoltTask implements LocalLedger {
  readonly inbox: Inbox;
  readonly sender: Sender;

  readonly #env: TaskEnv;
  readonly #definition: BoltDefinition;
  readonly #where: string;
  readonly #settler: Settler;
  readonly #suspects: Suspects;
  readonly #output: Output;
  readonly #held = new Held();
  readonly #dropped: DroppedTuples;
  /** with `ack: 'manual'` */
  readonly #desk: ManualDesk | undefined;
  #instance!: BoltInstance;
  #origin: Origin | undefined;
  /** reused from execute to execute; one that returned a promise keeps its own */
  #execution: Execution;
  /** executes that have returned a promise that is still open */
  #open = 0;
  /** a flush, a tick or `end` that has: nothing else is begun meanwhile */
  #exclusive: string | undefined;
  readonly #meter: Meter;
  readonly load = new Load();
  #tickDue = false;
  readonly #end: InputEnd;
  readonly #timers: (() => void)[] = [];
  readonly #linger: Linger;
  #turnStart = 0;

  constructor(env: TaskEnv, definition: BoltDefinition, suspicion: Suspicion = { announce: false, poison: [] }) {
    this.#env = env;
    this.#suspects = new Suspects(env, suspicion);
    this.#definition = definition;
    this.#where = `${env.component}[${env.task}]`;
    this.#meter = new Meter(env.clock);
    this.#linger = new Linger(env.clock, env.config.lingerMs, () => this.#flush());
    this.#end = new InputEnd(env.plan, env.component);
    this.sender = new Sender(env);
    this.#settler = new Settler(env, this.sender.acks);
    this.inbox = new Inbox(env);
    const hasDefault = definition.streams.some(({ name }) => name === 'default');
    this.#output = new Output(env, this.sender, hasDefault);
    this.#dropped = new DroppedTuples(env, this.#held, this.#output, this.#settler);
    this.#execution = new Execution(this.#output);
    if (definition.ack === 'manual') {
      const acks = env.ackers.length > 0 ? this.sender.acks : undefined;
      const identity = [env.run, env.component, env.index, env.epoch, 'unanchored'];
      this.#desk = new ManualDesk(this.#output, acks, this.#held, identity, {
        acked: () => {
          this.counts.acked += 1;
        },
        failed: (hold, reason) => {
          this.#settler.failedHold(hold, reason ?? new Error('out.fail was called without a reason'));
        },
      });
    }
  }

  get counts(): BoltCounts {
    return this.#settler.counts;
  }
  get epoch(): number {
    return this.#env.epoch;
  }
  get lastError(): TaskError | undefined {
    return this.#settler.lastError;
  }
  get origin(): Origin | undefined {
    return this.#origin;
  }
  get hasEnd(): boolean {
    return this.#instance?.end !== undefined;
  }
  get executing(): boolean {
    return this.#open > 0 || this.#exclusive !== undefined;
  }
  get misuses(): Readonly<Drops> {
    return this.#output.misuses;
  }
  /** How far this member of a cycle is. */
  get cycle(): { readonly step: 'open' | 'over' | 'settling' | 'said'; readonly quiet: boolean } | undefined {
    if (!this.#end.inCycle) return undefined;
    const { state } = this.#end;
    const step = state === 'ending' ? 'over' : state === 'ended' ? 'said' : state;
    const idle = this.inbox.empty && !this.executing && this.#held.size === 0 && state !== 'ending';
    return { step, quiet: idle && this.sender.settled && (this.#origin?.empty ?? true) };
  }

  async start(context: TaskContext): Promise<void> {
    this.#instance = await this.#definition.prepare(context);
  }

  /** The run begins. */
  go(): void {
    const { clock, config, plan, debug, wake } = this.#env;
    const { tickEveryMs } = config;
    if (tickEveryMs !== undefined && this.#instance.tick !== undefined) {
      const cancel = clock.every(tickEveryMs, () => {
        // the end of the input is the end of the ticks
        if (this.#end.state !== 'open') return;
        this.#tickDue = true;
        wake();
      });
      this.#timers.push(cancel);
    }
    const claimMs = renewEveryMs(plan);
    this.#timers.push(clock.every(claimMs, () => this.#claim(clock.now() - claimMs)));
    if (debug && this.#desk !== undefined) {
      this.#timers.push(clock.every(LOOK_FOR_DROPPED_MS, () => this.#dropped.find(0)));
    }
    wake();
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
    // who has nothing to tell of trees is told nothing of them
    if (this.#origin === undefined) this.inbox.drop('malformed');
    else this.#origin.acceptFrame(bytes);
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
    this.#origin?.linkLost(failure);
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
    this.#output.letGo();
    const more = this.#work(start);
    if (!this.executing) this.#suspects.survived();
    this.#origin?.work(start);
    if (this.#linger.isOver(start) || (!more && !this.executing)) this.#linger.flush();
    else if (this.executing) this.#linger.flushLater();
    return more;
  }

  #flush(): void {
    this.counts.emitted = this.sender.outbox.emits;
    this.sender.flush();
    this.inbox.flushed();
  }

  /** Executes until input, room or the turn is used up. True: the turn was. */
  #work(start: number): boolean {
    this.#meter.start();
    this.#output.inTurn = true;
    const more = this.#executeAll(start);
    this.#output.inTurn = false;
    if (!this.executing) this.#meter.stop();
    return more;
  }

  #executeAll(start: number): boolean {
    const { clock } = this.#env;
    const clockEvery = Math.max(1, Math.min(CLOCK_EVERY, Math.floor(1 / this.inbox.msPerRecord)));
    let executes = 0;
    while (this.#exclusive === undefined) {
      if (this.#tickDue && this.#end.state === 'open' && this.sender.hasRoom && this.#mayBegin) {
        this.#tickDue = false;
        this.#treeStarter('tick', (out) => this.#instance.tick?.(out));
        continue;
      }
      const arrived = this.inbox.next;
      if (arrived === undefined) {
        if (this.#open === 0) this.#maybeEnd();
        return false;
      }
      const { batch } = arrived;
      const count = batch?.count ?? 0;
      if (arrived.row === 0 && count > 0 && arrived.open === 0) this.load.begun(clock.now() - arrived.at, count);
      while (arrived.row < count) {
        if (!this.#mayBegin) return false;
        if (!this.sender.hasRoom) return false;
        if (!this.#execute(arrived, batch as Batch)) return false;
        if (++executes % clockEvery === 0 && clock.now() - start > TURN_MS) return true;
      }
      if (this.#settler.unflushed > 0) {
        this.#flushInstance(arrived);
        continue;
      }
      this.inbox.begun();
      this.#takeExecuted();
      if (clock.now() - start > TURN_MS) return true;
    }
    return false;
  }

  /** May another execute begin beside those that are open? One that may kill its process is alone. */
  get #mayBegin(): boolean {
    return this.#open === 0 || (this.#open < this.#env.config.concurrency && !this.#suspects.announced);
  }

  /** Confirms the frames at the head of the queue that are executed to their last row. */
  #takeExecuted(): void {
    while (this.inbox.firstIsExecuted) {
      const ms = this.#meter.take();
      const { channel, batch } = this.inbox.takeExecuted(ms);
      this.load.executed(ms, batch?.count ?? 0);
      if (channel.ended) this.#end.heard(channel.sender);
    }
  }

  /** Executes the next row of this frame. False: it has to wait for those under way. */
  #execute(arrived: Arrived, batch: Batch): boolean {
    const { row } = arrived;
    const at = batch.groupAt(row);
    const suspects = this.#suspects;
    const announces = suspects.mustAnnounce(batch, at);
    if (announces && this.#open > 0) return false;
    arrived.row += 1;
    if (suspects.isPoison(batch, row)) {
      arrived.failed += 1;
      this.#settler.refused(batch, at);
      return true;
    }
    if (announces) suspects.announce(batch, row);
    else suspects.survived();
    this.counts.executed += 1;
    if (this.#desk === undefined) this.#executeAuto(arrived, batch, row, at);
    else this.#executeManual(this.#desk, arrived, batch, row);
    return true;
  }

  #executeAuto(arrived: Arrived, batch: Batch, row: number, at: number): void {
    const execution = this.#execution;
    const out = execution.begin(batch, row, at);
    let result: void | Promise<void>;
    try {
      const values = (arrived.input as NonNullable<Arrived['input']>).read(batch.columns, row);
      result = this.#instance.execute(new ReceivedTuple(values, arrived.channel.sender, batch, row), out);
    } catch (error) {
      this.#settle(arrived, execution, error ?? new Error('execute threw undefined'));
      return;
    }
    if (!isPromise(result)) {
      this.#settle(arrived, execution, undefined);
      return;
    }
    // the next may begin before it ends
    this.#execution = new Execution(this.#output);
    this.#awaitExecute(arrived, result, (error) => this.#settle(arrived, execution, error));
  }

  #executeManual(desk: ManualDesk, arrived: Arrived, batch: Batch, row: number): void {
    const hold = new Hold(this.#held, batch, row);
    let tuple: HeldTuple | undefined;
    let result: void | Promise<void>;
    desk.resetEmits();
    try {
      const values = (arrived.input as NonNullable<Arrived['input']>).read(batch.columns, row);
      tuple = new HeldTuple(values, arrived.channel.sender, hold);
      result = this.#instance.execute(tuple, new ManualOut(desk, tuple));
    } catch (error) {
      this.#leave(arrived, tuple ?? new HeldTuple({}, 0, hold), hold, error ?? new Error('execute threw undefined'));
      return;
    }
    const held = tuple;
    if (!isPromise(result)) {
      this.#leave(arrived, held, hold, undefined);
      return;
    }
    this.#awaitExecute(arrived, result, (error) => this.#leave(arrived, held, hold, error));
  }

  /** An execute with `ack: 'manual'` is over; its tuple may be settled, or be kept by the author. */
  #leave(arrived: Arrived, tuple: HeldTuple, hold: Hold, error: unknown): void {
    if (error !== undefined) {
      if (hold.state === 'open') this.#desk?.fail(tuple, error);
      else {
        const { message } = errorFacts(error);
        this.#env.report.warn(`${this.#where}: execute threw when its tuple was ${hold.state} already: ${message}`);
      }
    }
    if (hold.state === 'failed') arrived.failed += 1;
    else if (hold.state === 'open') this.#held.keep(tuple, hold, this.#env.clock.now());
  }

  #awaitExecute(arrived: Arrived, promise: PromiseLike<unknown>, settled: (error: unknown) => void): void {
    arrived.open += 1;
    this.#open += 1;
    this.#await('execute', promise, (error) => {
      arrived.open -= 1;
      this.#open -= 1;
      settled(error);
      this.#takeExecuted();
    });
  }

  #awaitAlone(what: 'flush' | 'tick' | 'end', promise: PromiseLike<unknown>, settled: (error: unknown) => void): void {
    this.#exclusive = what;
    this.#await(what, promise, (error) => {
      this.#exclusive = undefined;
      settled(error);
    });
  }

  /** Waits for what the bolt's code returned; then `settled` with the error or undefined, and on with the work. */
  #await(what: string, promise: PromiseLike<unknown>, settled: (error: unknown) => void): void {
    const { clock, config } = this.#env;
    waitFor(promise, `${this.#where}: ${what}`, config.executeTimeoutMs, clock, (error) => {
      settled(error);
      // what is quick goes on in this turn; a turn of the event loop for each would cost more than the execute
      if (clock.now() - this.#turnStart < TURN_MS) this.#work(this.#turnStart);
      else if (!this.executing) this.#meter.stop();
      if (this.#exclusive === undefined && this.#mayBegin) this.#env.wake();
      else this.#linger.flushLater();
    });
  }

  #settle(arrived: Arrived, execution: Execution, error: unknown): void {
    execution.settle();
    if (error !== undefined) {
      arrived.failed += 1;
      this.#settler.failed(execution, error);
    } else if (this.#instance.flush !== undefined) this.#settler.awaitsFlush(execution);
    else this.#settler.acked(execution);
  }

  /** A sink writes what the batch gave it; only then are the tuples acked. */
  #flushInstance(arrived: Arrived): void {
    const settled = (error: unknown): void => {
      const count = this.#settler.flushed(error);
      if (error !== undefined) arrived.failed += count;
    };
    try {
      const result = this.#instance.flush?.();
      if (isPromise(result)) this.#awaitAlone('flush', result, settled);
      else settled(undefined);
    } catch (error) {
      settled(error ?? new Error('flush threw undefined'));
    }
  }

  /** From now on this tuple is not executed any more: it has killed its process again and again. */
  quarantine(id: string): void {
    this.#suspects.quarantine(id);
  }

  // ---- tick and end --------------------------------------------------------------------------------------------

  /** What `tick` and `end` emit starts trees in this task's own ledger. */
  #treeStarter(what: 'tick' | 'end', call: (out: BoltOut) => void | Promise<void>): void {
    this.#origin ??= new Origin(this.#env, this.sender.outbox, this.sender.acks, { ticks: true }, {});
    const out = new TreeOut(what, this.#output, this.#origin, this.#env.clock, this.#desk);
    const settled = (error: unknown): void => {
      out.settle();
      if (error !== undefined) this.#env.report.fatal(error, `${this.#where} ${what}`);
      else if (what === 'end') this.#end.state = 'settling';
    };
    try {
      const result = call(out);
      if (isPromise(result)) this.#awaitAlone(what, result, settled);
      else settled(undefined);
    } catch (error) {
      settled(error ?? new Error(`${what} threw undefined`));
    }
  }

  /** The queue is empty: is the input over, has `end` run, is everything that it emitted settled? */
  #maybeEnd(): void {
    const end = this.#end;
    // what the author still holds may yet be emitted on
    if (end.state === 'open' && end.inputOver && this.#held.size === 0) end.state = 'over';
    if (end.state === 'over' && end.mayRun) {
      end.state = 'ending';
      if (this.#instance.end !== undefined) this.#treeStarter('end', (out) => this.#instance.end?.(out));
      else end.state = 'settling';
    }
    if (end.state === 'settling' && end.maySay && this.#held.size === 0 && (this.#origin?.empty ?? true))
      this.#sayEnd();
    if (end.state !== 'said' || !this.sender.delivered) return;
    end.state = 'ended';
    this.#env.report.ended();
  }

  #sayEnd(): void {
    this.#end.state = 'said';
    if (this.#desk !== undefined) this.#desk.ended = true;
    this.sender.end();
    this.#env.wake();
  }

  /** All components of the cycle have come so far. */
  cycleStep(step: 'end' | 'close'): void {
    this.#end.step(step);
    this.#env.wake();
  }

  /** This incarnation replaces one that had already said END: its input and its own trees are over. */
  resumeEnded(): void {
    // what still arrives was completed by others: nothing is left to be done with it
    this.#instance = { execute: (tuple, out) => this.#desk && out.ack(tuple) };
    this.#sayEnd();
  }

  #claim(arrivedBefore: number): void {
    if (this.#desk !== undefined) this.#dropped.find(this.#env.config.messageTimeoutMs);
    if (this.#env.ackers.length === 0) return;
    const claims = new Claims();
    this.inbox.forEachWaiting(arrivedBefore, (batch, fromRow) => claims.addBatch(batch, fromRow));
    this.#held.forEachRoot((hi, lo) => claims.add(hi, lo));
    this.#settler.claim(claims);
    this.sender.claim(claims);
    claims.send(this.#env);
  }
}
