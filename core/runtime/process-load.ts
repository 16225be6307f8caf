/** What a worker measures of its process. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LinkWatch } from './link-watch.js';
import type { ProcessLoad } from './protocol.js';

/** A turn that is later than this is noticed; a timer each 20 ms costs nothing that could be seen. */
const RESOLUTION_MS = 20;
const NANOS_PER_MS = 1e6;

export class ProcessMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#delay.enable();
  }

  /** Since the last call, where it says so. */
  take(data: LinkWatch | undefined, control: LinkWatch | undefined): ProcessLoad {
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const lag = this.#delay.max / NANOS_PER_MS - RESOLUTION_MS;
    this.#delay.reset();
    return {
      rssBytes: rss,
      heapBytes: heapUsed,
      cpuMs: (user + system) / 1000,
      loopLagMs: Number.isFinite(lag) ? Math.max(0, lag) : 0,
      ...(data?.echoMs === undefined ? {} : { dataEchoMs: data.echoMs }),
      ...(control?.echoMs === undefined ? {} : { controlEchoMs: control.echoMs }),
    };
  }
}
