/** Runs as other processes see them: found over NATS, asked how they are, and told what to do. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { SquallError } from '../errors.js';
import type { ConnectOptions } from '../transport/connect-options.js';
import { NatsTransport } from '../transport/nats.js';
import type { Transport } from '../transport/transport.js';
import {
  type ControlAction,
  type ControlAnswer,
  type ControlRequest,
  controlSubject,
  decodeAnswer,
  encode,
  type RemoteEnd,
  type RemoteRun,
  replySubject,
} from './control-messages.js';
import { runningServer } from './running-server.js';
import { StateFolder } from './state-folder.js';

const LOOK_EVERY_MS = 25;
/** Asked again in so many looks: a message may get lost. */
const LOOKS_PER_QUESTION = 10;
/**
 * Who has not answered by then, and so long after the last answer, is taken for not there. A run's process is never busy
 * for long: its tuples are with its workers.
 */
const NOBODY_AFTER_MS = 1500;
const LAST_AFTER_MS = 400;
/** A run that was waited for and says nothing for so long is gone without a last word. */
const LOST_AFTER_MS = 6000;

export interface ControlAccess {
  /** the state folder of the runs */
  readonly state: string;
  /** the server of the runs; without it the one that a run of the state folder has up */
  readonly nats?: ConnectOptions;
}

export class ControlClient {
  readonly #transport: Transport;
  readonly #reply = randomBytes(12).toString('hex');
  readonly #subjects = new Set<string>();
  readonly #listeners = new Set<(answer: ControlAnswer) => void>();
  /** last words that were heard, by start */
  readonly #ends = new Map<string, RemoteEnd>();
  /** the server lets this user not ask */
  #refused: Error | undefined;

  /** `transport` is closed with it. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Undefined: no server is known there. Starts none. Rejects where one is known and does not answer. */
  static async open({ state, nats }: ControlAccess): Promise<ControlClient | undefined> {
    const connection = nats ?? runningServer(new StateFolder(state));
    if (connection === undefined) return undefined;
    let client: ControlClient | undefined;
    const transport = await NatsTransport.connect(
      { ...connection, name: 'squall:control', waitOnFirstConnect: false },
      {
        onError(error) {
          if (client !== undefined) client.#failed(error);
        },
      },
    );
    client = new ControlClient(transport);
    return client;
  }

  /** Who may not ask does not learn more by waiting. Links that break come back. */
  #failed(error: Error): void {
    if ((error as { readonly code?: unknown }).code === 'ERR_SQUALL_NATS_PERMISSION') this.#refused ??= error;
  }

  /** All that can be heard of within a short time, of one topology or of all; the one that began first is first. */
  async runs(topology?: string): Promise<readonly RemoteRun[]> {
    const found = new Map<string, RemoteRun>();
    let deadline = performance.now() + NOBODY_AFTER_MS;
    const forget = this.#listen((answer) => {
      if (answer.type !== 'run') return;
      if (!found.has(answer.start)) deadline = performance.now() + LAST_AFTER_MS;
      const { type: _type, to: _to, ...run } = answer;
      found.set(run.start, run);
    });
    await this.#asking(topology, { action: 'status' }, () => performance.now() >= deadline);
    forget();
    return [...found.values()].sort((one, other) => one.startedAt - other.startedAt);
  }

  /** Has it done, and resolves with the run's answer. Rejects with ERR_SQUALL_NO_ANSWER. */
  async tell({ topology, start }: RemoteRun, action: ControlAction): Promise<RemoteRun> {
    let answer: RemoteRun | undefined;
    const forget = this.#listen((said) => {
      if (said.type === 'run' && said.start === start && said.to === action) answer ??= said;
    });
    const deadline = performance.now() + LOST_AFTER_MS;
    // done twice is done once
    await this.#asking(topology, { action, start }, () => answer !== undefined || performance.now() >= deadline);
    forget();
    if (answer !== undefined) return answer;
    const message = `the run of '${topology}' does not answer any more: it may have ended; squall list tells what runs`;
    throw new SquallError('ERR_SQUALL_NO_ANSWER', message, { facts: { topology, start, action } });
  }

  /** Resolves when the run has ended; with undefined where it is gone without a word. `told`: each time it is heard of. */
  async ended({ topology, start }: RemoteRun, told: (run: RemoteRun) => void): Promise<RemoteEnd | undefined> {
    let deadline = performance.now() + LOST_AFTER_MS;
    const forget = this.#listen((answer) => {
      if (answer.start !== start) return;
      deadline = performance.now() + LOST_AFTER_MS;
      if (answer.type === 'run') told(answer);
    });
    const over = () => this.#ends.has(start) || performance.now() >= deadline;
    await this.#asking(topology, { action: 'watch', start }, over);
    forget();
    return this.#ends.get(start);
  }

  /** Asks again and again, until `over`. */
  async #asking(
    topology: string | undefined,
    request: Omit<ControlRequest, 'reply'>,
    over: () => boolean,
  ): Promise<void> {
    this.#hear(topology);
    for (let looks = 0; !over(); looks++) {
      if (looks % LOOKS_PER_QUESTION === 0) {
        this.#transport.publish(controlSubject(topology), encode({ ...request, reply: this.#reply }));
      }
      await delay(LOOK_EVERY_MS);
      if (this.#refused !== undefined) throw this.#refused;
    }
  }

  /** From now on, what is said beside the questions to this topology is heard. */
  #hear(topology: string | undefined): void {
    const subject = replySubject(topology, this.#reply);
    if (this.#subjects.has(subject)) return;
    this.#subjects.add(subject);
    this.#transport.subscribe(subject, (bytes) => {
      const answer = decodeAnswer(bytes);
      if (answer === undefined) return;
      if (answer.type === 'ended') this.#ends.set(answer.start, answer);
      for (const listener of [...this.#listeners]) listener(answer);
    });
  }

  #listen(listener: (answer: ControlAnswer) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }
}
