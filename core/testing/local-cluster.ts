/**
 * Hosts the tasks of a topology in this process, on virtual time and a network in memory, and does for them what the
 * supervisor does for real workers. It does nothing by itself: whoever drives the scheduler makes it go on.
 */
import { Accounts } from '../cluster/accounts.js';
import { assign, type WorkerPlace } from '../cluster/assignment.js';
import { CycleWatch } from '../cluster/cycle-watch.js';
import { RestartPolicy } from '../cluster/restart-policy.js';
import { Warnings } from '../cluster/warnings.js';
import { SquallError } from '../errors.js';
import type { DeadLetter } from '../inspect/dead-letter.js';
import { errorFacts } from '../runtime/failure.js';
import type { FromWorker, PeerState, StartMessage, TaskStats } from '../runtime/protocol.js';
import { Worker } from '../runtime/worker.js';
import type { Position, TopologyPlan } from '../topology/definition.js';
import { MemoryNetwork, type MemoryTransport } from '../transport/memory.js';
import { Subjects } from '../wire/subjects.js';
import type { Scheduler } from './scheduler.js';
import type { Seeded } from './seeded.js';

export interface LocalClusterOptions {
  readonly plan: TopologyPlan;
  /** 'task': one worker for each task. Tasks of one worker hand tuples over, others use the network in memory. */
  readonly workers: number | 'task';
  readonly ackers: number;
  readonly debug: boolean;
  readonly scheduler: Scheduler;
  readonly seeded: Seeded;
}

/** A worker in its present incarnation. */
interface Incarnation {
  readonly worker: Worker;
  readonly epoch: number;
  readonly transports: readonly MemoryTransport[];
  state: 'starting' | 'ready' | 'gone';
  readyAt: number;
}

interface Seat {
  readonly place: WorkerPlace;
  readonly policy: RestartPolicy;
  /** undefined: not yet */
  now: Incarnation | undefined;
}

const TOKEN = 'local';
/** How often it is looked whether a cycle may take its next step. */
const LOOK_EVERY_MS = 5;

export class LocalCluster {
  readonly deadLetters: DeadLetter[] = [];
  readonly #options: LocalClusterOptions;
  readonly #network: MemoryNetwork;
  readonly #subjects: Subjects;
  readonly #run: string;
  readonly #ackers: readonly number[];
  readonly #seats: readonly Seat[];
  readonly #accounts: Accounts;
  readonly #warnings = new Warnings();
  readonly #watch: CycleWatch;
  readonly #ended = new Set<number>();
  readonly #hasEnd = new Set<number>();
  readonly #positions: Record<string, Position> = {};
  readonly #random: () => number;
  readonly #tasks: number;
  #phase: 'starting' | 'running' | 'draining' | 'stopped' = 'starting';
  #failure: Error | undefined;
  #incomplete = false;
  #restarts = 0;

