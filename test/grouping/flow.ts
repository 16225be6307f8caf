/**
 * A small discrete-event model of senders that deal tuples to tasks: real channels at both ends, batches as the outbox
 * ships them, windows and credits as the inbox computes them, time of its own. Deterministic: nothing in it is random.
 */
import type { TargetLoads } from '../../core/grouping/grouping.js';
import { ShuffleGrouping } from '../../core/grouping/shuffle.js';
import { type Credit, ReceiveChannel, SendChannel } from '../../core/reliability/channel.js';
import { DueQueue } from '../../core/reliability/due-queue.js';

export interface FlowOptions {
  /** milliseconds of work per tuple, by target */
  readonly workMs: readonly number[];
  readonly senders: number;
  /** tuples that a sender may have incomplete */
  readonly pending: number;
  /** one way */
  readonly delayMs: number;
  /** of one emit */
  readonly emitMs: number;
  /** of each frame, at its sender and at its receiver */
  readonly frameMs: number;
  /** measured from `fromMs` to `toMs` */
  readonly fromMs: number;
  readonly toMs: number;
  /** what happens meanwhile: changes to `workMs` */
  readonly at?: { readonly ms: number; readonly workMs: readonly number[] };
}

export interface Flow {
  /** tuples executed by each target */
  readonly done: readonly number[];
  /** tuples per frame */
  readonly rows: number;
}

// as in outbox, link, inbox and tasks
const FULL_BATCH_ROWS = 2048;
const FIRST_WINDOW_RECORDS = 64;
const WINDOW_MS = 1000;
const MIN_WINDOW_RECORDS = 16;
const MAX_WINDOW_RECORDS = 1 << 16;
const TURN_MS = 4;
const LINGER_MS = 1;
const CLOCK_EVERY = 64;

interface Frame {
  readonly channel: ReceiveChannel;
  readonly sender: Sender;
  readonly number: number;
  readonly rows: number;
}

class Events {
  now = 0;
  readonly #due = new DueQueue<() => void>();

  after(ms: number, act: () => void): void {
    this.#due.push(act, this.now + ms);
  }

  run(untilMs: number): void {
    while (this.#due.firstAt <= untilMs) {
      this.now = this.#due.firstAt;
      this.#due.pop(untilMs)?.();
    }
    this.now = untilMs;
  }
}

class Sender implements TargetLoads {
  readonly channels: readonly SendChannel<undefined>[];
  readonly #batches: number[];
  readonly #windows: number[];
  readonly #events: Events;
  readonly #options: FlowOptions;
  readonly #targets: readonly Target[];
  readonly #grouping: ShuffleGrouping;
  #pending = 0;
  #planned = false;
  #busyUntil = 0;
  #flushedAt = 0;

  constructor(events: Events, options: FlowOptions, targets: readonly Target[], number: number) {
    this.#events = events;
    this.#options = options;
    this.#targets = targets;
    this.channels = targets.map((_, at) => new SendChannel(at, 1, FIRST_WINDOW_RECORDS, 1 << 30));
    this.#batches = targets.map(() => 0);
    this.#windows = targets.map(() => 0);
    this.#grouping = new ShuffleGrouping([...targets.keys()], number, this);
  }

  load(index: number): number {
    const { room, inFlight } = this.channels[index];
    const collected = this.#batches[index];
    return room <= collected ? Number.POSITIVE_INFINITY : inFlight + collected;
  }
  speed(index: number): number {
    return this.#windows[index];
  }

  wake(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#events.after(Math.max(0, this.#busyUntil - this.#events.now), () => this.#turn());
  }
  completed(rows: number): void {
    this.#pending -= rows;
    this.wake();
  }
  credited(index: number, credit: Credit): void {
    this.#windows[index] = credit.windowRecords;
    this.channels[index].credit(credit, () => {});
    this.wake();
  }

  #turn(): void {
    this.#planned = false;
    const { pending, emitMs, frameMs } = this.#options;
    let spentMs = 0;
    let more = false;
    while (this.#pending < pending && this.channels.some(({ room }) => room > 0)) {
      if (spentMs > TURN_MS) {
        more = true;
        break;
      }
      const index = this.#grouping.choose();
      this.#pending += 1;
      this.#batches[index] += 1;
      spentMs += emitMs;
      if (this.#batches[index] >= Math.min(FULL_BATCH_ROWS, this.channels[index].room)) {
        spentMs += frameMs;
        this.#ship(index, spentMs);
      }
    }
    if (!more || this.#events.now + spentMs - this.#flushedAt >= LINGER_MS) {
      this.#flushedAt = this.#events.now + spentMs;
      for (let index = 0; index < this.#batches.length; index++) {
        if (this.#batches[index] === 0) continue;
        spentMs += frameMs;
        this.#ship(index, spentMs);
      }
    }
    this.#busyUntil = this.#events.now + spentMs;
    if (more) this.wake();
  }

