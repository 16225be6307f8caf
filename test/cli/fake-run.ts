/** Stand-ins for what `run()` returns, so that a test decides what a run does. */
import { EventEmitter } from 'eventemitter3';
import type { Run } from '../../core/cluster/run.js';
import type { BoltResult, RunEvents, RunResult, RunSnapshot, SpoutResult } from '../../core/cluster/run-types.js';

export const NO_REPLAYS = { failed: 0, timeout: 0, 'worker-lost': 0, 'link-lost': 0, 'acker-lost': 0 };

export function spoutResult(counts: Partial<SpoutResult> = {}): SpoutResult {
  return { emitted: 0, untracked: 0, acked: 0, deadLettered: 0, pending: 0, replays: NO_REPLAYS, ...counts };
}

export function boltResult(counts: Partial<BoltResult> = {}): BoltResult {
  return { executed: 0, emitted: 0, acked: 0, failed: 0, ...counts };
}

export function runResult(fields: Partial<RunResult> = {}): RunResult {
  return {
    topology: 'word-count',
    run: '0193',
    status: 'completed',
    durationMs: 5_000,
    spouts: { lines: spoutResult({ emitted: 1_000, acked: 1_000 }) },
    bolts: {
      split: boltResult({ executed: 1_000, emitted: 6_400, acked: 1_000 }),
      count: boltResult({ executed: 6_400, acked: 6_400 }),
    },
    completeLatencyMs: { p50: 2.1, p90: 4, p99: 9.3, max: 41 },
    balance: { created: 7_400, consumed: 7_400, failed: 0, writtenOff: 0, inFlight: 0, causes: {}, mismatches: 0 },
    workers: { started: 5, restarts: 0 },
    dropped: {},
    warnings: [],
    ...fields,
  };
}

export function runSnapshot(fields: Partial<RunSnapshot> = {}): RunSnapshot {
  const { topology, run, spouts, bolts, completeLatencyMs } = runResult();
  const names = ['lines[0]', 'split[0]', 'split[1]', 'count[0]', '__acker[0]'];
  return {
    topology,
    run,
    phase: 'running',
    elapsedMs: 5_000,
    spouts,
    bolts,
    completeLatencyMs,
    workers: { up: 5, all: 5, restarts: 0 },
    tasks: names.map((component, at) => ({ component, task: at + 1, pid: 100 + at, state: 'ready', restarts: 0 })),
    ...fields,
  };
}

/** Ends when the test says so: `finish`. `stops`: what it was asked for. */
export class FakeRun extends EventEmitter<RunEvents> {
  readonly stops: ('drain' | 'kill')[] = [];
  current: RunSnapshot = runSnapshot();
  readonly result: Promise<RunResult>;
  finish!: (result: RunResult) => void;
  onStop: (stops: number) => void = () => {};

  constructor() {
    super();
    this.result = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  snapshot(): RunSnapshot {
    return this.current;
  }

  drain(): Promise<RunResult> {
    return this.#asked('drain');
  }
  kill(): Promise<RunResult> {
    return this.#asked('kill');
  }
  #asked(what: 'drain' | 'kill'): Promise<RunResult> {
    this.stops.push(what);
    this.onStop(this.stops.length);
    return this.result;
  }

  asRun(): Run {
    return this as unknown as Run;
  }
}
