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
import type { Worker } from '../runtime/worker.js';
import type { Position, TopologyPlan } from '../topology/definition.js';
import { MemoryNetwork } from '../transport/memory.js';
import { OPEN_KEY } from '../wire/sip-hash.js';
import { Subjects } from '../wire/subjects.js';
import { type LocalHost, LocalWorker } from './local-worker.js';
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

interface Seat {
  readonly place: WorkerPlace;
  readonly policy: RestartPolicy;
  /** the last incarnation of its worker; undefined: not yet */
  now: LocalWorker | undefined;
}

const TOKEN = 'local';
/** How often it is looked whether a cycle may take its next step. */
const LOOK_EVERY_MS = 5;

export class LocalCluster {
  readonly deadLetters: DeadLetter[] = [];
  readonly #options: LocalClusterOptions;
  readonly #host: LocalHost;
  readonly #run: string;
  readonly #random: () => number;
  readonly #ackers: readonly number[];
  readonly #seats: readonly Seat[];
  readonly #seatOf = new Map<number, Seat>();
  readonly #accounts: Accounts;
  readonly #warnings = new Warnings();
  readonly #watch: CycleWatch;
  readonly #ended = new Set<number>();
  readonly #hasEnd = new Set<number>();
  readonly #positions: Record<string, Position> = {};
  #phase: 'starting' | 'running' | 'paused' | 'draining' | 'stopped' = 'starting';
  #failure: Error | undefined;
  #incomplete = false;
  #restarts = 0;

