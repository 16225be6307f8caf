/** What `run` takes, tells and returns. */

import type { Quantiles } from '../runtime/latency.js';
import type { Failure, ReplayReason } from '../topology/definition.js';
import type { ConnectOptions } from '../transport/connect-options.js';

export interface RunOptions {
  /** the topology file, where `run` is given a topology: workers import it themselves */
  readonly file?: string | URL;
  /** parameters of the topology, as `--set` gives them */
  readonly set?: Readonly<Record<string, string>>;
  /** 'task' (default): one process per task; a number: all tasks packed into so many processes */
  readonly workers?: 'task' | number;
  /** acker tasks; default 1; 0: nothing is tracked */
  readonly ackers?: number;
  /** a NATS server to use; without one, `run` starts its own */
  readonly nats?: string | ConnectOptions;
  /** folder of the logins that `squall permissions` has made: every process logs in to `nats` as a user of its own */
  readonly logins?: string;
  /** stop the spouts after this time, and drain */
  readonly durationMs?: number;
  readonly debug?: boolean;
  /** state folder; default `.squall` in the working directory */
  readonly state?: string;
  /** ignore what an earlier run that was cut off had stored */
  readonly fresh?: boolean;
  /** false: do without JetStream; dead letters are then only counted and told */
  readonly jetstream?: boolean;
  /**
   * `PORT` or `HOST:PORT` for Prometheus and health checks: /metrics, /healthz, /ready. Without a host only this machine
   * reaches it; 0 takes any port that is free. Left out: nowhere.
   */
  readonly metrics?: string | number;
  /** ends the run as `drain()` does */
  readonly signal?: AbortSignal;
}

/** completed: all acked. dead-letters: all acked or dead-lettered. incomplete: state was lost with a process. stopped:
 * ended by `stop`, a signal or its duration. failed: it could not go on. */
export type RunStatus = 'completed' | 'dead-letters' | 'incomplete' | 'stopped' | 'failed';

/** Printed by `squall run --json`. */
export interface RunResult {
  readonly topology: string;
  readonly run: string;
  readonly status: RunStatus;
  /** from the first emit to the last completion */
  readonly durationMs: number;
  readonly spouts: Readonly<Record<string, SpoutResult>>;
  readonly bolts: Readonly<Record<string, BoltResult>>;
  readonly completeLatencyMs: Quantiles;
  readonly balance: Balance;
  readonly workers: { readonly started: number; readonly restarts: number };
  /** frames and messages that were refused, late, stale or came twice, by cause */
  readonly dropped: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  /** status `failed`: why */
  readonly error?: { readonly code: string; readonly message: string };
  /** status `stopped`: everything in flight was settled first */
  readonly drained?: boolean;
}

export interface SpoutResult {
  readonly emitted: number;
  readonly untracked: number;
  readonly acked: number;
  readonly deadLettered: number;
  readonly pending: number;
  readonly replays: Readonly<Record<ReplayReason, number>>;
  /** handed back, by `fail`, to a source that sends again itself (`replay: 'source'`). Missing: none. */
  readonly returned?: number;
  /** missing: the component has none of its own */
  readonly metrics?: MetricsResult;
}

export interface BoltResult {
  readonly executed: number;
  readonly emitted: number;
  readonly acked: number;
  readonly failed: number;
  /** what its `tick` and `end` emitted: tracked and replayed like a spout's tuples. Missing: nothing. */
  readonly trees?: SpoutResult;
  /** missing: the component has none of its own */
  readonly metrics?: MetricsResult;
}

/** What a component counts itself, by `context.metrics`: over all its tasks, those that died included. */
export interface MetricsResult {
  readonly counters: Readonly<Record<string, number>>;
  /** last value of each living task, by the task's number */
  readonly gauges: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly histograms: Readonly<Record<string, Quantiles & { readonly count: number }>>;
}

/** created = consumed + failed + writtenOff + inFlight, summed over all channels between tasks. */
export interface Balance {
  readonly created: number;
  readonly consumed: number;
  readonly failed: number;
  readonly writtenOff: number;
  readonly inFlight: number;
  /** `writtenOff` by its cause */
  readonly causes: Readonly<Record<string, number>>;
  /** frames whose count or XOR of edges disagreed with what arrived: an edge was lost or doubled without a cause */
  readonly mismatches: number;
}

/** Per second, over the last ten. */
export interface Rates {
  readonly executed: number;
  readonly emitted: number;
  /** of a spout: its trees that were complete */
  readonly acked: number;
  readonly failed: number;
}

/** What a task, or all tasks of a component, did in the last ten seconds. */
export interface Load {
  readonly perS: Rates;
  /** tuples that wait in the inboxes, now */
  readonly queued: number;
  /**
   * Of a bolt: the share of the time in which executes were under way, of the busiest task. Near 1: it cannot do more;
   * give it more tasks. Above 1 never; executes that wait count.
   */
  readonly capacity: number;
  /** duration of an execute, the mean of each frame. Missing: there was none. */
  readonly executeMs?: Quantiles;
  /** from the arrival of a frame until its first execute. Missing: none came. */
  readonly queueMs?: Quantiles;
}

