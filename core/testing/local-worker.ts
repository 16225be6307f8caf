/** A worker in one of its incarnations, on the network in memory. Once it has died nothing of it acts any more. */

import { collectGarbage } from '../runtime/collect-garbage.js';
import type { FromWorker, StartMessage } from '../runtime/protocol.js';
import { Worker } from '../runtime/worker.js';
import type { TopologyPlan } from '../topology/definition.js';
import type { MemoryNetwork, MemoryTransport } from '../transport/memory.js';
import type { Subjects } from '../wire/subjects.js';
import type { Scheduler } from './scheduler.js';
import type { Seeded } from './seeded.js';

/** What all workers of a run share. */
export interface LocalHost {
  readonly plan: TopologyPlan;
  readonly network: MemoryNetwork;
  readonly subjects: Subjects;
  readonly scheduler: Scheduler;
  readonly seeded: Seeded;
}

export interface LocalWorkerEvents {
  message(message: FromWorker, from: LocalWorker): void;
  /** code of a component failed where nothing can be retried */
  fatal(error: unknown, where: string): void;
}

export class LocalWorker {
  readonly worker: Worker;
  readonly epoch: number;
  readonly #scheduler: Scheduler;
  readonly #transports: readonly MemoryTransport[];
  #state: 'starting' | 'ready' | 'gone' = 'starting';
  #readyAt = 0;

  constructor(host: LocalHost, start: StartMessage, epoch: number, events: LocalWorkerEvents) {
    const { plan, network, subjects, scheduler, seeded } = host;
    const data = network.connect();
    const control = network.connect();
    const name = `${start.worker}.${epoch}`;
    this.epoch = epoch;
    this.#scheduler = scheduler;
    this.#transports = [data, control];
    this.worker = new Worker({
      plan,
      start,
      data,
      control,
      subjects,
      clock: scheduler.clock(() => this.alive),
      edgeIds: seeded.edgeIds(name),
      random: seeded.random(name),
      suspects: undefined,
      collectGarbage,
      send: (message) => {
        if (this.alive) events.message(message, this);
      },
      fatal: (error, where) => {
        if (this.alive) events.fatal(error, where);
      },
      lapsed: () => !this.alive,
    });
  }

  get alive(): boolean {
    return this.#state !== 'gone';
  }
  get ready(): boolean {
    return this.#state === 'ready';
  }
  /** on the run's clock */
  get livedMs(): number {
    return this.#scheduler.now - this.#readyAt;
  }

  /** Rejects with what `open` or `prepare` threw. */
  async start(): Promise<void> {
    await this.worker.start();
    if (!this.alive) return;
    this.#state = 'ready';
    this.#readyAt = this.#scheduler.now;
  }

  /** At once, and nothing is said. */
  kill(): void {
    this.#state = 'gone';
    for (const transport of this.#transports) void transport.close();
  }
}