  constructor(options: LocalClusterOptions) {
    const { plan, workers, ackers, scheduler, seeded } = options;
    this.#options = options;
    this.#network = new MemoryNetwork({
      schedule: (deliver) => scheduler.soon(deliver),
      now: () => scheduler.clock().wall(),
    });
    this.#subjects = new Subjects(plan.name, TOKEN);
    this.#run = seeded.runId();
    this.#random = seeded.random('supervisor');
    const assignment = assign(plan, ackers, workers);
    this.#ackers = assignment.ackers;
    this.#tasks = assignment.tasks.length - assignment.ackers.length;
    this.#seats = assignment.workers.map((place) => ({ place, policy: new RestartPolicy(), now: undefined }));
    this.#accounts = new Accounts(plan);
    this.#watch = new CycleWatch(plan);
  }

  /** The run cannot go on: what a component's code threw where nothing can be retried. */
  get failure(): Error | undefined {
    return this.#failure;
  }
  /** All spouts and bolts have said their last word. */
  get ended(): boolean {
    return this.#ended.size >= this.#tasks;
  }
  /** Nothing is in flight any more. */
  get drained(): boolean {
    return this.ended || this.stats().every(({ drained }) => drained);
  }
  /** A bolt's state was lost with its worker. */
  get incomplete(): boolean {
    return this.#incomplete;
  }
  get restarts(): number {
    return this.#restarts;
  }
  get warnings(): readonly string[] {
    return this.#warnings.all();
  }
  /** Sums of what the tasks say at this moment. */
  get accounts(): Accounts {
    if (this.#phase !== 'stopped') this.#accounts.report(this.stats());
    return this.#accounts;
  }

  /** Spouts and bolts that have not ended, as `lines[1]`. */
  unended(): string[] {
    return this.#seats
      .flatMap(({ place }) => place.tasks)
      .filter(({ task }) => !this.#ended.has(task) && !this.#ackers.includes(task))
      .map(({ component, task }) => `${component}[${task}]`);
  }

  stats(): TaskStats[] {
    return this.#seats.flatMap(({ now }) => (now?.state === 'ready' ? now.worker.stats() : []));
  }

  /** Opens all components and lets the tuples flow. Rejects with what `open` or `prepare` threw. */
  async start(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => this.#spawn(seat)));
    this.#phase = 'running';
    const peers = this.#peers();
    for (const { now } of this.#seats) now?.worker.peers(peers);
    for (const { now } of this.#seats) now?.worker.go();
    if (this.#options.plan.cycles.length > 0) {
      this.#options.scheduler.clock(() => this.#phase !== 'stopped').every(LOOK_EVERY_MS, () => this.#look());
    }
  }

  /** No more calls of `next`, until `resume`. */
  async pause(): Promise<void> {
    await this.#all((worker) => worker.pause());
  }

  async resume(): Promise<void> {
    await this.#all((worker) => worker.resume());
  }

  /** No more calls of `next`, for good. */
  async drain(): Promise<void> {
    this.#phase = 'draining';
    await this.#all((worker) => worker.drain());
  }

  /** `close` and `cleanup` are called; nothing happens any more. */
  async stop(): Promise<void> {
    if (this.#phase === 'stopped') return;
    this.#accounts.report(this.stats());
    this.#phase = 'stopped';
    await this.#all(async (worker, incarnation) => {
      this.#accounts.report(await worker.stop());
      incarnation.state = 'gone';
      for (const transport of incarnation.transports) await transport.close();
    });
  }

  async #all(action: (worker: Worker, incarnation: Incarnation) => Promise<void>): Promise<void> {
    const alive = this.#seats.map(({ now }) => now).filter((one) => one?.state === 'ready') as Incarnation[];
    await Promise.all(alive.map((one) => action(one.worker, one)));
  }

  // ---- workers -------------------------------------------------------------------------------------------------

  async #spawn(seat: Seat): Promise<void> {
    const { plan, scheduler, seeded } = this.#options;
    const { place } = seat;
    const epoch = (seat.now?.epoch ?? 0) + 1;
    const transports = [this.#network.connect(), this.#network.connect()] as const;
    const alive = (): boolean => seat.now === incarnation && incarnation.state !== 'gone';
    const randomOf = `${place.worker}.${epoch}`;
    const worker = new Worker({
      plan,
      start: this.#startMessage(seat, epoch),
      data: transports[0],
      control: transports[1],
      subjects: this.#subjects,
      clock: scheduler.clock(alive),
      edgeIds: seeded.edgeIds(randomOf),
      random: seeded.random(randomOf),
      suspects: undefined,
      send: (message) => {
        // the stop has its own last words
        if (alive() || message.type === 'channel') this.#message(seat, incarnation, message);
      },
      fatal: (error, where) => {
        if (alive()) this.#fatal(error, where);
      },
      lapsed: () => !alive(),
    });
    const incarnation: Incarnation = { worker, epoch, transports, state: 'starting', readyAt: 0 };
    seat.now = incarnation;
    await worker.start();
    incarnation.state = 'ready';
    incarnation.readyAt = scheduler.now;
    for (const task of worker.hasEnd()) this.#hasEnd.add(task);
  }

  #startMessage({ place }: Seat, epoch: number): StartMessage {
    const { plan, debug } = this.#options;
    return {
      type: 'start',
      file: '',
      settings: {},
      hash: plan.hash,
      worker: place.worker,
      run: this.#run,
      token: TOKEN,
      tasks: place.tasks.map(({ task, component, index }) => ({
        task,
        epoch,
        component,
        index,
        position: this.#positions[`${component}/${index}`],
        resumed: epoch > 1,
        ended: this.#ended.has(task),
      })),
      ackers: this.#ackers,
      connection: {},
      title: place.title,
      suspectFile: '',
      announce: false,
      poison: [],
      debug,
    };
  }

  #peers(): PeerState[] {
    return this.#seats.flatMap(({ place, now }) => (now?.state === 'ready' ? statesOf(place, now.epoch, 'ready') : []));
  }

  #message(seat: Seat, { worker }: Incarnation, message: FromWorker): void {
    switch (message.type) {
      case 'ended':
        this.#ended.add(message.task);
        return;
      case 'position': {
        const place = seat.place.tasks.find(({ task }) => task === message.task);
        if (place !== undefined) this.#positions[`${place.component}/${place.index}`] = message.position;
        return;
      }
      case 'channel':
        return this.#accounts.channelClosed(message.record);
      case 'warn':
        this.#warnings.add(message.message);
        return;
      case 'letter':
        this.deadLetters.push(message.letter);
        return this.#options.scheduler.soon(() => worker.letterStored(message.number, undefined));
      default:
    }
  }

  /** A component's own code failed where nothing can be retried: a test wants to see that, not a restart. */
  #fatal(error: unknown, where: string): void {
    this.#failure ??=
      error instanceof SquallError
        ? error
        : new SquallError('ERR_SQUALL_COMPONENT', `${where} failed: ${errorFacts(error).message}`, {
            facts: { where },
            cause: error,
          });
  }

  /** The worker of this task dies in the next turn, with all its tasks, and starts again. */
  kill(task: number, why: string): void {
    const seat = this.#seats.find(({ place }) => place.tasks.some((one) => one.task === task));
    const incarnation = seat?.now;
    if (seat === undefined || incarnation?.state !== 'ready') return;
    this.#options.scheduler.soon(() => {
      if (seat.now === incarnation && incarnation.state === 'ready') this.#died(seat, incarnation, why);
    });
  }

  #died(seat: Seat, incarnation: Incarnation, why: string): void {
    const { scheduler } = this.#options;
    this.#stateLost(seat, incarnation, why);
    incarnation.state = 'gone';
    for (const transport of incarnation.transports) void transport.close();
    this.#broadcast(seat, incarnation.epoch, 'gone');
    for (const { task } of seat.place.tasks) this.#accounts.gone(task);
    if (this.#phase === 'stopped') return;
    const delayMs = seat.policy.died(scheduler.now - incarnation.readyAt, false, this.#random());
    if (delayMs === undefined) {
      this.#fatal(new Error(`it has died too often; the last time: ${why}`), `worker "${seat.place.title}"`);
      return;
    }
    this.#restarts += 1;
    scheduler.after(delayMs, () => {
      this.#respawn(seat).catch((error: unknown) => this.#fatal(error, seat.place.title));
    });
  }

  async #respawn(seat: Seat): Promise<void> {
    if (this.#phase === 'stopped') return;
    await this.#spawn(seat);
    const { worker, epoch } = seat.now as Incarnation;
    // the others first: what they hear from it should not come from a stranger
    this.#broadcast(seat, epoch, 'ready');
    worker.peers(this.#peers());
    worker.go();
    for (const { cycle, step } of this.#watch.taken) worker.cycle(cycle, step);
    if (this.#phase === 'draining') await worker.drain();
  }

  #broadcast(about: Seat, epoch: number, state: PeerState['state']): void {
    const peers = statesOf(about.place, epoch, state);
    for (const { now } of this.#seats) if (now !== about.now && now?.state === 'ready') now.worker.peers(peers);
  }

  #stateLost({ place }: Seat, { worker }: Incarnation, why: string): void {
    const stats = new Map(worker.stats().map((one) => [one.task, one]));
    this.#accounts.report([...stats.values()]);
    for (const { task, component } of place.tasks) {
      const definition = this.#options.plan.components.find(({ name }) => name === component)?.definition;
      if (definition?.kind !== 'bolt' || !definition.keepsState || this.#ended.has(task)) continue;
      if ((stats.get(task)?.bolt?.executed ?? 0) === 0) continue;
      const hasEnd = this.#hasEnd.has(task);
      if (hasEnd) this.#incomplete = true;
      const end = hasEnd ? '; what it emits at the end is incomplete' : '';
      this.#warnings.add(`${component}[${task}] died (${why}): what it had kept in memory is lost${end}`);
    }
  }

  // ---- cycles --------------------------------------------------------------------------------------------------

  /** The tasks of a cycle run `end` together, and say END together. */
  #look(): void {
    const steps = this.#watch.report(this.stats());
    // anew: a round is answered at once, or never, by a worker that has died
    for (const { round, tasks } of this.#watch.ask(true)) {
      steps.push(
        ...this.#watch.report(
          this.stats().filter(({ task }) => tasks.includes(task)),
          round,
        ),
      );
    }
    for (const { cycle, step } of steps) for (const { now } of this.#seats) now?.worker.cycle(cycle, step);
  }
}

function statesOf({ tasks }: WorkerPlace, epoch: number, state: PeerState['state']): PeerState[] {
  return tasks.map(({ task }) => ({ task, epoch, state }));
}