/** A task at one moment. */
export interface TaskSnapshot {
  /** component and number: `split[2]` */
  readonly component: string;
  readonly task: number;
  readonly pid: number | undefined;
  readonly state: 'starting' | 'ready' | 'gone' | 'ended';
  /** missing: it has not reported yet */
  readonly load?: Load;
  /** of its ledger: tuples that are not complete, and the age of the oldest in ms. Missing: it starts no trees. */
  readonly pending?: number;
  readonly oldestMs?: number;
  /** ackers: roots that are not complete */
  readonly open?: number;
  /** tasks that have no room for what this one sends, and for how long: it waits for them. Missing: none. */
  readonly blockedOn?: readonly { readonly component: string; readonly task: number; readonly ms: number }[];
  /** deaths of its process */
  readonly restarts: number;
  /** its process is dead: it is started again in so many ms */
  readonly restartInMs?: number;
  /** what its process died of last, and when, in ms since 1970 */
  readonly death?: { readonly message: string; readonly at: number };
  /** what an execute failed with last */
  readonly error?: { readonly message: string; readonly at: number; readonly count: number };
  /** of its process, which may host other tasks too */
  readonly process?: {
    readonly rssBytes: number;
    readonly heapBytes: number;
    /** share of one processor over the last ten seconds */
    readonly cpu: number;
    /** how late its event loop was at the most, in the last quarter of a second */
    readonly loopLagMs: number;
    /** its main thread has not turned for so long; missing: it turns */
    readonly standsStillMs?: number;
  };
}

/** The state of a run at one moment: for tables and dashboards. Counts are cumulative. */
export interface RunSnapshot {
  readonly topology: string;
  readonly run: string;
  /** paused: spouts emit nothing, what is in flight goes on */
  readonly phase: 'starting' | 'running' | 'paused' | 'draining' | 'ended';
  readonly elapsedMs: number;
  readonly spouts: Readonly<Record<string, SpoutResult>>;
  readonly bolts: Readonly<Record<string, BoltResult>>;
  readonly completeLatencyMs: Quantiles;
  /** processes that are up, and that should be */
  readonly workers: { readonly up: number; readonly all: number; readonly restarts: number };
  readonly tasks: readonly TaskSnapshot[];
  /** by component. Missing here and below: the run is of an older Squall, or has not begun. */
  readonly load?: Readonly<Record<string, Load>>;
  /**
   * Complete latency over the last ten seconds, and what it is made of: `wire` what a frame takes from one task to
   * another, by an echo of each data connection; `ack` what it takes to tell an acker and the acker the spout, by echoes of
   * the control connections. `queue` and `execute` are each component's own, in `load`.
   */
  readonly recent?: {
    readonly completeMs?: Quantiles;
    readonly wireMs?: Quantiles;
    readonly ackMs?: Quantiles;
  };
  readonly balance?: Balance;
  readonly dropped?: Readonly<Record<string, number>>;
  readonly deadLetters?: number;
  /** connections to NATS that are down */
  readonly linksDown?: number;
}

/** Before anything is known. */
export const NOT_YET: RunSnapshot = {
  topology: '',
  run: '',
  phase: 'starting',
  elapsedMs: 0,
  spouts: {},
  bolts: {},
  completeLatencyMs: { p50: 0, p90: 0, p99: 0, max: 0 },
  workers: { up: 0, all: 0, restarts: 0 },
  tasks: [],
};

export interface RunEvents {
  /** all processes are up, tuples begin to flow */
  ready: [info: { readonly topology: string; readonly run: string; readonly resumed: boolean }];
  /** a line that a worker or Squall itself prints for people; whole, without a newline */
  log: [line: string, from: { readonly title: string } | undefined];
  warning: [message: string];
  replay: [
    replay: {
      readonly component: string;
      readonly task: number;
      readonly id: string;
      readonly attempt: number;
      readonly failure: Failure;
    },
  ];
  'dead-letter': [
    letter: {
      readonly component: string;
      readonly id: string;
      readonly reason: Failure['reason'];
      readonly message: string;
    },
  ];
  'worker-lost': [
    loss: { readonly title: string; readonly pid: number; readonly tasks: readonly number[]; readonly why: string },
  ];
  'worker-restarted': [worker: { readonly title: string; readonly pid: number; readonly tasks: readonly number[] }];
  /** the spouts emit nothing until `resumed`; what is in flight goes on */
  paused: [];
  resumed: [];
  /** the last event, with any result but `failed` */
  completed: [result: RunResult];
  /** the last event of a run that failed */
  failed: [result: RunResult];
}
