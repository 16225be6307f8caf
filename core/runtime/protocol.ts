/** What supervisor and worker say to each other over the pipe between them. */
import type { DeadLetter } from '../inspect/dead-letter.js';
import type { Failure, Position } from '../topology/definition.js';
import type { SipKey } from '../wire/sip-hash.js';
import type { ClosedChannel } from './env.js';
import type { OriginCounts } from './origin.js';
import type { LinkCounts } from './sender.js';
import type { BoltCounts } from './settler.js';

/** How to reach NATS. Travels by the pipe, never by argv or environment. */
export type Connection = Readonly<Record<string, unknown>>;

export interface TaskAssignment {
  readonly task: number;
  readonly epoch: number;
  readonly component: string;
  readonly index: number;
  /** spouts: where to go on */
  readonly position?: Position;
  /** it goes on where an earlier process or run stopped */
  readonly resumed: boolean;
  /** it had said END: it only says so again */
  readonly ended: boolean;
}

export interface StartMessage {
  readonly type: 'start';
  readonly file: string;
  /** the file as it was compiled for this run, where it had to be */
  readonly code?: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly hash: number;
  readonly worker: number;
  /** identity of the run for stable ids; kept by a resumed run */
  readonly run: string;
  /** token of this start in subjects */
  readonly token: string;
  /** frames of this start are summed under it */
  readonly frameKey: SipKey;
  readonly tasks: readonly TaskAssignment[];
  readonly ackers: readonly number[];
  readonly connection: Connection;
  readonly title: string;
  /** where this worker notes what it is about to execute: see SuspectFile */
  readonly suspectFile: string;
  /** every tuple is announced before its execute: this worker keeps dying */
  readonly announce: boolean;
  /** stable ids of tuples that nobody executes any more */
  readonly poison: readonly string[];
  readonly debug: boolean;
}

/** State of one task as everybody should know it. */
export interface PeerState {
  readonly task: number;
  readonly epoch: number;
  readonly state: 'ready' | 'gone';
}

export type ToWorker =
  | StartMessage
  | { readonly type: 'peers'; readonly peers: readonly PeerState[] }
  | { readonly type: 'go' }
  | { readonly type: 'blocked'; readonly task: number; readonly blocked: boolean }
  | {
      readonly type: 'quarantine';
      readonly id: string;
      readonly hi: number;
      readonly lo: number;
      readonly failure: Failure;
    }
  /** no more calls of `next`, until `resume` */
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** no more calls of `next`, for good */
  | { readonly type: 'drain' }
  /** the components of a cycle take this step together: run `end`, then say END */
  | { readonly type: 'cycle'; readonly cycle: number; readonly step: 'end' | 'close' }
  /** a report is wanted at once: `stats` with this round */
  | { readonly type: 'report'; readonly round: number }
  | { readonly type: 'stop' }
  | { readonly type: 'letter-stored'; readonly number: number; readonly error?: string };

/** What a bolt task measures of its work; histograms are sparse and cumulative, see `load.ts`. */
export interface TaskLoad {
  readonly busyMs: number;
  /** tuples in its inbox */
  readonly queued: number;
  readonly executeMs: readonly number[];
  readonly executeMaxMs: number;
  readonly queueMs: readonly number[];
  readonly queueMaxMs: number;
}

/** What went wrong last in a task. */
export interface TaskError {
  readonly message: string;
  /** milliseconds since 1970 */
  readonly at: number;
  /** so many in this incarnation */
  readonly count: number;
}

/** What a worker measures of its process. */
export interface ProcessLoad {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** user and system time since its start */
  readonly cpuMs: number;
  /** how late its event loop was: the most since the last report */
  readonly loopLagMs: number;
  /** time of its last echo over the broker and back: what a frame takes from a task to another */
  readonly dataEchoMs?: number;
  readonly controlEchoMs?: number;
}

/** Counts of one task, cumulative over its incarnation. */
export interface TaskStats {
  readonly task: number;
  readonly epoch: number;
  readonly kind: 'spout' | 'bolt' | 'acker';
  readonly spout?: OriginCounts & { readonly pending: number; readonly waiting: number };
  readonly bolt?: BoltCounts;
  /** trees that a bolt's `tick` and `end` started */
  readonly trees?: OriginCounts & { readonly pending: number; readonly waiting: number };
  readonly links?: LinkCounts;
  /** durations of complete trees: sparse histogram, and the longest in ms */
  readonly latency?: readonly number[];
  readonly latencyMaxMs?: number;
  readonly drops: Readonly<Record<string, number>>;
  readonly drained: boolean;
  /** age of the oldest pending tuple in ms */
  readonly oldestMs?: number;
  /**
   * of a component in a cycle: open, until all that comes from outside of the cycle has ended; over, until it is told
   * to run `end`; settling, until it is told to say END; said. `quiet`: at this moment nothing is left to be done here,
   * and all that was sent is confirmed.
   */
  readonly cycle?: { readonly step: 'open' | 'over' | 'settling' | 'said'; readonly quiet: boolean };
  readonly load?: TaskLoad;
  /** receivers that have no room for more, and for how long */
  readonly blockedOn?: readonly { readonly task: number; readonly ms: number }[];
  readonly error?: TaskError;
  /** ackers: roots that are not complete */
  readonly open?: number;
  /** what the component's own code counts: `context.metrics` */
  readonly metrics?: MetricsReport;
}

/** Cumulative values of a task's own metrics, by name. */
export interface MetricsReport {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  /** sparse histogram, and the largest value */
  readonly histograms: Readonly<Record<string, { readonly sparse: readonly number[]; readonly max: number }>>;
}

export interface WorkerError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
}

/** A tuple that will be sent again. */
export interface ReplayNotice {
  readonly component: string;
  readonly task: number;
  readonly id: string;
  /** number of the attempt to come */
  readonly attempt: number;
  readonly failure: Failure;
}

export type FromWorker =
  /** `hasEnd`: its tasks whose bolt has an `end` */
  | { readonly type: 'ready'; readonly hasEnd: readonly number[] }
  /** it cannot start, or its component's code failed where nothing can be retried */
  | { readonly type: 'fatal'; readonly error: WorkerError; readonly where: string; readonly starting: boolean }
  | { readonly type: 'ended'; readonly task: number }
  | { readonly type: 'position'; readonly task: number; readonly position: Position }
  | { readonly type: 'channel'; readonly record: ClosedChannel }
  | { readonly type: 'warn'; readonly message: string }
  | { readonly type: 'link'; readonly up: boolean; readonly why: string }
  /** `round`: the answer to a `report` */
  | {
      readonly type: 'stats';
      readonly stats: readonly TaskStats[];
      readonly process?: ProcessLoad;
      readonly round?: number;
    }
  | { readonly type: 'replays'; readonly replays: readonly ReplayNotice[] }
  | { readonly type: 'letter'; readonly number: number; readonly letter: DeadLetter }
  | { readonly type: 'stopped'; readonly stats: readonly TaskStats[] };
