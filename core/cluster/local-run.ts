/** A run on this machine, from its topology file to its result. `run.ts` loads this when there is something to run. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EventEmitter } from 'eventemitter3';
import { v7 as uuid } from 'uuid';
import { isSquallError, SquallError, shown } from '../errors.js';
import { DeadLetterStore } from '../inspect/dead-letter-store.js';
import { packageVersion } from '../package-root.js';
import { compileForWorkers, loadPlan } from '../runtime/load-topology.js';
import type { Connection } from '../runtime/protocol.js';
import type { TopologyPlan } from '../topology/definition.js';
import { isTopology, type Topology } from '../topology/draft.js';
import { type ConnectOptions, connectOptions } from '../transport/connect-options.js';
import { NatsTransport } from '../transport/nats.js';
import { probeServer } from '../transport/probe.js';
import { assign, MAX_ACKERS, MAX_WORKERS } from './assignment.js';
import { ControlDesk } from './control-desk.js';
import { controlSubject } from './control-messages.js';
import { LetterBox } from './letter-box.js';
import { type Logins, loginsOfRun } from './logins.js';
import type { MetricsServer } from './metrics-server.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { NOT_YET, type RunEvents, type RunOptions, type RunResult, type RunSnapshot } from './run-types.js';
import { StateFolder } from './state-folder.js';
import { Supervisor } from './supervisor.js';

const DEFAULT_STATE = '.squall';

export class LocalRun {
  readonly #events: EventEmitter<RunEvents>;
  #supervisor: Supervisor | undefined;
  /** before there was a supervisor to hear of it, too */
  #asked: 'no' | 'drain' | 'kill' = 'no';
  #paused = false;
  #name = '';
  #metrics: MetricsServer | undefined;
  readonly #id = uuid();

  constructor(events: EventEmitter<RunEvents>) {
    this.#events = events;
  }

  /** Never rejects: a run that could not go on has status `failed`. */
  run(target: Topology | string | URL, options: RunOptions): Promise<RunResult> {
    return this.#start(target, options).catch((error: unknown) => this.#failed(error));
  }

  drain(): void {
    if (this.#asked === 'no') this.#asked = 'drain';
    this.#supervisor?.drain();
  }

  kill(): void {
    this.#asked = 'kill';
    this.#supervisor?.kill();
  }

  pause(): void {
    this.#paused = true;
    this.#supervisor?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#supervisor?.resume();
  }

  /** See `Run.metricsUrl`. */
  get metricsUrl(): string | undefined {
    return this.#metrics && `${this.#metrics.url}/metrics`;
  }

  snapshot(): RunSnapshot {
    return this.#supervisor?.snapshot() ?? { ...NOT_YET, topology: this.#name, run: this.#id };
  }

  async #start(target: Topology | string | URL, options: RunOptions): Promise<RunResult> {
    const file = fileOf(target, options);
    checkOptions(options);
    const settings = options.set ?? {};
    const plan = await loadPlan(file, settings);
    this.#name = plan.name;
    checkCycles(plan, options);
    const state = new StateFolder(options.state ?? DEFAULT_STATE);
    state.lock();
    try {
      return await this.#underLock(plan, file, settings, state, options);
    } finally {
      state.unlock();
    }
  }

  async #underLock(
    plan: TopologyPlan,
    file: string,
    settings: Readonly<Record<string, string>>,
    state: StateFolder,
    options: RunOptions,
  ): Promise<RunResult> {
    const tell = (line: string): void => void this.#events.emit('log', line, undefined);
    let own: OwnServer | undefined;
    let transport: Promise<NatsTransport> | undefined;
    const giveUp = new AbortController();
    let desk: Promise<ControlDesk | undefined> | undefined;
    let letters: LetterBox | undefined;
    try {
      if (options.metrics !== undefined) {
        const source = {
          snapshot: () => this.#supervisor?.snapshot(),
          histograms: () => this.#supervisor?.histograms() ?? [],
        };
        // whoever does not ask for it does not pay for the libraries
        const { serveMetrics } = await import('./metrics-server.js');
        this.#metrics = await serveMetrics(options.metrics, source, packageVersion());
        tell(`metrics at ${this.metricsUrl}`);
      }
      const jetstream = options.jetstream !== false;
      const given =
        typeof options.nats === 'string' ? connectOptions({ nats: options.nats }, process.env) : options.nats;
      const placement = { ackers: options.ackers ?? 1, workers: options.workers ?? 'task', jetstream } as const;
      let connection: ConnectOptions;
      let logins: Logins | undefined;
      if (given === undefined) {
        if (options.logins !== undefined) throw loginsWithoutServer();
        own = await startOwnServer(state, tell, (error) =>
          this.#supervisor?.fail({
            code: 'ERR_SQUALL_NATS_START',
            message: `${error.message}; its log is in ${state.serverFolder}`,
          }),
        );
        connection = own.connection;
      } else {
        if (options.logins !== undefined) logins = loginsOfRun(options.logins, plan, placement, given);
        connection = logins?.supervisor ?? given;
        await probeServer(connection, { jetstream }).catch(adviseWithoutJetstream);
      }
      const open = (): Promise<NatsTransport> => {
        transport ??= NatsTransport.connect(
          { ...connection, name: `squall:${plan.name}/supervisor`, signal: giveUp.signal },
          { onError: (error) => this.#connectionError(error) },
        );
        transport.catch(() => {
          transport = undefined;
        });
        return transport;
      };
      const store = jetstream
        ? async (): Promise<DeadLetterStore> => {
            const nats = await open();
            return new DeadLetterStore(plan.name, nats.jetstream(), nats.maxPayload);
          }
        : undefined;
      letters = new LetterBox(store, join(state.folderOf(plan.name), 'dead-letters.spill'), (message) =>
        this.#supervisor?.warn(message),
      );
      // at once: sinks truncate before the run begins, and what they had written must not be taken for done
      if (options.fresh === true) state.clearRun(plan.name);
      const record = state.readRun(plan.name);
      const supervisor = new Supervisor({
        plan,
        file,
        code: await compileForWorkers(file, state.folderOf(plan.name)),
        settings,
        assignment: assign(plan, placement.ackers, placement.workers),
        connection: (place) => (logins?.worker(place) ?? connection) as unknown as Connection,
        state,
        letters,
        run: record?.run ?? this.#id,
        token: this.#id.replaceAll('-', ''),
        resumed: record !== undefined,
        positions: record === undefined ? {} : state.readPositions(plan.name),
        deadLetters: record?.deadLetters ?? 0,
        debug: options.debug ?? false,
      });
      this.#supervisor = supervisor;
      forward(supervisor, this.#events);
      desk = open()
        .then((nats) => this.#desk(nats, supervisor, tell))
        .catch((error: Error) => {
          supervisor.warn(`squall list, pause, drain and kill do not reach this run: ${error.message}`);
          return undefined;
        });
      const { durationMs } = options;
      let timer: NodeJS.Timeout | undefined;
      if (durationMs !== undefined)
        supervisor.once('ready', () => (timer = setTimeout(() => void this.drain(), durationMs)));
      if (!jetstream) supervisor.warn('without JetStream dead letters are not kept');
      const running = supervisor.run();
      // asked before there was anything to do it to
      if (this.#paused) supervisor.pause();
      if (this.#asked === 'drain') supervisor.drain();
      else if (this.#asked === 'kill') supervisor.kill();
      const result = await running;
      clearTimeout(timer);
      // a server that was not there all the time is not waited for now
      giveUp.abort();
      await letters.drainFile();
      await (await desk)?.ended(result);
      return result;
    } finally {
      const metrics = this.#metrics;
      this.#metrics = undefined;
      await metrics?.close();
      letters?.close();
      await transport?.then((nats) => nats.close()).catch(() => {});
      await own?.stop();
    }
  }

  #desk(nats: NatsTransport, supervisor: Supervisor, tell: (line: string) => void): ControlDesk {
    return new ControlDesk(nats, {
      topology: this.#name,
      run: supervisor.runId,
      start: this.#id,
      snapshot: () => supervisor.snapshot(),
      act: (action) => {
        const { phase } = supervisor.snapshot();
        const ending = phase === 'draining' || phase === 'ended';
        if (ending && (action === 'pause' || action === 'resume')) return 'it is about to end';
        // those who look at the run should know that it was not the run's own idea
        tell(`${action}: asked for by another process`);
        void this[action]();
        return undefined;
      },
    });
  }

  /** Of what its user may not do it learns by this alone. What happens to links the workers tell. */
  #connectionError(error: Error): void {
    if (!isSquallError(error) || error.code !== 'ERR_SQUALL_NATS_PERMISSION') return;
    // users whose permissions end with their topology's subjects need not be seen by all
    const missing =
      error.facts.subject === controlSubject()
        ? 'squall list does not see this run'
        : 'squall pause, resume, drain and kill may not reach this run';
    this.#supervisor?.warn(`${missing}: ${error.message}`);
  }

  /** What went wrong before there were any processes. */
  #failed(error: unknown): RunResult {
    const message =
      error instanceof Error ? (isSquallError(error) ? error.message : (error.stack ?? error.message)) : String(error);
    const result: RunResult = {
      topology: this.#name,
      run: this.#id,
      status: 'failed',
      durationMs: 0,
      spouts: {},
      bolts: {},
      completeLatencyMs: { p50: 0, p90: 0, p99: 0, max: 0 },
      balance: { created: 0, consumed: 0, failed: 0, writtenOff: 0, inFlight: 0, causes: {}, mismatches: 0 },
      workers: { started: 0, restarts: 0 },
      dropped: {},
      warnings: [],
      error: { code: isSquallError(error) ? (error as SquallError).code : 'ERR_SQUALL_INTERNAL', message },
    };
    this.#events.emit('failed', result);
    return result;
  }
}

