/**
 * Runs one topology on this machine: starts its workers, tells everybody who lives and who died, restarts the dead,
 * keeps positions and dead letters safe, and ends the run when all is said.
 */

import { webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { EventEmitter } from 'eventemitter3';
import type { Connection, FromWorker, TaskAssignment } from '../runtime/protocol.js';
import type { Position, TopologyPlan } from '../topology/definition.js';
import type { SipKey } from '../wire/sip-hash.js';
import { Accounts } from './accounts.js';
import type { Assignment, WorkerPlace } from './assignment.js';
import { type CycleRound, type CycleStep, CycleWatch } from './cycle-watch.js';
import type { LetterBox } from './letter-box.js';
import { LinksDown } from './links-down.js';
import { LostState } from './lost-state.js';
import type { ComponentHistograms } from './metrics-page.js';
import { spoutsIn } from './place-facts.js';
import { DEATHS_BEFORE_QUARANTINE, Quarantine } from './quarantine.js';
import { Recent } from './recent.js';
import { RunJournal } from './run-journal.js';
import type { RunEvents, RunResult, RunSnapshot, RunStatus } from './run-types.js';
import { measured, ProcessLoads } from './snapshot.js';
import type { StateFolder } from './state-folder.js';
import { Warnings } from './warnings.js';
import { WorkerProcess } from './worker-process.js';
import { hosts, WorkerSet, type WorkerState } from './worker-set.js';

export interface SupervisorOptions {
  readonly plan: TopologyPlan;
  readonly file: string;
  /** the file as it was compiled for the workers, where it had to be */
  readonly code: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly assignment: Assignment;
  /** how a worker reaches NATS, and as whom */
  connection(place: WorkerPlace): Connection;
  readonly state: StateFolder;
  readonly letters: LetterBox;
  /** identity of the run, kept when it is resumed; and token of this start */
  readonly run: string;
  readonly token: string;
  readonly resumed: boolean;
  readonly positions: Readonly<Record<string, Position>>;
  /** stored by earlier starts of this run */
  readonly deadLetters: number;
  readonly debug: boolean;
}

/** Workers have this long for `cleanup` and `close` at the end. */
const STOP_MS = 10_000;
/** And this long when the run has failed: whoever is to mend it waits for the reason. */
const FAILED_STOP_MS = 3000;
/** Reports so much younger than the order to drain were taken after it was carried out. */
const FRESH_AFTER_MS = 600;
/** How often the supervisor looks whether a drain is over, and for workers that are blocked for too long. */
const LOOK_EVERY_MS = 50;
/** Who is not ready by then is named. */
const SLOW_START_MS = 10_000;

export class Supervisor extends EventEmitter<RunEvents> {
  readonly #options: SupervisorOptions;
  readonly #workers: WorkerSet;
  readonly #accounts: Accounts;
  readonly #recent = new Recent();
  readonly #processes = new ProcessLoads();
  readonly #cycles: CycleWatch;
  readonly #ended = new Set<number>();
  readonly #lost: LostState;
  readonly #journal: RunJournal;
  readonly #quarantine = new Quarantine();
  readonly #warnings = new Warnings();
  #looking: NodeJS.Timeout | undefined;
  #phase: RunSnapshot['phase'] = 'starting';
  readonly #startedAt = performance.now();
  #goAt = 0;
  #lastProgress = { settled: 0, at: 0 };
  #error: { code: string; message: string } | undefined;
  #stopAsked: 'no' | 'drain' | 'now' = 'no';
  /** asked before there was anything to pause */
  #pauseAsked = false;
  #drainAt = 0;
  /** T of the guarantees: the longest of all components */
  readonly #drainMs: number;
  #drained = true;
  #restarts = 0;
  #started = 0;
  readonly #finished: Promise<RunResult>;
  #finish!: (result: RunResult) => void;
  readonly #linksDown = new LinksDown();
  /** titles of who was told to be late: seen at each look, told once */
  readonly #late = new Set<string>();
  /** goes to workers by their pipes only */
  readonly #frameKey: SipKey = webcrypto.getRandomValues(new Uint32Array(4));

  constructor(options: SupervisorOptions) {
    super();
    const { plan } = options;
    this.#options = options;
    this.#accounts = new Accounts(plan);
    this.#cycles = new CycleWatch(plan);
    const warn = (message: string): void => this.warn(message);
    this.#journal = new RunJournal({ ...options, topology: plan.name, warn });
    this.#lost = new LostState({ plan, accounts: this.#accounts, journal: this.#journal, ended: this.#ended, warn });
    this.#drainMs = Math.max(...plan.components.map(({ config }) => config.messageTimeoutMs));
    this.#workers = new WorkerSet(options.assignment.workers);
    this.#finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** identity of the run, kept when it is resumed */
  get runId(): string {
    return this.#options.run;
  }

  /** Starts everything. Resolves with the result when the run is over; never rejects. */
  run(): Promise<RunResult> {
    for (const worker of this.#workers.all) this.#spawn(worker);
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    return this.#finished;
  }

  /** No more input, what is pending is completed, within the message time-out. Asked again it goes on as it does. */
  drain(): void {
    if (this.#stopAsked !== 'no' || this.#phase === 'ended') return;
    if (this.#phase === 'starting') return this.kill();
    this.#stopAsked = 'drain';
    this.#phase = 'draining';
    this.#drainAt = performance.now();
    this.#workers.tell({ type: 'drain' });
  }

  /** At once, without `cleanup` and `close`. */
  kill(): void {
    this.#stopAsked = 'now';
    if (this.#phase === 'ended') {
      // workers that are about to stop have had their chance
      for (const { process } of this.#workers.all) process?.kill('the run ends');
      return;
    }
    this.#drained = this.#phase === 'starting';
    void this.#end('stopped', 'at once');
  }

  /** The spouts emit nothing until `resume`; what is in flight goes on. Nothing happens where there is nothing to pause. */
  pause(): void {
    if (this.#phase === 'starting') this.#pauseAsked = true;
    if (this.#phase !== 'running') return;
    this.#phase = 'paused';
    this.#workers.tell({ type: 'pause' });
    this.emit('paused');
  }

  resume(): void {
    this.#pauseAsked = false;
    if (this.#phase !== 'paused') return;
    this.#phase = 'running';
    this.#workers.tell({ type: 'resume' });
    this.emit('resumed');
  }

  /**
   * The run cannot go on. Workers that were at work may still close what they have open: a file that is cut off in the
   * middle of a line is one more thing to mend.
   */
  fail(error: { readonly code: string; readonly message: string }): void {
    this.#error ??= error;
    void this.#end('failed', 'orderly');
  }

  warn(message: string): void {
    if (this.#warnings.add(message)) this.emit('warning', message);
  }

  /** Of each component, over all that its tasks ever did. */
  histograms(): ComponentHistograms[] {
    return this.#options.plan.components.map(({ name, firstTask, tasks }) => ({
      component: name,
      ...this.#accounts.histograms(Array.from({ length: tasks }, (_, index) => firstTask + index)),
    }));
  }

  snapshot(): RunSnapshot {
    const { plan, run } = this.#options;
    return {
      topology: plan.name,
      run,
      phase: this.#phase,
      elapsedMs: this.#goAt === 0 ? 0 : performance.now() - this.#goAt,
      ...measured({
        plan,
        accounts: this.#accounts,
        recent: this.#recent,
        processes: this.#processes,
        workers: this.#workers,
        ended: this.#ended,
      }),
      workers: {
        up: this.#workers.all.filter(({ state }) => state === 'ready').length,
        all: this.#workers.all.length,
        restarts: this.#restarts,
      },
      deadLetters: this.#journal.deadLetters,
      linksDown: this.#linksDown.count,
    };
  }

  // ---- workers -------------------------------------------------------------------------------------------------

  #spawn(worker: WorkerState): void {
    if (this.#phase === 'ended') return;
    const { place } = worker;
    worker.epoch += 1;
    worker.state = 'starting';
    worker.fatal = undefined;
    worker.readyAt = 0;
    this.#started += 1;
    const process = new WorkerProcess(place.title, {
      message: (message) => this.#message(worker, message),
      line: (line) => this.emit('log', line, { title: place.title }),
      blocked: (blocked) => this.#blocked(worker, blocked),
      exit: (why) => this.#exited(worker, why),
    });
    worker.process = process;
    const { plan, file, code, settings, run, token, assignment, debug, resumed } = this.#options;
    process.send({
      type: 'start',
      file,
      code,
      settings,
      hash: plan.hash,
      worker: place.worker,
      run,
      token,
      frameKey: this.#frameKey,
      tasks: place.tasks.map(
        ({ task, component, index }): TaskAssignment => ({
          task,
          epoch: worker.epoch,
          component,
          index,
          position: this.#journal.position(component, index),
          resumed: resumed || (worker.epoch > 1 && this.#goAt !== 0),
          ended: this.#ended.has(task),
        }),
      ),
      ackers: assignment.ackers,
      connection: this.#options.connection(place),
      title: place.title,
      suspectFile: this.#suspectFile(worker),
      // one that keeps dying says of every tuple that it is about to execute it
      announce: worker.policy.quickDeaths >= DEATHS_BEFORE_QUARANTINE,
      poison: this.#quarantine.poison,
      debug,
    });
  }

  #suspectFile({ place }: WorkerState): string {
    return join(this.#options.state.folderOf(this.#options.plan.name), `executing-${place.worker}`);
  }

  #message(worker: WorkerState, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#lost.hasEnd(message.hasEnd);
        if (this.#phase === 'starting' && this.#options.resumed) this.#lost.resumedWithout(worker.place);
        return this.#ready(worker);
      case 'fatal':
        return this.#fatal(worker, message);
      case 'ended':
        this.#ended.add(message.task);
        return;
      case 'position':
        return this.#moved(worker, message.task, message.position);
      case 'channel':
        return this.#accounts.channelClosed(message.record);
      case 'warn':
        return this.warn(message.message);
      case 'link':
        return this.#link(worker, message.up, message.why);
      case 'stats':
        this.#accounts.report(message.stats);
        this.#recent.report(message.stats, performance.now());
        if (message.process !== undefined) this.#processes.report(worker, message.process, performance.now());
        return this.#takeSteps(this.#cycles.report(message.stats, message.round));
      case 'replays':
        for (const replay of message.replays) this.emit('replay', replay);
        return;
      case 'letter':
        return this.#letter(worker, message.number, message.letter);
      case 'stopped':
        this.#accounts.report(message.stats);
        worker.state = 'stopped';
        return;
      default:
    }
  }

  #ready(worker: WorkerState): void {
    // it was killed while it started
    if (this.#phase === 'ended') return;
    worker.state = 'ready';
    worker.readyAt = performance.now();
    if (this.#phase === 'starting') {
      if (!this.#workers.allReady) return;
      this.#phase = 'running';
      this.#goAt = performance.now();
      this.#journal.begin();
      this.#workers.tell({ type: 'peers', peers: this.#workers.peers() });
      if (this.#pauseAsked) {
        this.#phase = 'paused';
        this.#workers.tell({ type: 'pause' });
      }
      this.#workers.tell({ type: 'go' });
      this.emit('ready', { topology: this.#options.plan.name, run: this.#options.run, resumed: this.#options.resumed });
      if (this.#pauseAsked) this.emit('paused');
      return;
    }
    this.#lost.assess();
    // the others first: what they hear from it should not come from a stranger
    this.#workers.broadcast(worker, 'ready');
    worker.process?.send({ type: 'peers', peers: this.#workers.peers() });
    // a spout that starts again meanwhile has nothing to begin
    if (this.#phase === 'paused') worker.process?.send({ type: 'pause' });
    worker.process?.send({ type: 'go' });
    if (this.#stopAsked !== 'no') worker.process?.send({ type: 'drain' });
    for (const { cycle, step } of this.#cycles.taken) {
      if (hosts(worker, this.#cycles.tasksOf(cycle))) worker.process?.send({ type: 'cycle', cycle, step });
    }
    // a round that its predecessor was asked in is never answered
    this.#ask(this.#cycles.ask(true));
    const { title, tasks } = worker.place;
    this.emit('worker-restarted', { title, pid: worker.process?.pid ?? 0, tasks: tasks.map(({ task }) => task) });
  }

  // ---- cycles --------------------------------------------------------------------------------------------------

  #takeSteps(steps: readonly CycleStep[]): void {
    for (const { cycle, step } of steps)
      this.#workers.tell({ type: 'cycle', cycle, step }, this.#cycles.tasksOf(cycle));
  }

  #ask(rounds: readonly CycleRound[]): void {
    for (const { round, tasks } of rounds) this.#workers.tell({ type: 'report', round }, tasks);
  }

  #exited(worker: WorkerState, why: string): void {
    const wasReady = worker.state === 'ready';
    const stopped = worker.state === 'stopped';
    const { place } = worker;
    if (this.#phase === 'ended') {
      worker.state = 'stopped';
      this.#stoppedOne();
      return;
    }
    worker.state = 'gone';
    if (stopped) return;
    if (wasReady) this.#workers.broadcast(worker, 'gone');
    // what its spouts had pending the next run emits again
    const spouts = spoutsIn(this.#options.plan, place).filter((task) => !this.#ended.has(task));
    if (wasReady && this.#phase === 'draining' && spouts.length > 0) this.#drained = false;
    if (wasReady)
      this.#lost.died({
        place,
        epoch: worker.epoch,
        why,
        reports: place.tasks.map(({ task }) => this.#accounts.lastReport(task)),
      });
    for (const { task } of place.tasks) {
      this.#accounts.gone(task);
      this.#recent.gone(task);
    }
    this.#processes.gone(worker);
    worker.died = {
      message: [why, worker.fatal?.message ?? worker.process?.lastError].filter(Boolean).join(': '),
      at: Date.now(),
      count: (worker.died?.count ?? 0) + 1,
    };
    this.#quarantineIfPoison(worker);
    const pid = worker.process?.pid ?? 0;
    if (this.#phase === 'starting' && worker.fatal === undefined && worker.epoch > 2) {
      this.fail({
        code: 'ERR_SQUALL_WORKER',
        message: `worker "${place.title}" ended again and again before it was ready (${why}); see what it printed above`,
      });
      return;
    }
    this.emit('worker-lost', { title: place.title, pid, tasks: place.tasks.map(({ task }) => task), why });
    const lived = worker.readyAt === 0 ? 0 : performance.now() - worker.readyAt;
    const delayMs = worker.policy.died(lived, worker.fatal !== undefined, Math.random());
    if (delayMs === undefined) {
      const last = worker.fatal === undefined ? why : worker.fatal.message;
      this.fail({
        code: worker.fatal?.code ?? 'ERR_SQUALL_WORKER',
        message: `worker "${place.title}" has died too often; the last time: ${last}`,
      });
      return;
    }
    this.#restarts += 1;
    worker.restartAt = performance.now() + delayMs;
    worker.restartTimer = setTimeout(() => this.#spawn(worker), delayMs);
  }

  /** Was it executing a tuple that had killed its executor before? */
  #quarantineIfPoison(worker: WorkerState): void {
    const order = this.#quarantine.died(this.#suspectFile(worker), worker.place);
    if (order === undefined) return;
    const what = `it goes to the dead letters (tuple id there: ${order.id})`;
    this.warn(`a tuple killed "${worker.place.title}" again and again: ${what}`);
    this.#workers.tell(order);
  }

  #fatal(worker: WorkerState, { error, where, starting }: Extract<FromWorker, { type: 'fatal' }>): void {
    worker.fatal = error;
    const stack = error.stack === undefined ? '' : `\n${error.stack}`;
    if (starting && this.#phase === 'starting') {
      this.fail({
        code: error.code?.startsWith('ERR_SQUALL_') ? error.code : 'ERR_SQUALL_WORKER',
        message: `${error.message}${stack}`,
      });
      return;
    }
    this.emit('log', `${where} failed: ${error.message}${stack}`, { title: worker.place.title });
  }

  #blocked(worker: WorkerState, blocked: boolean): void {
    for (const { task } of worker.place.tasks) this.#workers.tell({ type: 'blocked', task, blocked });
  }

  #link(worker: WorkerState, up: boolean, why: string): void {
    const line = this.#linksDown.changed(worker.place.title, up, why);
    if (line !== undefined) this.emit('log', line, undefined);
  }

  // ---- positions and dead letters ------------------------------------------------------------------------------

  #moved({ place }: WorkerState, task: number, position: Position): void {
    const known = place.tasks.find((one) => one.task === task);
    if (known !== undefined) this.#journal.moved(known.component, known.index, position);
  }

  #letter(worker: WorkerState, number: number, letter: Extract<FromWorker, { type: 'letter' }>['letter']): void {
    const { process, epoch, place } = worker;
    const last = letter.attempts.at(-1)?.failure;
    const message = last?.error?.message ?? letter.reason;
    this.#options.letters.put(letter, `${this.#options.token}.${place.worker}.${epoch}.${number}`).then(
      () => {
        this.#journal.buried();
        process?.send({ type: 'letter-stored', number });
        this.emit('dead-letter', { component: letter.component, id: letter.id, reason: letter.reason, message });
      },
      (error: unknown) => {
        this.warn(`a dead letter cannot be stored: ${(error as Error).message}`);
        process?.send({ type: 'letter-stored', number, error: (error as Error).message });
      },
    );
  }

  // ---- the end -------------------------------------------------------------------------------------------------

  #look(): void {
    const { settled } = this.#accounts;
    if (settled !== this.#lastProgress.settled) this.#lastProgress = { settled, at: performance.now() };
    this.#workers.killBlocked(this.#options.plan);
    if (this.#phase === 'starting') this.#sayWhoIsLate();
    if (this.#phase !== 'starting') this.#ask(this.#cycles.ask());
    const allEnded = this.#ended.size >= this.#boltsAndSpouts;
    if ((this.#phase === 'running' || this.#phase === 'paused') && allEnded) void this.#end('completed', 'orderly');
    if (this.#phase !== 'draining') return;
    const drainedMs = performance.now() - this.#drainAt;
    const allUp = this.#workers.allReady;
    if (allEnded || (allUp && drainedMs > FRESH_AFTER_MS && this.#accounts.drained)) {
      void this.#end('stopped', 'orderly');
    } else if (drainedMs > this.#drainMs) {
      this.#drained = false;
      this.warn(`not everything was settled within the message time-out of ${this.#drainMs} ms`);
      void this.#end('stopped', 'orderly');
    }
  }

  /** A component whose `open` or `prepare` does not return holds everything up. */
  #sayWhoIsLate(): void {
    if (performance.now() - this.#startedAt < SLOW_START_MS) return;
    for (const { state, place } of this.#workers.all) {
      if (state !== 'starting' || this.#late.has(place.title)) continue;
      this.#late.add(place.title);
      this.warn(`"${place.title}" is still starting: the machine is busy, or its open or prepare has not returned yet`);
    }
  }

  get #boltsAndSpouts(): number {
    return this.#options.assignment.tasks.length - this.#options.assignment.ackers.length;
  }

  /** orderly: `close` and `cleanup` are called, within a limit; what is still starting has nothing to close. */
  async #end(status: RunStatus, how: 'orderly' | 'at once'): Promise<void> {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#endStatus = status;
    clearInterval(this.#looking);
    for (const worker of this.#workers.all) {
      clearTimeout(worker.restartTimer);
      if (worker.process === undefined || worker.process.exited) worker.state = 'stopped';
      else if (how === 'at once' || worker.state === 'starting') worker.process.kill('the run ends');
      else worker.process.send({ type: 'stop' });
    }
    const stopMs = status === 'failed' ? FAILED_STOP_MS : STOP_MS;
    const overdue = setTimeout(() => {
      for (const { process, state, place } of this.#workers.all) {
        if (process === undefined || process.exited) continue;
        if (state !== 'stopped') this.warn(`"${place.title}" did not stop within ${stopMs / 1000} s and was killed`);
        process.kill('it did not stop');
      }
    }, stopMs);
    await new Promise<void>((resolve) => {
      this.#allStopped = resolve;
      this.#stoppedOne();
    });
    clearTimeout(overdue);
    this.#journal.save();
    const result = this.#result();
    if (['completed', 'dead-letters', 'incomplete'].includes(result.status)) this.#journal.clear();
    this.emit(result.status === 'failed' ? 'failed' : 'completed', result);
    this.#finish(result);
  }
  #endStatus: RunStatus = 'completed';
  #allStopped: () => void = () => {};

  #stoppedOne(): void {
    if (this.#workers.allExited) this.#allStopped();
  }

  #result(): RunResult {
    this.#lost.assess();
    const counts = this.#accounts.counts();
    const dead = this.#journal.deadLetters > 0 || this.#accounts.deadLettered > 0;
    let status = this.#endStatus;
    if (status === 'completed' && this.#lost.incomplete) status = 'incomplete';
    else if (status === 'completed' && dead) status = 'dead-letters';
    const end = this.#lastProgress.at === 0 ? performance.now() : this.#lastProgress.at;
    return {
      topology: this.#options.plan.name,
      run: this.#options.run,
      status,
      durationMs: this.#goAt === 0 ? 0 : Math.max(0, Math.round(end - this.#goAt)),
      ...counts,
      balance: this.#accounts.balance(),
      workers: { started: this.#started, restarts: this.#restarts },
      dropped: this.#accounts.dropped(),
      warnings: this.#warnings.all(),
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(status === 'stopped' ? { drained: this.#drained } : {}),
    };
  }
}
