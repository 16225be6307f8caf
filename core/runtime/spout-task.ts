/** A task of a spout: asks its source for more while there is room, and sees every tuple to its end. */
import { SquallError, shown } from '../errors.js';
import type { Credit } from '../reliability/channel.js';
import { isPromise } from '../topology/component.js';
import type {
  MessageId,
  Position,
  SpoutDefinition,
  SpoutEmitOptions,
  SpoutInstance,
  SpoutOut,
  TaskContext,
} from '../topology/definition.js';
import type { Batch } from '../wire/batch.js';
import type { AckRecords, FailRecord } from '../wire/control-frames.js';
import type { FrameHeader } from '../wire/frame.js';
import type { LocalLedger } from './acker-task.js';
import { checkEmitOptions, SPOUT_EMIT_OPTIONS } from './emit-options.js';
import { renewEveryMs, type TaskEnv } from './env.js';
import { MAX_EMITS_PER_EXECUTE } from './execution.js';
import { errorFacts } from './failure.js';
import { Linger } from './linger.js';
import { CLAIM_AFTER_MS, Origin } from './origin.js';
import type { OutStream } from './outbox.js';
import { Claims, Sender } from './sender.js';
import { Waiters } from './waiters.js';

const TURN_MS = 4;
const CLOCK_EVERY = 64;
/** A source with nothing is asked again after this long, twice as long each time. */
const FIRST_IDLE_MS = 1;
const MAX_IDLE_MS = 50;
/** How often a changed position is told. */
const POSITION_EVERY_MS = 100;

export class SpoutTask implements LocalLedger, SpoutOut {
  readonly sender: Sender;
  readonly origin: Origin;

  readonly #env: TaskEnv;
  readonly #definition: SpoutDefinition;
  readonly #where: string;
  #instance!: SpoutInstance;
  #defaultStream: OutStream | undefined;
  /** asked: `next` is called, but for pauses. quiet: never again. done: the source is over. said: END. */
  #state: 'waiting' | 'asked' | 'quiet' | 'done' | 'said' | 'ended' = 'waiting';
  #paused = false;
  /** `activate` was the last of the two that was called */
  #active = false;
  /** `activate` or `deactivate` is under way; the next begins when it is over */
  #switching: Promise<void> | undefined;
  /** `next` has returned a promise that is still open, or the source has nothing until later */
  #busy = false;
  #idleMs = FIRST_IDLE_MS;
  #now = 0;
  #turnStart = 0;
  #untracked = 0;
  /** `emit` may be called: inside `next` only */
  #open = false;
  /** the last call of `next` has emitted or rejected something */
  #stirred = false;
  /** emits since there was room for sure */
  #emits = 0;
  readonly #waiters = new Waiters();
  readonly #timers: (() => void)[] = [];
  readonly #linger: Linger;