  constructor(options: LocalClusterOptions) {
    const { plan, workers, ackers, scheduler, seeded } = options;
    const { wall } = scheduler.clock();
    this.#options = options;
    const network = new MemoryNetwork({ schedule: (deliver) => scheduler.soon(deliver), now: wall });
    this.#host = { plan, network, subjects: new Subjects(plan.name, TOKEN), scheduler, seeded };
    this.#run = seeded.runId();
    this.#random = seeded.random('supervisor');
    const assignment = assign(plan, ackers, workers);
    this.#ackers = assignment.ackers;
    this.#seats = assignment.workers.map((place) => ({ place, policy: new RestartPolicy(), now: undefined }));
    for (const seat of this.#seats) for (const { task } of seat.place.tasks) this.#seatOf.set(task, seat);
    this.#accounts = new Accounts(plan);
    this.#watch = new CycleWatch(plan);
  }

  /** The run cannot go on: what a component's code threw where nothing can be retried. */
  get failure(): Error | undefined {
    return this.#failure;
  }
  /** All spouts and bolts have said their last word. */
  get ended(): boolean {
    return this.#ended.size >= this.#seatOf.size - this.#ackers.length;
  }
  /** Nothing is in flight any more. */
  get drained(): boolean {
    return this.ended || (this.#seats.every(({ now }) => now?.ready) && this.stats().every(({ drained }) => drained));
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
    return this.#seats.flatMap(({ now }) => (now?.ready ? now.worker.stats() : []));
  }

  isAlive(task: number, epoch: number): boolean {
    const now = this.#seatOf.get(task)?.now;
    return now?.epoch === epoch && now.alive;
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
    if (this.#phase !== 'running') return;
    this.#phase = 'paused';
    await this.#all((worker) => worker.pause());
  }

  async resume(): Promise<void> {
    if (this.#phase !== 'paused') return;
    this.#phase = 'running';
    await this.#all((worker) => worker.resume());
  }

  /** No more calls of `next`, for good. */
  async drain(): Promise<void> {
    if (this.#phase === 'stopped') return;
    this.#phase = 'draining';
    await this.#all((worker) => worker.drain());
  }

  /** `close` and `cleanup` are called, also of what was opened in vain; nothing happens any more. */
  async stop(): Promise<void> {
    if (this.#phase === 'stopped') return;
    this.#accounts.report(this.stats());
    this.#phase = 'stopped';
    await Promise.all(
      this.#seats.map(async ({ now }) => {
        if (!now?.alive) return;
        this.#accounts.report(await now.worker.stop());
        now.kill();
      }),
    );
  }

  async #all(action: (worker: Worker) => Promise<void>): Promise<void> {
    await Promise.all(this.#seats.map(({ now }) => (now?.ready ? action(now.worker) : undefined)));
  }

  // ---- workers -------------------------------------------------------------------------------------------------

  async #spawn(seat: Seat): Promise<LocalWorker> {
    const epoch = (seat.now?.epoch ?? 0) + 1;
    const spawned = new LocalWorker(this.#host, this.#startMessage(seat, epoch), epoch, {
      message: (message, from) => this.#message(seat, from, message),
      fatal: (error, where) => this.#fatal(error, where),
    });
    seat.now = spawned;
    await spawned.start();
    for (const task of spawned.worker.hasEnd()) this.#hasEnd.add(task);
    return spawned;
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
      frameKey: OPEN_KEY,
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
    return this.#seats.flatMap(({ place, now }) => (now?.ready ? statesOf(place, now.epoch, 'ready') : []));
  }

  #message({ place }: Seat, { worker }: LocalWorker, message: FromWorker): void {
    switch (message.type) {
      case 'ended':
        this.#ended.add(message.task);
        return;
      case 'position': {
        const known = place.tasks.find(({ task }) => task === message.task);
        if (known !== undefined) this.#positions[`${known.component}/${known.index}`] = message.position;
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

  /** A real run would start the worker again; a test wants to see what is wrong. */
  #fatal(error: unknown, where: string): void {
    this.#failure ??=
      error instanceof SquallError
        ? error
        : new SquallError('ERR_SQUALL_COMPONENT', `${where} failed: ${errorFacts(error).message}`, {
            facts: { where },
            cause: error,
          });
  }

  // ---- deaths --------------------------------------------------------------------------------------------------

  /** The worker of this task dies in a turn of its own, with all its tasks, and starts again. */
  kill(task: number, why: string): void {
    const seat = this.#seatOf.get(task);
    const now = seat?.now;
    if (seat === undefined || !now?.ready) return;
    this.#options.scheduler.soon(() => {
      if (now.ready && this.#phase !== 'stopped') this.#died(seat, now, why);
    });
  }

  #died(seat: Seat, dead: LocalWorker, why: string): void {
    const stats = dead.worker.stats();
    this.#accounts.report(stats);
    this.#stateLost(seat, stats, why);
    dead.kill();
    this.#broadcast(seat, dead.epoch, 'gone');
    for (const { task } of seat.place.tasks) this.#accounts.gone(task);
    const delayMs = seat.policy.died(dead.livedMs, false, this.#random());
    if (delayMs === undefined) {
      this.#fatal(new Error(`it has died too often; the last time: ${why}`), `worker "${seat.place.title}"`);
      return;
    }
    this.#restarts += 1;
    this.#options.scheduler.after(delayMs, () => {
      if (this.#phase === 'stopped') return;
      this.#respawn(seat).catch((error: unknown) => this.#fatal(error, seat.place.title));
    });
  }

  async #respawn(seat: Seat): Promise<void> {
    const { worker, epoch, ready } = await this.#spawn(seat);
    if (!ready) return;
    // the others first: what they hear from it should not come from a stranger
    this.#broadcast(seat, epoch, 'ready');
    worker.peers(this.#peers());
    worker.go();
    for (const { cycle, step } of this.#watch.taken) worker.cycle(cycle, step);
    if (this.#phase === 'draining') await worker.drain();
    else if (this.#phase === 'paused') await worker.pause();
  }

  #broadcast(about: Seat, epoch: number, state: PeerState['state']): void {
    const peers = statesOf(about.place, epoch, state);
    for (const seat of this.#seats) if (seat !== about && seat.now?.ready) seat.now.worker.peers(peers);
  }

  #stateLost({ place }: Seat, stats: readonly TaskStats[], why: string): void {
    for (const { task, component } of place.tasks) {
      const definition = this.#options.plan.components.find(({ name }) => name === component)?.definition;
      if (definition?.kind !== 'bolt' || !definition.keepsState || this.#ended.has(task)) continue;
      if ((stats.find((one) => one.task === task)?.bolt?.executed ?? 0) === 0) continue;
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
      const answers = this.stats().filter(({ task }) => tasks.includes(task));
      steps.push(...this.#watch.report(answers, round));
    }
    for (const { cycle, step } of steps)
      for (const { now } of this.#seats) if (now?.ready) now.worker.cycle(cycle, step);
  }
}

function statesOf({ tasks }: WorkerPlace, epoch: number, state: PeerState['state']): PeerState[] {
  return tasks.map(({ task }) => ({ task, epoch, state }));
}
