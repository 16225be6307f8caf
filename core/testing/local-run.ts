/** `runLocal` and `startLocal`: a topology in this process, without NATS, on virtual time. */
import { MAX_ACKERS } from '../cluster/assignment.js';
import { SquallError, shown } from '../errors.js';
import type { TopologyBuilder } from '../topology/builder.js';
import type { SpoutComponent } from '../topology/component.js';
import type { TopologyPlan } from '../topology/definition.js';
import { isTopology, type Topology } from '../topology/draft.js';
import { nearest } from '../topology/names.js';
import { planOf } from '../topology/plan.js';
import type { StreamValues } from '../topology/streams.js';
import { AuthorCode } from './author-code.js';
import { observed } from './author-hooks.js';
import { Driver } from './driver.js';
import { withGivenSpouts } from './given-spout.js';
import { LocalCluster } from './local-cluster.js';
import { waitsForNothingReal } from './local-handle.js';
import { type AnyComponents, type LocalResult, resultOf } from './local-result.js';
import { Recorder } from './recorder.js';
import { Scheduler } from './scheduler.js';
import { Seeded } from './seeded.js';

/** `{ component: declared streams }` of a topology, as its builder collected them. */
export type ComponentsOf<T> = T extends TopologyBuilder<infer C, infer _B> ? C : AnyComponents;

/** Those of them that are spouts. */
export type SpoutsOf<T> = T extends TopologyBuilder<infer C, infer B> ? Omit<C, keyof B> : AnyComponents;

/** What stands in for a spout: its tuples, its tuples by stream, or another spout such as a `feeder`. */
export type GivenSpout<S> =
  | ('default' extends keyof S ? readonly S['default'][] : never)
  | { readonly [N in keyof S]?: readonly S[N][] }
  | (S extends StreamValues ? SpoutComponent<S> : never);

/** `S`: the streams of the topology's spouts, by name. */
export interface LocalOptions<S = AnyComponents> {
  /** by name; spouts that are not named run as they are */
  readonly spouts?: { readonly [K in keyof S]?: GivenSpout<S[K]> };
  /** default 1: all tasks in one worker. 'task': one for each, so that every tuple goes over the network in memory */
  readonly workers?: number | 'task';
  /** acker tasks; default 1; 0: nothing is tracked */
  readonly ackers?: number;
  /** of all randomness in the run; default 1 */
  readonly seed?: number;
  /** the longest that a call may take, or stand at one instant, in milliseconds of real time; default 10 000 */
  readonly timeoutMs?: number;
  /** as `squall run --debug`; default false */
  readonly debug?: boolean;
  /** what `context.now()` says at the beginning; default 2025-01-01T00:00:00Z */
  readonly startAt?: Date;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_START = Date.UTC(2025, 0, 1);

/**
 * Runs a topology until its spouts are over, every tuple is complete or in the dead letters, and every `end` has run.
 *
 * @throws SquallError ERR_SQUALL_TOPOLOGY, ERR_SQUALL_LOCAL_SPOUT, ERR_SQUALL_LOCAL_OPTION: what was given is wrong;
 * ERR_SQUALL_COMPONENT: code of a component threw where nothing can be retried; ERR_SQUALL_LOCAL_TIMEOUT: it does not end
 */
export async function runLocal<T extends Topology>(
  topology: T,
  options: LocalOptions<SpoutsOf<T>> = {},
): Promise<LocalResult<ComponentsOf<T>>> {
  const local = await startLocal(topology, options);
  try {
    await local.finish();
  } catch (error) {
    // what the components hold is given back; what went wrong first is what the test is to see
    await local.stop().catch(() => {});
    throw error;
  }
  return local.stop();
}

/** Starts a topology whose time goes on only when the test says so. Throws as `runLocal` does. */
export async function startLocal<T extends Topology>(
  topology: T,
  options: LocalOptions<SpoutsOf<T>> = {},
): Promise<LocalRun<ComponentsOf<T>>> {
  const local = new LocalRun<ComponentsOf<T>>(topology, options as LocalOptions);
  await local.open();
  return local;
}

/** A topology under way in this process. Calls run one after the other. */
export class LocalRun<C = AnyComponents> {
  readonly #plan: TopologyPlan;
  readonly #scheduler: Scheduler;
  readonly #driver: Driver;
  readonly #cluster: LocalCluster;
  readonly #recorder: Recorder;
  readonly #timeoutMs: number;
  #state: 'running' | 'finished' | 'stopped' = 'running';

