/** The worker's side of its heartbeat thread. */
import { Worker } from 'node:worker_threads';

export const BEAT_MS = 250;
/** A process that was silent for so long may be dead to everybody, and must not act when it wakes before it has asked. */
export const LEASE_MS = 3000;
/** The main thread marks its time this often; without a mark for so long it counts as blocked. */
const MARK_MS = 100;
export const BLOCKED_AFTER_MS = 1000;

/** Monotonic and the same in all threads of a process. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

export class Heartbeat {
  /** [main thread's last mark, thread's last beat within its lease] */
  readonly #times = new Float64Array(new SharedArrayBuffer(16));

  /** `fd`: the pipe to the supervisor; `thread`: where heartbeat-thread.js is. */
  constructor(fd: number, thread: URL) {
    this.#times[0] = nowMs();
    this.#times[1] = nowMs();
    const beating = new Worker(thread, {
      workerData: { fd, shared: this.#times.buffer },
      // it needs no loader for TypeScript, and little memory
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
    });
    beating.unref();
    setInterval(() => {
      this.#times[0] = nowMs();
    }, MARK_MS).unref();
  }

  /** This process stood still, and its supervisor has not said yet that nobody else does its work now. */
  get lapsed(): boolean {
    return nowMs() - this.#times[1] > LEASE_MS;
  }
}