function forward(from: Supervisor, to: EventEmitter<RunEvents>): void {
  from.on('ready', (info) => to.emit('ready', info));
  from.on('log', (line, source) => to.emit('log', line, source));
  from.on('warning', (message) => to.emit('warning', message));
  from.on('replay', (replay) => to.emit('replay', replay));
  from.on('dead-letter', (letter) => to.emit('dead-letter', letter));
  from.on('worker-lost', (loss) => to.emit('worker-lost', loss));
  from.on('worker-restarted', (worker) => to.emit('worker-restarted', worker));
  from.on('paused', () => to.emit('paused'));
  from.on('resumed', () => to.emit('resumed'));
  from.on('completed', (result) => to.emit('completed', result));
  from.on('failed', (result) => to.emit('failed', result));
}

/** The transport does not know that a run can do without. */
function adviseWithoutJetstream(error: unknown): never {
  if (!isSquallError(error) || error.code !== 'ERR_SQUALL_NATS_NO_JETSTREAM') throw error;
  const advice = 'or do without it: --no-jetstream, or { jetstream: false }; dead letters are then only told, not kept';
  throw new SquallError(error.code, `${error.message}; ${advice}`, { facts: error.facts, cause: error });
}

function loginsWithoutServer(): SquallError {
  return new SquallError(
    'ERR_SQUALL_USAGE',
    'logins are for a NATS server that knows their users, and none is given: name it with --nats URL, or { nats }; ' +
      'the server that a run starts for itself lets in nobody else',
  );
}