  /** @internal use `startLocal` */
  constructor(topology: Topology, options: LocalOptions) {
    const { workers = 1, ackers = 1, seed = 1, timeoutMs = DEFAULT_TIMEOUT_MS, debug = false } = checked(options);
    if (!isTopology(topology)) {
      const call = typeof topology === 'function' ? '; call the function that the topology file exports' : '';
      throw new SquallError('ERR_SQUALL_TOPOLOGY', `expected a topology, found ${shown(topology)}${call}`);
    }
    const plan = withGivenSpouts(planOf(topology), options.spouts ?? {});
    const scheduler = new Scheduler(options.startAt?.getTime() ?? DEFAULT_START);
    const code = new AuthorCode(scheduler);
    this.#plan = plan;
    this.#timeoutMs = timeoutMs;
    this.#scheduler = scheduler;
    this.#driver = new Driver(scheduler, code, timeoutMs);
    this.#recorder = new Recorder(plan.components.map(({ name }) => name));
    this.#cluster = new LocalCluster({
      plan: observed(plan, {
        code,
        recorder: this.#recorder,
        local: ({ component, task }) => ({
          sleep: (ms) => waitsForNothingReal(new Promise((resolve) => void scheduler.after(ms, resolve))),
          waitFor: (what, promise) => void code.returned(what, promise),
          exit: (why) => this.#cluster.kill(task, `${component}[${task}]: ${why}`),
        }),
        isAlive: ({ task, epoch }) => this.#cluster.isAlive(task, epoch),
      }),
      workers,
      ackers,
      debug,
      scheduler,
      seeded: new Seeded(seed),
    });
  }

  /** Milliseconds since the start, on the run's own clock. */
  get now(): number {
    return this.#scheduler.now;
  }

  /** @internal */
  async open(): Promise<void> {
    try {
      await this.#during(this.#cluster.start(), 'the start');
    } catch (error) {
      // what some components have opened is given back; what went wrong is what the test is to see
      await this.stop().catch(() => {});
      throw error;
    }
  }

  /**
   * Everything that is due now is done: turns, messages, promises of the components. Time stands still.
   */
  async settle(): Promise<void> {
    await this.#pump('settle()', 0);
  }

  /** Time goes on by `ms`; everything that falls due meanwhile is done, each at its own time. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && Number.isFinite(ms))) {
      throw new SquallError('ERR_SQUALL_LOCAL_OPTION', `advance: expected milliseconds from 0, found ${shown(ms)}`);
    }
    await this.#pump(`advance(${ms})`, ms);
  }

  /** Until all spouts are over, every tuple is complete or dead-lettered, and every `end` has run. Time goes on by itself. */
  async finish(): Promise<void> {
    await this.#pump('the run', Number.POSITIVE_INFINITY, { until: () => this.#cluster.ended });
    if (!this.#cluster.ended) throw this.#late('the run');
    if (this.#state === 'running') this.#state = 'finished';
  }

  /**
   * No more calls of `next`; what is in flight completes, for at most the message time-out on the run's clock. False: not
   * everything did.
   */
  async drain(): Promise<boolean> {
    await this.#during(this.#cluster.drain(), 'drain()');
    const longestMs = Math.max(...this.#plan.components.map(({ config }) => config.messageTimeoutMs));
    await this.#pump('drain()', longestMs, { untilIdle: () => this.#cluster.drained });
    return this.#cluster.drained;
  }

  /** No more calls of `next`, until `resume`. */
  async pause(): Promise<void> {
    await this.#during(this.#cluster.pause(), 'pause()');
  }

  async resume(): Promise<void> {
    await this.#during(this.#cluster.resume(), 'resume()');
  }

  /** Calls `close` and `cleanup`. What is in flight stays as it is. */
  async stop(): Promise<LocalResult<C>> {
    if (this.#state !== 'finished') this.#state = 'stopped';
    await this.#during(this.#cluster.stop(), 'stop()');
    return this.result();
  }

  /** What has happened so far. */
  result(): LocalResult<C> {
    const status = this.#state === 'running' && this.#cluster.ended ? 'finished' : this.#state;
    return resultOf<C>(this.#plan, this.#cluster, this.#recorder, status, this.now);
  }

  async #pump(
    what: string,
    forMs: number,
    ends: { readonly until?: () => boolean; readonly untilIdle?: () => boolean } = {},
  ): Promise<void> {
    const { until = () => false, untilIdle } = ends;
    const failed = (): boolean => this.#cluster.failure !== undefined;
    await this.#driver.pump({ until: () => failed() || until(), untilIdle, forMs, late: () => this.#late(what) });
    if (this.#cluster.failure !== undefined) throw this.#cluster.failure;
  }

  async #during<R>(promise: Promise<R>, what: string): Promise<R> {
    return this.#driver.during(promise, () => this.#late(what));
  }

  /** No promise of a component is open, and still it does not end. */
  #late(what: string): SquallError {
    const unended = this.#cluster.unended();
    const { spouts } = this.#cluster.accounts.counts();
    const pending = Object.entries(spouts)
      .filter(([, counts]) => counts.pending > 0)
      .map(([name, { pending: count }]) =>
        count === 1
          ? `${name} has 1 tuple that is neither acked nor dead-lettered`
          : `${name} has ${count} tuples that are neither acked nor dead-lettered`,
      );
    return new SquallError(
      'ERR_SQUALL_LOCAL_TIMEOUT',
      `${what} was not over after ${this.#timeoutMs} ms (${Math.round(this.now)} ms on its own clock). ` +
        `Not ended: ${unended.join(', ') || 'none'}${pending.map((text) => `; ${text}`).join('')}. ` +
        "A spout that never says 'done' needs tuples of yours, in spouts, or startLocal; a bolt with ack: 'manual' must ack " +
        'or fail every tuple (debug: true finds one that forgets); if it only needs longer, raise timeoutMs.',
      { facts: { unended, timeMs: this.now } },
    );
  }
}

const OPTIONS = ['spouts', 'workers', 'ackers', 'seed', 'timeoutMs', 'debug', 'startAt'];

function checked(options: LocalOptions): LocalOptions {
  const refuse = (what: string): never => {
    throw new SquallError('ERR_SQUALL_LOCAL_OPTION', what);
  };
  for (const key of Object.keys(options)) {
    if (!OPTIONS.includes(key))
      refuse(`there is no option '${key}'${nearest(key, OPTIONS)}; there are ${OPTIONS.join(', ')}`);
  }
  const { workers, ackers, timeoutMs } = options;
  if (workers !== undefined && workers !== 'task' && !(Number.isInteger(workers) && workers > 0))
    refuse(`workers: expected 'task' or a whole number from 1, found ${shown(workers)}`);
  if (ackers !== undefined && !(Number.isInteger(ackers) && ackers >= 0 && ackers <= MAX_ACKERS))
    refuse(`ackers: expected a whole number from 0 to ${MAX_ACKERS}, found ${shown(ackers)}`);
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    refuse(`timeoutMs: expected milliseconds, found ${shown(timeoutMs)}`);
  return options;
}