  constructor(env: TaskEnv, definition: SpoutDefinition, position: Position | undefined) {
    this.#env = env;
    this.#definition = definition;
    this.#where = `${env.component}[${env.task}]`;
    this.sender = new Sender(env);
    this.#linger = new Linger(env.clock, env.config.lingerMs, () => this.sender.flush());
    const call = (what: string, action: () => void): void => {
      try {
        action();
      } catch (error) {
        // the tuple's fate is sealed: its spout's book-keeping is not ours to undo
        env.report.warn(`${this.#where}: ${what} threw: ${errorFacts(error).message}`);
      }
    };
    this.origin = new Origin(
      env,
      this.sender.outbox,
      this.sender.acks,
      { position, returns: definition.replay === 'source' },
      {
        acked: (id) => {
          if (this.#instance.ack !== undefined) call('ack', () => this.#instance.ack?.(id));
        },
        failed: (id, failure) => call('fail', () => this.#instance.fail?.(id, failure)),
      },
    );
    if (definition.streams.some(({ name }) => name === 'default')) {
      this.#defaultStream = this.sender.outbox.stream('default', this.#where);
    }
  }

  get epoch(): number {
    return this.#env.epoch;
  }
  get executing(): boolean {
    return false;
  }

  async start(context: TaskContext): Promise<void> {
    this.#instance = await this.#definition.open(context);
  }

  /** The run begins. */
  go(): void {
    if (this.#state === 'waiting') this.#state = 'asked';
    const { clock, plan } = this.#env;
    this.#timers.push(
      clock.every(POSITION_EVERY_MS, () => this.tellPosition()),
      clock.every(renewEveryMs(plan), () => this.#claim()),
    );
    void this.#switch();
    this.#env.wake();
  }

  /** No more calls of `next` until `resume`; what is pending goes on. Resolves when `deactivate` has been called. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#switch();
  }

  async resume(): Promise<void> {
    this.#paused = false;
    await this.#switch();
    this.#env.wake();
  }

  /** No more calls of `next`, for good; what is pending goes on. */
  async drain(): Promise<void> {
    if (this.#state === 'asked' || this.#state === 'waiting') this.#state = 'quiet';
    await this.#switch();
    this.#env.wake();
  }

  /** Calls `activate` or `deactivate`, if that is what lacks: one at a time, at once if it can be. */
  async #switch(): Promise<void> {
    while (this.#switching !== undefined) await this.#switching;
    const active = this.#state === 'asked' && !this.#paused;
    if (active === this.#active) return;
    this.#active = active;
    const hook = active ? 'activate' : 'deactivate';
    try {
      const called = this.#instance?.[hook]?.();
      if (!isPromise(called)) return;
      const settled = (): void => {};
      this.#switching = Promise.resolve(called).then(settled, settled);
      await called;
    } catch (error) {
      this.#env.report.fatal(error ?? new Error(`${hook} threw undefined`), `${this.#where} ${hook}`);
    } finally {
      this.#switching = undefined;
      this.#env.wake();
    }
  }

  /** No call of `next` will come and nothing is pending. */
  get drained(): boolean {
    return this.#state !== 'asked' && this.#state !== 'waiting' && this.origin.empty;
  }

  async stop(): Promise<void> {
    for (const cancel of this.#timers) cancel();
    this.tellPosition();
    this.origin.stop();
    this.sender.stop();
    if (this.#active) await this.#instance?.deactivate?.();
    await this.#instance?.close?.();
  }

  tellPosition(): void {
    const position = this.origin.takePosition();
    if (position !== undefined) this.#env.report.position(position);
  }

  // ---- what comes in -------------------------------------------------------------------------------------------

  acceptParcel(_header: FrameHeader, _parcel: Batch | AckRecords): void {}
  acceptCredit(header: FrameHeader, credit: Credit): void {
    this.sender.acceptCredit(header, credit);
  }
  acceptDone(acker: number, epoch: number, frame: number, done: Uint32Array, fails: readonly FailRecord[]): void {
    this.origin.acceptDone(acker, epoch, frame, done, fails);
  }
  acceptClaims(roots: Uint32Array): void {
    this.origin.acceptClaims(roots);
  }
  acceptLedgerFrame(bytes: Buffer): void {
    this.origin.acceptFrame(bytes);
  }

  peerReady(task: number, epoch: number): void {
    this.sender.peerReady(task, epoch);
    this.origin.peerReady(task);
    this.claimSoon();
    this.#env.wake();
  }
  peerGone(task: number, component: string, isAcker: boolean): void {
    this.sender.peerGone(task);
    this.origin.peerGone(task, component, isAcker);
  }
  linkLost(failure: { readonly component?: string; readonly task?: number }): void {
    this.origin.linkLost(failure);
    this.claimSoon();
  }
  claimSoon(): void {
    this.#env.clock.after(CLAIM_AFTER_MS, () => this.#claim());
  }

  // ---- work ----------------------------------------------------------------------------------------------------

  turn(): boolean {
    const start = this.#env.clock.now();
    this.#now = start;
    this.#turnStart = start;
    this.origin.work(start);
    this.#letGo();
    const more = this.#mayAsk ? this.#ask(start) : false;
    if (this.#state === 'done' && this.origin.empty) this.#sayEnd();
    if (this.#state === 'said' && this.sender.delivered) this.#end();
    if (this.#linger.isOver(start) || (!more && !this.#busy)) this.#linger.flush();
    return more;
  }

  /** Active, and no call of `next` is open. */
  get #mayAsk(): boolean {
    return this.#state === 'asked' && this.#active && !this.#paused && !this.#busy && this.#switching === undefined;
  }

  get #mayPend(): boolean {
    return this.origin.pending < this.#env.config.maxSpoutPending && this.origin.hasRoom;
  }

  /** Calls `next` while there is room. True: the turn is used up, not the source. */
  #ask(start: number): boolean {
    for (let calls = 1; this.#mayAsk; calls++) {
      if (!this.#mayPend) return false;
      if (!this.sender.hasRoom) return false;
      let result: unknown;
      this.#open = true;
      this.#stirred = false;
      this.#emits = 0;
      try {
        result = this.#instance.next(this as never);
      } catch (error) {
        this.#open = false;
        this.#env.report.fatal(error ?? new Error('next threw undefined'), `${this.#where} next`);
        this.#state = 'quiet';
        return false;
      }
      if (isPromise(result)) {
        this.#await(result);
        return false;
      }
      this.#open = false;
      this.#asked(result);
      if (calls % CLOCK_EVERY === 0) {
        this.#now = this.#env.clock.now();
        if (this.#now - start > TURN_MS) return true;
      }
    }
    return false;
  }

  #await(promise: PromiseLike<unknown>): void {
    this.#busy = true;
    promise.then(
      (result) => {
        this.#busy = false;
        this.#open = false;
        this.#asked(result);
        // a source that had its answer at hand is asked again in this turn
        if (this.#mayAsk && this.#env.clock.now() - this.#turnStart < TURN_MS) this.#ask(this.#turnStart);
        this.#env.wake();
      },
      (error: unknown) => {
        this.#busy = false;
        this.#open = false;
        // one that waits with `context.signal` is told by it that nothing more is wanted
        if (this.#state === 'quiet' && isAbort(error)) return this.#env.wake();
        this.#state = 'quiet';
        this.#env.report.fatal(error ?? new Error('next rejected with undefined'), `${this.#where} next`);
      },
    );
  }

  /** What `next` answered. */
  #asked(result: unknown): void {
    if (result === undefined && this.#stirred) {
      this.#idleMs = FIRST_IDLE_MS;
      return;
    }
    if (result === 'done') {
      if (this.#state === 'asked') this.#state = 'done';
      this.#env.wake();
    } else if (result === 'idle' || result === undefined) {
      // one that emitted nothing and said nothing has nothing: asked at once, it would keep a processor busy with it
      this.#busy = true;
      this.#env.clock.after(this.#idleMs, () => {
        this.#busy = false;
        this.#env.wake();
      });
      this.#idleMs = Math.min(MAX_IDLE_MS, this.#idleMs * 2);
    } else {
      this.#state = 'quiet';
      const message = `${this.#where}: next must return 'done', 'idle' or undefined, or a promise of one; got ${shown(result)}`;
      this.#env.report.fatal(new SquallError('ERR_SQUALL_SPOUT', message), `${this.#where} next`);
    }
  }

  emit(values: Record<string, unknown>, options?: SpoutEmitOptions): void {
    this.#emit(values, options, undefined);
  }

  emitDirect(task: number, values: Record<string, unknown>, options?: SpoutEmitOptions): void {
    this.#mustBeOpen('emitDirect');
    this.sender.outbox.checkDirect(this.#stream(options?.stream), task);
    this.#emit(values, options, task);
  }

  /** Waits during a pause too, and rejects with an AbortError once the run drains: nothing more is wanted then. */
  async ready(): Promise<void> {
    this.#mustBeOpen('ready');
    this.#emits = 0;
    if (this.#state !== 'asked') throw drains();
    if (this.#hasRoom) return;
    this.sender.flush();
    this.#env.wake();
    await this.#waiters.wait();
  }

  /** Throws where it is not declared. */
  #stream(name = 'default'): OutStream {
    if (name === 'default' && this.#defaultStream !== undefined) return this.#defaultStream;
    return this.sender.outbox.stream(name, this.#where);
  }

  get #hasRoom(): boolean {
    return !this.#paused && this.#mayPend && this.sender.hasRoom;
  }

  #letGo(): void {
    if (this.#waiters.empty) return;
    if (this.#state !== 'asked') this.#waiters.release(drains());
    else if (this.#hasRoom) this.#waiters.release();
  }

  #emit(values: Record<string, unknown>, options: SpoutEmitOptions | undefined, task: number | undefined): void {
    this.#mustBeOpen('emit');
    if (this.#env.debug) checkEmitOptions(options, SPOUT_EMIT_OPTIONS, this.#where);
    this.#emits += 1;
    if (this.#emits > MAX_EMITS_PER_EXECUTE) throw this.#tooManyEmits();
    this.#stirred = true;
    if (this.#busy) this.#linger.flushLater();
    const stream = this.#stream(options?.stream);
    const id = options?.id;
    if (id === undefined) {
      this.origin.startUntracked(stream, values, this.#untracked++, task);
      return;
    }
    if (this.#definition.replay === 'source' && options?.position !== undefined) {
      throw new SquallError(
        'ERR_SQUALL_EMIT',
        `${this.#where}: emit with a position from a spout with replay: 'source', whose source knows itself what it has to send again; leave position out`,
      );
    }
    const kind = typeof id;
    if (kind !== 'string' && kind !== 'number' && kind !== 'bigint') {
      throw new SquallError(
        'ERR_SQUALL_EMIT',
        `${this.#where}: a message id is a string, number or bigint; got ${shown(id)}`,
      );
    }
    try {
      this.origin.start(stream, values, id, options?.position, this.#busy ? this.#env.clock.now() : this.#now, task);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_SQUALL_OVERSIZE') throw error;
      // too large for the server: a throw would end a spout that does not expect it, and it would meet the same tuple
      // again. So the letter keeps what can be kept, and `fail` tells the spout.
      this.reject(id, error as Error, { position: options?.position, values: head(values) });
    }
  }

  reject(id: MessageId, error: Error, options?: { readonly position?: Position; readonly values?: unknown }): void {
    this.#mustBeOpen('reject');
    this.#stirred = true;
    const reason = (error as { code?: unknown }).code === 'ERR_SQUALL_OVERSIZE' ? 'oversize' : 'failed';
    this.origin.reject(
      id,
      { reason, attempts: 1, component: this.#env.component, task: this.#env.task, error: errorFacts(error) },
      options?.values,
      'default',
      options?.position,
      this.#env.clock.now(),
    );
  }

  #tooManyEmits(): SquallError {
    return new SquallError(
      'ERR_SQUALL_TOO_MANY_EMITS',
      `${this.#where}: more than ${MAX_EMITS_PER_EXECUTE} emits in one call of next. Emit a few and return: next is called again ` +
        'while there is room; or await out.ready() now and then, so that they can leave.',
      { facts: { limit: MAX_EMITS_PER_EXECUTE } },
    );
  }

  #mustBeOpen(what: string): void {
    if (this.#open) return;
    this.origin.drop('out-settled');
    throw new SquallError(
      'ERR_SQUALL_OUT_SETTLED',
      `${this.#where}: ${what} outside of next. Emit while next runs, or return a promise from next that resolves after the last emit.`,
    );
  }

  #sayEnd(): void {
    this.#state = 'said';
    this.tellPosition();
    this.sender.end();
    this.#env.wake();
  }

  #end(): void {
    this.#state = 'ended';
    this.#env.report.ended();
  }

  /** This incarnation replaces one that was done and empty: the source is never opened again. */
  resumeEnded(): void {
    this.#instance = { next: () => 'done' };
    this.#sayEnd();
  }

  #claim(): void {
    if (this.#env.ackers.length === 0) return;
    const claims = new Claims();
    this.sender.claim(claims);
    claims.send(this.#env);
  }
}

function drains(): Error {
  const error = new Error('the run drains: no more tuples are wanted');
  error.name = 'AbortError';
  return error;
}

function isAbort(error: unknown): boolean {
  return (error as { readonly name?: unknown } | undefined)?.name === 'AbortError';
}

/** What a dead letter keeps of a tuple that is too large to be sent anywhere: sizes and heads. */
function head(values: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string' && value.length > HEAD_LENGTH) {
      kept[name] = { chars: value.length, head: value.slice(0, HEAD_LENGTH) };
    } else if (value instanceof Uint8Array && value.length > HEAD_LENGTH) {
      kept[name] = { bytes: value.length, head: value.slice(0, HEAD_LENGTH) };
    } else kept[name] = value;
  }
  return kept;
}
const HEAD_LENGTH = 1024;