function fileOf(target: Topology | string | URL, options: RunOptions): string {
  const file = typeof target === 'string' || target instanceof URL ? target : options.file;
  if (file === undefined) {
    const message = isTopology(target)
      ? "run of a topology needs the file that exports it, because every worker process imports it: run(topology, { file: import.meta.url }) with the topology as that file's default export"
      : `run expects a topology file or a topology, got ${shown(target)}`;
    throw new SquallError('ERR_SQUALL_USAGE', message);
  }
  return file instanceof URL || /^file:\/\//.test(file) ? fileURLToPath(file) : file;
}

/** Of tuples that nobody tracks nobody knows when the last has gone round: such a run would never end. */
function checkCycles({ name, edges, cycles }: TopologyPlan, { ackers }: RunOptions): void {
  const feedback = edges.find((edge) => edge.feedback);
  if (ackers !== 0 || feedback === undefined) return;
  const mistake =
    `topology '${name}': its cycle (feedback from '${feedback.source}' to '${feedback.target}') needs tracked tuples, ` +
    'and with 0 ackers nothing is tracked: such a run would never end. Give it ackers: --ackers 1, or { ackers: 1 }';
  throw new SquallError('ERR_SQUALL_TOPOLOGY', mistake, { facts: { mistakes: [mistake], cycles } });
}

function checkOptions({ workers, ackers, durationMs }: RunOptions): void {
  const refuse = (name: string, expected: string, value: unknown): never => {
    throw new SquallError('ERR_SQUALL_USAGE', `${name}: expected ${expected}, got ${shown(value)}`, {
      facts: { name, value },
    });
  };
  const whole = (value: number, min: number, max: number): boolean =>
    Number.isInteger(value) && value >= min && value <= max;
  if (workers !== undefined && workers !== 'task' && !whole(workers, 1, MAX_WORKERS))
    refuse('workers', `'task' or a whole number from 1 to ${MAX_WORKERS}`, workers);
  if (ackers !== undefined && !whole(ackers, 0, MAX_ACKERS))
    refuse('ackers', `a whole number from 0 to ${MAX_ACKERS}`, ackers);
  if (durationMs !== undefined && !(durationMs > 0 && durationMs < 2 ** 31))
    refuse('durationMs', 'a number of milliseconds above 0', durationMs);
}
