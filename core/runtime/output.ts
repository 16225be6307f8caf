/** What every `out` of a bolt task shares: its streams, the wait for room, and the words for what is done wrong. */
import { SquallError } from '../errors.js';
import type { BoltEmitOptions } from '../topology/definition.js';
import { BOLT_EMIT_OPTIONS, checkEmitOptions } from './emit-options.js';
import type { TaskEnv } from './env.js';
import type { Drops } from './inbox.js';
import type { Outbox, OutStream } from './outbox.js';
import type { Sender } from './sender.js';
import { Waiters } from './waiters.js';

/** What authors may do wrong with tuples and `out`: counted among what was dropped. */
export const MISUSES = [
  'double-ack',
  'double-fail',
  'foreign-tuple',
  'emit-after-ack',
  'emit-after-end',
  'out-settled',
  'ack-in-auto',
  'fail-in-auto',
  'anchors-in-auto',
  'dropped-unsettled',
] as const;
export type Misuse = (typeof MISUSES)[number];

export class Output {
  readonly outbox: Outbox;
  readonly where: string;
  readonly misuses: Drops = {};
  /** the task is at work, and sends at the end of its turn; what is emitted between turns must wake it */
  inTurn = false;
  readonly #debug: boolean;
  readonly #sender: Sender;
  readonly #wake: () => void;
  readonly #default: OutStream | undefined;
  readonly #waiters = new Waiters();

  constructor(env: TaskEnv, sender: Sender, hasDefault: boolean) {
    this.#debug = env.debug;
    this.#sender = sender;
    this.#wake = () => env.wake();
    this.outbox = sender.outbox;
    this.where = `${env.component}[${env.task}]`;
    this.#default = hasDefault ? this.outbox.stream('default', this.where) : undefined;
  }

  /** The stream that an emit with these options means. Throws where it is not declared. */
  streamOf(options: BoltEmitOptions | undefined): OutStream {
    if (this.#debug) checkEmitOptions(options, BOLT_EMIT_OPTIONS, this.where);
    const name = options?.stream;
    if (name === undefined || name === 'default') return this.#default ?? this.outbox.stream('default', this.where);
    return this.outbox.stream(name, this.where);
  }

  /** Resolves when there is room: at once, or in the turn in which a receiver has made some. */
  ready(): Promise<void> {
    if (this.#sender.hasRoom) return Promise.resolve();
    // what is collected must leave, or it would never be confirmed
    this.#sender.flush();
    this.#wake();
    return this.#waiters.wait();
  }

  /** To be called when there may be room again. */
  letGo(): void {
    if (!this.#waiters.empty && this.#sender.hasRoom) this.#waiters.release();
  }

  /** Something was emitted, acked or failed. */
  stirred(): void {
    if (!this.inTurn) this.#wake();
  }

  count(kind: Misuse): void {
    this.misuses[kind] = (this.misuses[kind] ?? 0) + 1;
  }

  misuse(kind: Misuse, what: string, facts: Readonly<Record<string, unknown>> = {}): SquallError {
    this.count(kind);
    return new SquallError('ERR_SQUALL_MISUSE', `${this.where}: ${what}`, { facts: { kind, ...facts } });
  }

  anchorsInAuto(): SquallError {
    return this.misuse(
      'anchors-in-auto',
      "anchors in a bolt with ack: 'auto', which anchors everything to the tuple that is being executed; declare ack: 'manual'",
    );
  }

  tooManyEmits(limit: number): SquallError {
    return new SquallError(
      'ERR_SQUALL_TOO_MANY_EMITS',
      `${this.where}: more than ${limit} emits in one execute. Split the input into smaller tuples upstream, or await out.ready() now and then, so that they can leave.`,
      { facts: { limit } },
    );
  }
}