  #ship(index: number, inMs: number): void {
    const rows = this.#batches[index];
    this.#batches[index] = 0;
    const channel = this.channels[index];
    channel.send(rows, rows * 32, 0, 0, undefined);
    const { frame, sent } = channel;
    this.#grouping.moveOn();
    this.#events.after(inMs + this.#options.delayMs, () => this.#targets[index].arrive(this, frame, rows, sent));
  }
}

class Target {
  done = 0;
  frames = 0;
  workMs: number;
  readonly #index: number;
  readonly #events: Events;
  readonly #options: FlowOptions;
  readonly #channels = new Map<Sender, ReceiveChannel>();
  readonly #told = new Map<Sender, number>();
  readonly #finished = new Map<Sender, number>();
  readonly #queue: Frame[] = [];
  #row = 0;
  #frameMs = 0;
  #planned = false;
  #busyUntil = 0;
  #msPerRecord = 0;
  #flushedAt = 0;

  constructor(events: Events, options: FlowOptions, index: number) {
    this.#events = events;
    this.#options = options;
    this.#index = index;
    this.workMs = options.workMs[index];
  }

  arrive(sender: Sender, number: number, rows: number, total: number): void {
    const channel = this.#channels.get(sender) ?? new ReceiveChannel(0, 1);
    this.#channels.set(sender, channel);
    channel.arrive(number, rows, total, 0, 0, 0, 0);
    this.#queue.push({ channel, sender, number, rows });
    this.frames += 1;
    this.#wake();
  }

  #wake(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#events.after(Math.max(0, this.#busyUntil - this.#events.now), () => this.#turn());
  }

  /** As a bolt task's turn: looks at the clock after a frame and once in so many executes. */
  #turn(): void {
    this.#planned = false;
    const { workMs } = this;
    let spentMs = 0;
    let executes = 0;
    let more = false;
    while (this.#queue.length > 0 && !more) {
      const { channel, sender, number, rows } = this.#queue[0];
      if (this.#row === 0) spentMs += this.#options.frameMs;
      while (this.#row < rows && !more) {
        this.#row += 1;
        spentMs += workMs;
        this.#frameMs += workMs;
        this.#finished.set(sender, (this.#finished.get(sender) ?? 0) + 1);
        if (++executes % CLOCK_EVERY === 0 && spentMs > TURN_MS) more = true;
      }
      if (this.#row < rows) break;
      this.#queue.shift();
      channel.executed(number, rows, 0);
      const each = this.#frameMs / rows;
      this.#msPerRecord = this.#msPerRecord === 0 ? each : this.#msPerRecord * 0.8 + each * 0.2;
      this.#row = 0;
      this.#frameMs = 0;
      if (spentMs > TURN_MS) more = true;
    }
    this.#busyUntil = this.#events.now + spentMs;
    this.#events.after(spentMs, () => this.#turned(executes, more));
    if (more) this.#wake();
  }

  #turned(executes: number, more: boolean): void {
    this.done += executes;
    const now = this.#events.now;
    if (more && now - this.#flushedAt < LINGER_MS) return;
    this.#flushedAt = now;
    for (const [sender, rows] of this.#finished) {
      // by way of the acker
      this.#events.after(2 * this.#options.delayMs, () => sender.completed(rows));
    }
    this.#finished.clear();
    const idle = this.#queue.length === 0;
    const window = this.#windowRecords();
    for (const [sender, channel] of this.#channels) {
      channel.flushed();
      const told = this.#told.get(sender) ?? 0;
      const news = channel.consumed - told;
      if (news === 0 || (!idle && news < window / 8)) continue;
      this.#told.set(sender, channel.consumed);
      const credit: Credit = {
        frame: 0,
        consumed: 0,
        failed: 0,
        lost: 0,
        windowRecords: 0,
        windowBytes: 0,
        missing: [],
      };
      channel.credit(window, 1 << 30, credit);
      this.#events.after(this.#options.delayMs, () => sender.credited(this.#index, credit));
    }
  }

  #windowRecords(): number {
    if (this.#msPerRecord === 0) return FIRST_WINDOW_RECORDS;
    const records = WINDOW_MS / this.#msPerRecord / this.#channels.size;
    return Math.round(Math.max(MIN_WINDOW_RECORDS, Math.min(MAX_WINDOW_RECORDS, records)));
  }
}

export function flow(options: FlowOptions): Flow {
  const events = new Events();
  const targets: Target[] = [];
  for (const index of options.workMs.keys()) targets.push(new Target(events, options, index));
  const senders = Array.from({ length: options.senders }, (_, number) => new Sender(events, options, targets, number));
  for (const sender of senders) sender.wake();
  const { at } = options;
  if (at !== undefined) {
    events.after(at.ms, () => {
      for (const [index, target] of targets.entries()) target.workMs = at.workMs[index];
    });
  }
  events.run(options.fromMs);
  const before = targets.map(({ done, frames }) => ({ done, frames }));
  events.run(options.toMs);
  const done = targets.map((target, index) => target.done - before[index].done);
  const frames = targets.map((target, index) => target.frames - before[index].frames);
  return { done, rows: sum(done) / sum(frames) };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}
