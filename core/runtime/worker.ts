/**
 * A worker: hosts the tasks it was assigned, gives them turns, carries what the network brings to them, and tells the
 * supervisor how they fare. It owns no process and opens no connection itself, so tests can host one anywhere.
 */
import { SquallError, shown } from '../errors.js';
import {
  ACKER_COMPONENT,
  type ComponentConfig,
  type ComponentPlan,
  type Failure,
  type TaskContext,
  type TopologyPlan,
} from '../topology/definition.js';
import { nearest } from '../topology/names.js';
import { type Broker, withBroker } from '../transport/broker.js';
import type { ConnectOptions } from '../transport/connect-options.js';
import type { Transport } from '../transport/transport.js';
import type { EdgeIds } from '../tuple/edge-ids.js';
import { emptyHeader, FRAME_HEADER_BYTES, KIND_EVERYONE, openFrame, sealFrame } from '../wire/frame.js';
import { newTurn } from '../wire/frame-memory.js';
import { AckerTask } from './acker-task.js';
import { BoltTask } from './bolt-task.js';
import type { Clock } from './clock.js';
import { addDrops } from './drops.js';
import type { LocalPeer, TaskEnv, TaskReports, TaskSubjects } from './env.js';
import { errorFacts } from './failure.js';
import type { Drops } from './inbox.js';
import { Letters } from './letters.js';
import { Metrics } from './metrics.js';
import type { FromWorker, PeerState, ReplayNotice, StartMessage, TaskAssignment, TaskStats } from './protocol.js';
import { SpoutTask } from './spout-task.js';
import type { SuspectFile } from './suspect-file.js';
import { taskLog } from './task-log.js';

export interface WorkerHost {
  readonly plan: TopologyPlan;
  readonly start: StartMessage;
  readonly data: Transport;
  readonly control: Transport;
  readonly subjects: TaskSubjects;
  readonly clock: Clock;
  readonly edgeIds: EdgeIds;
  readonly random: () => number;
  readonly suspects: SuspectFile | undefined;
  /** see TaskEnv */
  readonly collectGarbage?: () => void;
  /** connects a component of the task to NATS; undefined: there is none */
  readonly connectBroker?: (options: ConnectOptions | undefined, task: TaskAssignment) => Promise<Broker>;
  send(message: FromWorker): void;
  /** the process is to end: its component's code failed where nothing can be retried */
  fatal(error: unknown, where: string, starting: boolean): void;
  /** a successor may be at work: nothing is executed while it is true */
  lapsed(): boolean;
}

type Task = SpoutTask | BoltTask | AckerTask;

const REPLAYS_AFTER_MS = 50;
/** A process that may have been replaced asks its supervisor, and looks this often whether it may go on. */
const LAPSED_LOOK_MS = 50;

/** A message to all tasks of a run. */
type Everyone =
  /** something to or from this task may be lost */
  | { readonly type: 'link-lost'; readonly component: string; readonly task: number }
  /** the ledgers ask who holds what */
  | { readonly type: 'claims' };

export class Worker {
  readonly #host: WorkerHost;
  readonly #tasks = new Map<number, { readonly assignment: TaskAssignment; readonly task: Task }>();
  readonly #metrics = new Map<number, Metrics>();
  readonly #epochs = new Map<number, number>();
  readonly #runnable = new Set<Task>();
  readonly #abort = new AbortController();
  readonly #abortSpouts = new AbortController();
  readonly #letters = new Map<number, { resolve(): void; reject(error: Error): void }>();
  #nextLetter = 1;
  readonly #replays: ReplayNotice[] = [];
  /** heard on the subject of all tasks, which no task hears itself */
  readonly #letterBook = new Letters();
  readonly #drops: Drops = {};
  #lettersWritten = 0;
  #scheduled = false;
  #going = false;
  #stopped = false;

  constructor(host: WorkerHost) {
    this.#host = host;
  }

