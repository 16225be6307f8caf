/** Where a run hears of what other processes want of it: `squall list`, `pause`, `resume`, `drain`, `kill`. */
import { hostname } from 'node:os';
import type { Transport, TransportSubscription } from '../transport/transport.js';
import {
  type ControlAction,
  type ControlAnswer,
  type ControlRequest,
  controlSubject,
  decodeRequest,
  encode,
  type RemoteRun,
  replySubject,
} from './control-messages.js';
import type { RunResult, RunSnapshot } from './run-types.js';

/** So many who wait for the end are told of it; the first to come is forgotten where there are more. */
const MAX_WATCHERS = 64;
/** The last word is worth a short wait, not a hanging end. */
const LAST_WORD_MS = 1000;

export type DeskAction = Exclude<ControlAction, 'status' | 'watch'>;

export interface DeskOptions {
  readonly topology: string;
  readonly run: string;
  readonly start: string;
  snapshot(): RunSnapshot;
  /** Does it; or returns why not. */
  act(action: DeskAction): string | undefined;
}

export class ControlDesk {
  readonly #transport: Pick<Transport, 'publish' | 'subscribe' | 'flush'>;
  readonly #options: DeskOptions;
  readonly #startedAt = Date.now();
  readonly #subscriptions: readonly TransportSubscription[];
  /** subjects of those who wait for the end */
  readonly #watchers = new Set<string>();

  constructor(transport: Pick<Transport, 'publish' | 'subscribe' | 'flush'>, options: DeskOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#subscriptions = [undefined, options.topology].map((topology) =>
      transport.subscribe(controlSubject(topology), (bytes) => {
        const request = decodeRequest(bytes);
        if (request !== undefined) this.#take(request, topology);
      }),
    );
  }

  #take({ action, reply, start }: ControlRequest, topology: string | undefined): void {
    const addressed = start === this.#options.start && topology !== undefined;
    if (!addressed && (start !== undefined || action !== 'status')) return;
    const subject = replySubject(topology, reply);
    if (action === 'status') return this.#answer(subject, action);
    this.#watchers.add(subject);
    for (const first of this.#watchers) if (this.#watchers.size > MAX_WATCHERS) this.#watchers.delete(first);
    this.#answer(subject, action, action === 'watch' ? undefined : this.#options.act(action));
  }

  #answer(subject: string, to: ControlAction, refused?: string): void {
    const { topology, run, start, snapshot } = this.#options;
    const answer: RemoteRun = {
      topology,
      run,
      start,
      pid: process.pid,
      host: hostname(),
      startedAt: this.#startedAt,
      snapshot: snapshot(),
      ...(refused === undefined ? {} : { refused }),
    };
    this.#publish(subject, { type: 'run', to, ...answer });
  }

  #publish(subject: string, answer: ControlAnswer): void {
    try {
      // false while the link is down: who waits asks again
      this.#transport.publish(subject, encode(answer));
    } catch {
      // larger than the server takes: thousands of tasks, and their list is what can be done without
      if (answer.type === 'run' && answer.snapshot.tasks.length > 0) {
        this.#publish(subject, { ...answer, snapshot: { ...answer.snapshot, tasks: [] } });
      }
    }
  }

  /** The last word, to those who wait for it. Hears nothing any more. */
  async ended({ status, drained }: RunResult): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    const { start } = this.#options;
    for (const subject of this.#watchers) {
      this.#publish(subject, { type: 'ended', start, status, ...(drained === undefined ? {} : { drained }) });
    }
    if (this.#watchers.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WORD_MS);
    });
    await Promise.race([this.#transport.flush().catch(() => {}), late]);
    clearTimeout(timer);
  }
}
