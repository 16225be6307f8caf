/** What a task measures of its own work: per frame, so that it costs nothing per tuple. Cumulative over its incarnation. */
import { LatencyHistogram } from './latency.js';
import type { TaskLoad } from './protocol.js';

export class Load {
  /** milliseconds that executes were under way, those that wait for something included */
  busyMs = 0;
  /** of one execute: the mean of its frame */
  readonly execute = new LatencyHistogram();
  /** from the arrival of a frame to the beginning of its first execute */
  readonly queue = new LatencyHistogram();

  /** A frame is executed to its last tuple. */
  executed(ms: number, tuples: number): void {
    this.busyMs += ms;
    if (tuples > 0) this.execute.recordMany(ms / tuples, tuples);
  }

  /** The first tuple of a frame is about to be executed. */
  begun(waitedMs: number, tuples: number): void {
    this.queue.recordMany(waitedMs, tuples);
  }

  report(queued: number): TaskLoad {
    const { busyMs, execute, queue } = this;
    return {
      busyMs,
      queued,
      executeMs: execute.sparse(),
      executeMaxMs: execute.maxMs,
      queueMs: queue.sparse(),
      queueMaxMs: queue.maxMs,
    };
  }
}
