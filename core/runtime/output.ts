/** What every `out` of a bolt task shares: its streams, the wait for room, and the words for what is done wrong. */
import { SquallError } from '../errors.js';
import type { TaskEnv } from './env.js';
import type { Drops } from './inbox.js';
import type { Outbox, OutStream } from './outbox.js';
import type { Sender } from './sender.js';

export class Output {
  readonly outbox: Outbox;
  readonly where: string;
  /** what authors did wrong with tuples and `out`, by kind: counted with what was dropped */
  readonly misuses: Drops = {};
  /** the task is at work, and sends at the end of its turn; what is emitted between turns must wake it */
  inTurn = false;
  readonly #sender: Sender;
  readonly #wake: () => void;
  readonly #default: OutStream | undefined;
  #waiters: (() => void)[] = [];

  constructor(env: TaskEnv, sender: Sender, hasDefault: boolean) {
    this.#sender = sender;
    this.#wake = () => env.wake();
    this.outbox = sender.outbox;
    this.where = `${env.component}[${env.task}]`;
    this.#default = hasDefault ? this.outbox.stream('default', this.where) : undefined;
  }

  /** Throws where the stream is not declared. */
  stream(name: string | undefined): OutStream {
    if (name === undefined || name === 'default') return this.#default ?? this.outbox.stream('default', this.where);
    return this.outbox.stream(name, this.where);
  }

  /** Resolves when there is room: at once, or in the turn in which a receiver has made some. */
  ready(): Promise<void> {
    if (this.#sender.hasRoom) return Promise.resolve();
    // what is collected must leave, or it would never be confirmed
    this.#sender.flush();
    this.#wake();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** To be called when there may be room again. */
  letGo(): void {
    if (this.#waiters.length === 0 || !this.#sender.hasRoom) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Something was emitted, acked or failed. */
  stirred(): void {
    if (!this.inTurn) this.#wake();
  }

  count(kind: string): void {
    this.misuses[kind] = (this.misuses[kind] ?? 0) + 1;
  }

  misuse(kind: string, what: string, facts: Readonly<Record<string, unknown>> = {}): SquallError {
    this.count(kind);
    return new SquallError('ERR_SQUALL_MISUSE', `${this.where}: ${what}`, { facts: { kind, ...facts } });
  }

  tooManyEmits(limit: number): SquallError {
    return new SquallError(
      'ERR_SQUALL_TOO_MANY_EMITS',
      `${this.where}: more than ${limit} emits in one execute. Split the input into smaller tuples upstream, or await out.ready() now and then, so that they can leave.`,
      { facts: { limit } },
    );
  }
}
