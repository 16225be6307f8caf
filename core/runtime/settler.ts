/** How the tuples of a bolt task end: what the ackers are told of them, and the counts of it. */
import type { Failure } from '../topology/definition.js';
import { type Batch, SEVERAL_ROOTS } from '../wire/batch.js';
import type { AckBox } from './ack-box.js';
import type { TaskEnv } from './env.js';
import type { Execution } from './execution.js';
import { errorFacts } from './failure.js';
import type { Hold } from './held.js';
import type { TaskError } from './protocol.js';
import type { Claims } from './sender.js';

/** It is shown in one line; the whole is with the tuple. */
const MAX_ERROR_CHARS = 200;

export interface BoltCounts {
  executed: number;
  emitted: number;
  acked: number;
  failed: number;
}

export class Settler {
  readonly counts: BoltCounts = { executed: 0, emitted: 0, acked: 0, failed: 0 };
  lastError: TaskError | undefined;
  readonly #env: TaskEnv;
  readonly #acks: AckBox;
  readonly #tracks: boolean;
  /** for bolts with `flush`: tuples that are executed and not acked yet, and their roots as [hi, lo, xorHi, xorLo] */
  #unflushed = 0;
  #unflushedRoots: number[] = [];

  constructor(env: TaskEnv, acks: AckBox) {
    this.#env = env;
    this.#acks = acks;
    this.#tracks = env.ackers.length > 0;
  }

  get unflushed(): number {
    return this.#unflushed;
  }

  acked(execution: Execution): void {
    this.counts.acked += 1;
    if (this.#tracks) this.#acks.ackAll(execution, execution.xorHi, execution.xorLo);
  }

  failed(execution: Execution, error: unknown): void {
    this.counts.failed += 1;
    const failure = this.#failureOf(error);
    if (execution.rootHi === 0) this.#untrackedFailed(failure);
    else this.#acks.failAll(execution, failure);
  }

  failedHold(hold: Hold, error: unknown): void {
    this.counts.failed += 1;
    const failure = this.#failureOf(error);
    if (hold.tracked) hold.forEachRoot((hi, lo) => this.#acks.fail(hi, lo, failure));
    else this.#untrackedFailed(failure);
  }

  /** A tuple that has killed its process again and again is not executed. */
  refused(batch: Batch, at: number): void {
    this.counts.failed += 1;
    const { component, task } = this.#env;
    const failure: Failure = { reason: 'kills-worker', attempts: 0, component, task };
    batch.forEachRootAt(at, (hi, lo) => this.#acks.fail(hi, lo, failure));
  }

  /** Executed; acked or failed once the bolt has flushed. */
  awaitsFlush({ rootHi, rootLo, roots, xorHi, xorLo }: Execution): void {
    this.#unflushed += 1;
    const waiting = this.#unflushedRoots;
    if (rootHi === SEVERAL_ROOTS) {
      for (let at = 0; at < roots.length; at += 2) waiting.push(roots[at], roots[at + 1], xorHi, xorLo);
    } else if (rootHi !== 0) waiting.push(rootHi, rootLo, xorHi, xorLo);
  }

  /** The bolt has flushed, or could not. Returns how many tuples waited for it. */
  flushed(error: unknown): number {
    const count = this.#unflushed;
    const roots = this.#unflushedRoots;
    this.#unflushed = 0;
    this.#unflushedRoots = [];
    if (error !== undefined) {
      this.counts.failed += count;
      const failure = this.#failureOf(error);
      for (let at = 0; at < roots.length; at += 4) this.#acks.fail(roots[at], roots[at + 1], failure);
      return count;
    }
    this.counts.acked += count;
    if (!this.#tracks) return count;
    for (let at = 0; at < roots.length; at += 4) {
      this.#acks.ack(roots[at], roots[at + 1], roots[at + 2], roots[at + 3]);
    }
    return count;
  }

  claim(claims: Claims): void {
    for (let at = 0; at < this.#unflushedRoots.length; at += 4) {
      claims.add(this.#unflushedRoots[at], this.#unflushedRoots[at + 1]);
    }
  }

  #failureOf(error: unknown): Failure {
    const { component, task, clock } = this.#env;
    const facts = errorFacts(error);
    const message = `${facts.name}: ${facts.message.slice(0, MAX_ERROR_CHARS)}`;
    this.lastError = { message, at: clock.wall(), count: (this.lastError?.count ?? 0) + 1 };
    return { reason: 'failed', attempts: 0, component, task, error: facts };
  }

  #untrackedFailed({ component, task, error }: Failure): void {
    this.#env.report.warn(`${component}[${task}]: an untracked tuple failed and is gone: ${error?.message}`);
  }
}