  /** Makes the tasks, subscribes, and opens spouts and bolts. Rejects with what the component's code threw. */
  async start(): Promise<void> {
    const { start, plan } = this.#host;
    for (const assignment of start.tasks) {
      this.#tasks.set(assignment.task, { assignment, task: this.#create(assignment, plan) });
    }
    for (const { assignment, task } of this.#tasks.values()) this.#subscribe(assignment, task);
    this.#host.control.subscribe(this.#host.subjects.everyone, (bytes) => this.#everyone(bufferOf(bytes)));
    await Promise.all([this.#host.data.flush(), this.#host.control.flush()]);
    for (const { assignment, task } of this.#tasks.values()) {
      if (task instanceof AckerTask || assignment.ended) continue;
      try {
        await task.start(this.#context(assignment));
      } catch (error) {
        const hook = task instanceof SpoutTask ? 'open' : 'prepare';
        throw new SquallError(
          'ERR_SQUALL_COMPONENT',
          `${hook} of ${assignment.component}[${assignment.task}] failed: ${errorFacts(error).message}`,
          { facts: { component: assignment.component, task: assignment.task }, cause: error },
        );
      }
    }
  }

  #create(assignment: TaskAssignment, plan: TopologyPlan): Task {
    const env = this.#env(assignment);
    if (assignment.component === ACKER_COMPONENT) {
      return new AckerTask(env, () => this.#announceLoss(assignment));
    }
    const component = componentOf(plan, assignment.component);
    if (component === undefined) throw new Error(`no component ${assignment.component}`);
    return component.definition.kind === 'spout'
      ? new SpoutTask(env, component.definition, assignment.position)
      : new BoltTask(env, component.definition, this.#host.start);
  }

  #env(assignment: TaskAssignment): TaskEnv {
    const { start, plan, data, control, subjects, clock, edgeIds, random, collectGarbage } = this.#host;
    const { task, component, index, epoch } = assignment;
    const tasks = componentOf(plan, component)?.tasks ?? start.ackers.length;
    return {
      plan,
      run: start.run,
      debug: start.debug,
      component,
      config: componentOf(plan, component)?.config ?? ackerConfig(plan),
      task,
      index,
      tasks,
      epoch,
      ackers: start.ackers,
      frameKey: start.frameKey,
      nextLetter: () => ++this.#lettersWritten,
      clock,
      edgeIds,
      random,
      data,
      control,
      subjects,
      peerEpoch: (peer) => this.#epochs.get(peer) ?? 0,
      local: (peer) => this.#tasks.get(peer)?.task as LocalPeer | undefined,
      isLocal: (peer) => start.tasks.some((own) => own.task === peer),
      askClaims: () => this.#tellEveryone(assignment, { type: 'claims' }),
      activeSenders: () => this.#activeSenders(),
      wake: () => this.#wake(task),
      report: this.#reports(assignment),
      ...(collectGarbage === undefined ? {} : { collectGarbage }),
    };
  }

  #reports({ task, component }: TaskAssignment): TaskReports {
    const { send, fatal, suspects } = this.#host;
    return {
      ended: () => send({ type: 'ended', task }),
      position: (position) => send({ type: 'position', task, position }),
      channelClosed: (record) => send({ type: 'channel', record }),
      warn: (message) => send({ type: 'warn', message }),
      replay: (record) => this.#replayed({ component, task, ...record }),
      deadLetter: (letter) =>
        new Promise((resolve, reject) => {
          const number = this.#nextLetter++;
          this.#letters.set(number, { resolve, reject });
          send({ type: 'letter', number, letter });
        }),
      suspect: (root) => suspects?.write(root),
      fatal: (error, where) => {
        this.#tellReplays();
        fatal(error, where, false);
      },
    };
  }

  /** A loss makes thousands of them at once: they are told together. */
  #replayed(notice: ReplayNotice): void {
    this.#replays.push(notice);
    if (this.#replays.length === 1) this.#host.clock.after(REPLAYS_AFTER_MS, () => this.#tellReplays());
  }

  /** Also when the process is to end: a run may be complete before the timer is due. */
  #tellReplays(): void {
    if (this.#replays.length > 0) this.#host.send({ type: 'replays', replays: this.#replays.splice(0) });
  }

  #context(assignment: TaskAssignment): TaskContext {
    const { task, component, index, epoch, position, resumed } = assignment;
    const { plan, clock, connectBroker } = this.#host;
    const known = componentOf(plan, component) as ComponentPlan;
    const metrics = this.#metrics.get(task) ?? new Metrics();
    this.#metrics.set(task, metrics);
    const context: TaskContext = {
      topology: plan.name,
      component,
      task,
      index,
      tasks: known.tasks,
      epoch,
      position,
      resumed,
      log: taskLog(),
      metrics,
      // a source that waits for something need not wait any longer once the run drains
      signal: known.definition.kind === 'spout' ? this.#abortSpouts.signal : this.#abort.signal,
      config: known.config,
      sources: [...new Set(known.inputs.map(({ source }) => source))],
      targets: [...new Set(known.outputs.map(({ target }) => target))],
      tasksOf: (name) => tasksOf(plan, name),
      now: () => clock.wall(),
    };
    if (connectBroker === undefined) return context;
    return withBroker(context, {
      open: (options) => connectBroker(options, assignment),
      sharesInput: sharesInput(plan, known),
    });
  }

  #subscribe({ task: number, epoch }: TaskAssignment, task: Task): void {
    const { data, control, subjects } = this.#host;
    if (task instanceof AckerTask) {
      control.subscribe(subjects.acks(number, epoch), (bytes) => task.acceptFrame(bufferOf(bytes)));
      return;
    }
    if (task instanceof BoltTask) {
      data.subscribe(subjects.data(number, epoch), (bytes) => task.inbox.acceptFrame(bufferOf(bytes)));
    }
    control.subscribe(subjects.ledger(number, epoch), (bytes) => task.acceptLedgerFrame(bufferOf(bytes)));
    control.subscribe(subjects.credit(number), (bytes) => task.sender.acceptFrame(bufferOf(bytes)));
  }

  // ---- turns ---------------------------------------------------------------------------------------------------

  #wake(task: number): void {
    const known = this.#tasks.get(task)?.task;
    if (known === undefined || this.#stopped) return;
    this.#runnable.add(known);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#host.clock.soon(() => this.#round());
  }

  /** One turn for each task that has something to do; what arrives meanwhile is read before the next round. */
  #round(): void {
    this.#scheduled = false;
    newTurn();
    if (this.#stopped) return;
    if (this.#host.lapsed()) {
      this.#scheduled = true;
      this.#host.clock.after(LAPSED_LOOK_MS, () => this.#round());
      return;
    }
    const tasks = [...this.#runnable];
    this.#runnable.clear();
    for (const task of tasks) {
      if (task instanceof AckerTask) task.flush();
      else if (this.#going && task.turn()) this.#runnable.add(task);
    }
    if (this.#runnable.size > 0 && !this.#scheduled) {
      this.#scheduled = true;
      this.#host.clock.soon(() => this.#round());
    }
  }

  #activeSenders(): number {
    const now = this.#host.clock.now();
    let active = 0;
    for (const { task } of this.#tasks.values()) if (task instanceof BoltTask) active += task.inbox.activeSenders(now);
    return active;
  }

  // ---- what the supervisor says --------------------------------------------------------------------------------

  go(): void {
    this.#going = true;
    for (const { assignment, task } of this.#tasks.values()) {
      if (task instanceof AckerTask) continue;
      if (assignment.ended) task.resumeEnded();
      else task.go();
    }
  }

  peers(peers: readonly PeerState[]): void {
    const { start, plan } = this.#host;
    for (const { task: peer, epoch, state } of peers) {
      const known = this.#epochs.get(peer) ?? 0;
      if (state === 'ready') {
        if (known === epoch) continue;
        this.#epochs.set(peer, epoch);
        for (const { task } of this.#tasks.values()) task.peerReady(peer, epoch);
      } else if (known !== 0) {
        this.#epochs.set(peer, 0);
        const isAcker = start.ackers.includes(peer);
        const component = isAcker ? ACKER_COMPONENT : (componentOfTask(plan, peer)?.name ?? '');
        for (const { task } of this.#tasks.values())
          if (!(task instanceof AckerTask)) task.peerGone(peer, component, isAcker);
      }
    }
  }

  blocked(peer: number, blocked: boolean): void {
    for (const { task } of this.#tasks.values())
      if (!(task instanceof AckerTask)) task.sender.peerBlocked(peer, blocked);
  }

  quarantine(id: string, hi: number, lo: number, failure: Failure): void {
    for (const { task } of this.#tasks.values()) {
      if (task instanceof SpoutTask) task.origin.quarantine(hi, lo, failure);
      else if (task instanceof BoltTask) {
        task.origin?.quarantine(hi, lo, failure);
        task.quarantine(id);
      }
    }
  }

  letterStored(number: number, error: string | undefined): void {
    const waiting = this.#letters.get(number);
    this.#letters.delete(number);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(new Error(error));
  }

  /** No more calls of `next`, until `resume`. */
  async pause(): Promise<void> {
    await this.#spouts((spout) => spout.pause());
  }

  async resume(): Promise<void> {
    await this.#spouts((spout) => spout.resume());
  }

  /** No more calls of `next`, for good. */
  async drain(): Promise<void> {
    this.#abortSpouts.abort();
    await this.#spouts((spout) => spout.drain());
  }

  async #spouts(each: (spout: SpoutTask) => Promise<void>): Promise<void> {
    const spouts = [...this.#tasks.values()].map(({ task }) => task).filter((task) => task instanceof SpoutTask);
    await Promise.all(spouts.map(each));
  }

  /** All components of a cycle have come so far: they take the next step together. */
  cycle(cycle: number, step: 'end' | 'close'): void {
    for (const { assignment, task } of this.#tasks.values()) {
      const component = componentOf(this.#host.plan, assignment.component);
      if (task instanceof BoltTask && component?.cycle === cycle) task.cycleStep(step);
    }
  }

  async stop(): Promise<readonly TaskStats[]> {
    this.#abort.abort();
    this.#abortSpouts.abort();
    const stats = this.stats();
    this.#stopped = true;
    for (const { assignment, task } of this.#tasks.values()) {
      if (task instanceof AckerTask) continue;
      try {
        await task.stop();
      } catch (error) {
        const hook = task instanceof SpoutTask ? 'close' : 'cleanup';
        this.#host.send({
          type: 'warn',
          message: `${hook} of ${assignment.component}[${assignment.task}] failed: ${errorFacts(error).message}`,
        });
      }
      if (task instanceof BoltTask) task.inbox.closeAll();
    }
    this.#tellReplays();
    return stats;
  }

  // ---- links ---------------------------------------------------------------------------------------------------

  linkUp(): void {
    for (const { assignment, task } of this.#tasks.values()) {
      if (!(task instanceof AckerTask)) task.sender.linkUp();
      this.#announceLoss(assignment);
      this.#wake(assignment.task);
    }
  }

  /** Something to or from this task may be lost: the ledgers look after their roots. */
  #announceLoss(assignment: TaskAssignment): void {
    const { component, task } = assignment;
    this.#tellEveryone(assignment, { type: 'link-lost', component, task });
  }

  #tellEveryone({ task, epoch }: TaskAssignment, message: Everyone): void {
    const { control, plan, start, subjects } = this.#host;
    const header = { ...emptyHeader(), kind: KIND_EVERYONE, sender: task, senderEpoch: epoch };
    header.frame = ++this.#lettersWritten;
    const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), Buffer.from(JSON.stringify(message))]);
    sealFrame(frame, plan.hash, header, start.frameKey);
    control.publish(subjects.everyone, frame);
  }

