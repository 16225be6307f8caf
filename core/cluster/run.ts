/** `run`: a topology from start to end, on this machine. */
import { EventEmitter } from 'eventemitter3';
import type { Topology } from '../topology/draft.js';
import type { LocalRun } from './local-run.js';
import { NOT_YET, type RunEvents, type RunOptions, type RunResult, type RunSnapshot } from './run-types.js';

/** A run under way. Events as in `RunEvents`; `result` never rejects: a run that could not go on has status `failed`. */
export class Run extends EventEmitter<RunEvents> {
  readonly result: Promise<RunResult>;
  #local: LocalRun | undefined;
  /** before there was one to hear of it, too */
  #asked: 'no' | 'drain' | 'kill' = 'no';
  #paused = false;

  /** @internal use `run` */
  constructor(target: Topology | string | URL, options: RunOptions) {
    super();
    const { signal } = options;
    const abort = (): void => void this.drain();
    this.result = this.#start(target, options).finally(() => signal?.removeEventListener('abort', abort));
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  }

  /** As `drain`; of a run that was asked to drain before, as `kill`. */
  stop(): Promise<RunResult> {
    return this.#asked === 'no' ? this.drain() : this.kill();
  }

  /** The spouts stop and what is pending completes, within the message time-out. One that is starting ends at once. */
  drain(): Promise<RunResult> {
    if (this.#asked === 'no') this.#asked = 'drain';
    this.#local?.drain();
    return this.result;
  }

  /** Ends at once: `cleanup` and `close` are not called, and what is pending is emitted again by the next run. */
  kill(): Promise<RunResult> {
    this.#asked = 'kill';
    this.#local?.kill();
    return this.result;
  }

  /** The spouts emit nothing until `resume`, and what is in flight goes on: event `paused`. Of a run that drains: nothing. */
  pause(): void {
    this.#paused = true;
    this.#local?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#local?.resume();
  }

  /**
   * With the option `metrics`: the page for Prometheus, such as `http://127.0.0.1:9464/metrics`, with the port that was
   * found where 0 was asked for. Undefined before it is served, which it is when the event `ready` comes, and after the end.
   */
  get metricsUrl(): string | undefined {
    return this.#local?.metricsUrl;
  }

  snapshot(): RunSnapshot {
    return this.#local?.snapshot() ?? NOT_YET;
  }

  async #start(target: Topology | string | URL, options: RunOptions): Promise<RunResult> {
    // every worker imports `squall`, and none of them runs a topology
    const { LocalRun } = await import('./local-run.js');
    const local = new LocalRun(this);
    this.#local = local;
    if (this.#paused) local.pause();
    if (this.#asked !== 'no') local[this.#asked]();
    return local.run(target, options);
  }
}

/**
 * Runs a topology: a file whose default export is one, or a topology together with `options.file`, the file whose
 * default export it is (each worker process imports it). Returns at once.
 */
export function run(target: Topology | string | URL, options: RunOptions = {}): Run {
  return new Run(target, options);
}