  #everyone(bytes: Buffer): void {
    const message = this.#letter(bytes);
    if (typeof message === 'string') {
      this.#drops[message] = (this.#drops[message] ?? 0) + 1;
      return;
    }
    if (message.type === 'claims') {
      for (const { task } of this.#tasks.values()) if (!(task instanceof AckerTask)) task.claimSoon();
      return;
    }
    const failure = { component: message.component, task: message.task };
    for (const { task } of this.#tasks.values()) if (!(task instanceof AckerTask)) task.linkLost(failure);
  }

  /** What it says; or why it is not heard. */
  #letter(bytes: Buffer): Everyone | string {
    const header = emptyHeader();
    const refused = openFrame(bytes, this.#host.plan.hash, header, this.#host.start.frameKey);
    if (refused !== undefined) return refused;
    if (header.kind !== KIND_EVERYONE) return 'malformed';
    const repeated = this.#letterBook.refusal(header.sender, header.senderEpoch, header.frame);
    if (repeated !== undefined) return repeated;
    try {
      return JSON.parse(bytes.toString('utf8', FRAME_HEADER_BYTES)) as Everyone;
    } catch {
      return 'malformed';
    }
  }

  /** Tasks whose bolt emits something at the end. */
  hasEnd(): number[] {
    return [...this.#tasks.values()]
      .filter(({ task }) => task instanceof BoltTask && task.hasEnd)
      .map(({ assignment }) => assignment.task);
  }

  // ---- counts --------------------------------------------------------------------------------------------------

  stats(): TaskStats[] {
    const [first, ...others] = this.#taskStats();
    // one task speaks for all of the process
    return first === undefined ? [] : [{ ...first, drops: addDrops([first.drops, this.#drops]) }, ...others];
  }

  #taskStats(): TaskStats[] {
    const now = this.#host.clock.now();
    return [...this.#tasks.values()].map(({ assignment, task }): TaskStats => {
      const metrics = this.#metrics.get(assignment.task)?.report();
      const base = {
        task: assignment.task,
        epoch: assignment.epoch,
        drained: true,
        ...(metrics === undefined ? {} : { metrics }),
      };
      if (task instanceof AckerTask) return { ...base, kind: 'acker', open: task.open, drops: { ...task.drops } };
      const links = task.sender.counts();
      const blockedOn = task.sender.blockedOn(now);
      const blocked = blockedOn.length === 0 ? {} : { blockedOn };
      if (task instanceof SpoutTask) {
        const { origin } = task;
        return {
          ...base,
          kind: 'spout',
          drained: task.drained && task.sender.settled,
          spout: { ...origin.counts, pending: origin.pending, waiting: origin.waiting },
          links,
          ...blocked,
          latency: origin.latency.sparse(),
          latencyMaxMs: origin.latency.maxMs,
          drops: addDrops([origin.drops, task.sender.drops, { late: origin.late }]),
          ...(origin.oldestStartedAt === undefined ? {} : { oldestMs: now - origin.oldestStartedAt }),
        };
      }
      task.counts.emitted = task.sender.outbox.emits;
      return {
        ...base,
        kind: 'bolt',
        drained: (task.origin?.empty ?? true) && !task.executing && task.inbox.waiting === 0,
        bolt: { ...task.counts },
        ...(task.origin === undefined
          ? {}
          : { trees: { ...task.origin.counts, pending: task.origin.pending, waiting: task.origin.waiting } }),
        ...(task.cycle === undefined ? {} : { cycle: task.cycle }),
        links,
        ...blocked,
        load: task.load.report(task.inbox.waiting),
        ...(task.lastError === undefined ? {} : { error: task.lastError }),
        drops: addDrops([task.inbox.drops, task.sender.drops, task.misuses, task.origin?.drops ?? {}]),
      };
    });
  }
}

function componentOf(plan: TopologyPlan, component: string): ComponentPlan | undefined {
  return plan.components.find(({ name }) => name === component);
}

function componentOfTask(plan: TopologyPlan, task: number): ComponentPlan | undefined {
  return plan.components.find(({ firstTask, tasks }) => task >= firstTask && task < firstTask + tasks);
}

/** Do others get the tuples that a task of this component gets? */
function sharesInput({ edges }: TopologyPlan, { inputs, tasks }: ComponentPlan): boolean {
  return inputs.some(({ index, source, stream, grouping: { kind } }) => {
    if (tasks > 1 && (kind === 'all' || kind === 'custom')) return true;
    return edges.some((other) => other.index !== index && other.source === source && other.stream.name === stream.name);
  });
}

function tasksOf(plan: TopologyPlan, component: string): readonly number[] {
  const found = componentOf(plan, component);
  if (found === undefined) {
    const names = plan.components.map(({ name }) => name);
    throw new SquallError(
      'ERR_SQUALL_COMPONENT',
      `tasksOf(${shown(component)}): there is no such component${nearest(component, names)}; there are ${names.join(', ')}`,
      { facts: { component } },
    );
  }
  const { firstTask, tasks } = found;
  return Array.from({ length: tasks }, (_, index) => firstTask + index);
}

/** Ackers have no settings of their own. */
function ackerConfig({ config }: TopologyPlan): ComponentConfig {
  return {
    ...config,
    tickEveryMs: undefined,
    executeTimeoutMs: config.messageTimeoutMs * 10,
    concurrency: 1,
    retry: { attempts: 1, backoff: { firstMs: 0, maxMs: 0 } },
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
