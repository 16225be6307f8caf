/**
 * What a task emits: picks the target tasks of each tuple, gives every copy its edge id, collects copies into batches
 * and sends a batch when it is full, when the task has nothing left to do, or when its time to linger is over.
 */
import { SquallError, shown } from '../errors.js';
import { createGrouping } from '../grouping/create.js';
import { CHOSEN_TASKS, EVERY_TASK, type Grouping } from '../grouping/grouping.js';
import type { EdgePlan, StreamDeclaration } from '../topology/definition.js';
import { Batch, GROUP_WORDS, type Lineage, ROW_WORDS } from '../wire/batch.js';
import { encodeBatch } from '../wire/data-frame.js';
import { FRAME_HEADER_BYTES, KIND_DATA } from '../wire/frame.js';
import { RowLayout } from '../wire/layout.js';
import type { TaskEnv } from './env.js';
import { type Freight, Link } from './link.js';

/** Full: more gains little for throughput and costs latency and memory. */
const FULL_BATCH_ROWS = 2048;
const FULL_BATCH_BYTES = 64 << 10;
/** A larger row travels alone, so that frames stay near their size and the exact check stays rare. */
const BIG_ROW_BYTES = 32 << 10;
const FIRST_WORDS = 48;
/** Header of a frame with one row, and of its columns, with room to spare. */
const FRAME_OVERHEAD_BYTES = FRAME_HEADER_BYTES + (GROUP_WORDS + ROW_WORDS) * 4 + 8 * 64;
/** Undeclared fields are looked for in the first emits of a stream and then now and again: it costs as much as an emit. */
const CHECKED_EMITS = 256;
const CHECK_EVERY = 1024;
/**
 * What waits at one sender for one receiver of a feedback edge. A cycle must go on taking input while its own output waits,
 * or it would stand still for ever: so its edges back may run ahead of their credit, and this is how far.
 */
export const MAX_FEEDBACK_BYTES = 64 << 20;

interface Target {
  readonly link: Link<Batch>;
  batch: Batch | undefined;
  /** rows at which the batch is full: no more than there was room for when it was begun */
  fullRows: number;
  /** words of ids that the last batch needed: the next one starts with room for as many */
  rowWords: number;
  groupWords: number;
}

interface OutEdge {
  readonly plan: EdgePlan;
  readonly grouping: Grouping;
  readonly targets: readonly Target[];
  /** of the tuple that is being emitted */
  choice: number;
}

/** Words for the ids of batches, used again: as garbage they would be tens of MiB a second outside of the heap. */
class IdMemory {
  readonly #rows: Uint32Array<ArrayBufferLike>[] = [];
  readonly #groups: Uint32Array<ArrayBufferLike>[] = [];

  rows(words: number): Uint32Array<ArrayBuffer> {
    return (this.#rows.pop() ?? new Uint32Array(words)) as Uint32Array<ArrayBuffer>;
  }
  groups(words: number): Uint32Array<ArrayBuffer> {
    return (this.#groups.pop() ?? new Uint32Array(words)) as Uint32Array<ArrayBuffer>;
  }
  give(batch: Batch): void {
    // a frame that only asked or ended has no ids
    if (!(batch instanceof Batch) || this.#rows.length >= MAX_SPARE_BATCHES) return;
    this.#rows.push(batch.rows);
    this.#groups.push(batch.groups);
    batch.rows = NO_WORDS;
    batch.groups = NO_WORDS;
    batch.roots = NO_WORDS;
    batch.groupCount = 0;
    batch.rootWords = 0;
  }
}
/** `emit`: the groupings choose. */
const NO_TASK = 0;
const MAX_SPARE_BATCHES = 64;
const NO_WORDS = new Uint32Array(0);

/** Component and stream in one number. */
export function siteOf(component: number, stream: number): number {
  return component * 0x1000 + stream;
}

export class OutStream {
  readonly declaration: StreamDeclaration;
  readonly layout: RowLayout;
  /** component and stream in one number, for stable ids */
  readonly site: number;
  readonly edges: readonly OutEdge[];
  readonly direct: boolean;
  readonly #back: readonly OutEdge[];
  emits = 0;

  constructor(declaration: StreamDeclaration, site: number, edges: readonly OutEdge[]) {
    this.declaration = declaration;
    this.layout = new RowLayout(declaration);
    this.site = site;
    this.edges = edges;
    this.direct = declaration.direct;
    this.#back = edges.filter(({ plan }) => plan.feedback);
  }

  get feedsBack(): boolean {
    return this.#back.length > 0;
  }

  /** Throws where an edge back may not take this tuple. */
  checkBack(lineage: Lineage, where: string): void {
    for (const { plan, targets } of this.#back) {
      if (lineage.rootHi === 0) {
        throw new SquallError(
          'ERR_SQUALL_UNTRACKED_CYCLE',
          `${where}: an untracked tuple may not go round a cycle (back to "${plan.target}"): nothing would ever end it. Emit it anchored, and the spout's tuple with an id.`,
          { facts: { target: plan.target } },
        );
      }
      for (const { link } of targets) {
        if (link.queuedBytes <= MAX_FEEDBACK_BYTES) continue;
        throw new SquallError(
          'ERR_SQUALL_FEEDBACK_FULL',
          `${where}: more than ${MAX_FEEDBACK_BYTES} bytes wait for "${plan.target}" on this edge back: the cycle makes more than it takes. ` +
            'Let fewer tuples go round, give the bolt more tasks, or lower maxSpoutPending.',
          { facts: { target: plan.target, limitBytes: MAX_FEEDBACK_BYTES } },
        );
      }
    }
  }
}

export class Outbox {
  /** XOR of the edge ids that emits made since the owner set it to zero */
  xorHi = 0;
  xorLo = 0;
  /** the first copy that the last emit made: where its values are kept. Undefined: nobody takes that stream. */
  keptBatch: Batch | undefined;
  keptRow = 0;
  keptBytes = 0;
  /** tuples emitted, and the edges made for them: one for each task that got one */
  emits = 0;
  created = 0;

  readonly #memory = new IdMemory();
  readonly links: ReadonlyMap<number, Link<Batch>>;
  readonly #env: TaskEnv;
  readonly #streams = new Map<string, OutStream>();
  readonly #targets: Target[] = [];
  readonly #edges: OutEdge[] = [];
  /** `#room` must be looked up again */
  #stale = true;
  #room = false;
  #waiting = 0;

  constructor(env: TaskEnv, changed: () => void) {
    this.#env = env;
    const component = env.plan.components.find(({ name }) => name === env.component);
    if (component === undefined) throw new Error(`no component ${env.component}`);
    const freight: Freight<Batch> = {
      kind: KIND_DATA,
      tuples: true,
      transport: env.data,
      subject: (receiver, epoch) => env.subjects.data(receiver, epoch),
      edge: (batch) => batch.edge.index,
      encode: encodeBatch,
      settled: (batch) => this.#memory.give(batch),
    };
    const links = new Map<number, Link<Batch>>();
    const stale = (): void => {
      this.#stale = true;
      changed();
    };
    // between two components all edges are edges back, or none is: the checks of a topology see to that
    const linkTo = (task: number, runsAhead: boolean): Link<Batch> => {
      const link = links.get(task) ?? new Link(env, task, freight, stale, runsAhead);
      links.set(task, link);
      return link;
    };
    component.definition.streams.forEach((declaration, index) => {
      const edges = component.outputs
        .filter((edge) => edge.stream.name === declaration.name)
        .map((plan) => this.#edge(plan, linkTo));
      this.#edges.push(...edges);
      this.#streams.set(declaration.name, new OutStream(declaration, siteOf(component.index, index), edges));
    });
    this.links = links;
  }

  #edge(plan: EdgePlan, linkTo: (task: number, runsAhead: boolean) => Link<Batch>): OutEdge {
    const target = this.#env.plan.components.find(({ name }) => name === plan.target);
    if (target === undefined) throw new Error(`no component ${plan.target}`);
    const targets: Target[] = Array.from({ length: target.tasks }, (_, index) => ({
      link: linkTo(target.firstTask + index, plan.feedback),
      batch: undefined,
      fullRows: FULL_BATCH_ROWS,
      rowWords: FIRST_WORDS,
      groupWords: FIRST_WORDS,
    }));
    this.#targets.push(...targets);
    return {
      plan,
      grouping: createGrouping(plan.grouping, target.tasks, {
        where: `${this.#env.component}[${this.#env.task}] to "${plan.target}"`,
        offset: this.#env.index,
        isLocal: (index) => this.#env.isLocal(target.firstTask + index),
        loads: {
          load: (index) => {
            const { batch, link } = targets[index];
            const collected = batch?.count ?? 0;
            return link.room <= collected ? Number.POSITIVE_INFINITY : link.inFlight + collected;
          },
          speed: (index) => targets[index].link.speed,
        },
      }),
      targets,
      choice: 0,
    };
  }

  stream(name: string, where: string): OutStream {
    const stream = this.#streams.get(name);
    if (stream !== undefined) return stream;
    throw new SquallError(
      'ERR_SQUALL_EMIT',
      `${where}: emit to stream "${name}", which "${this.#env.component}" does not declare; it declares ${[...this.#streams.keys()].join(', ') || 'none'}`,
      { facts: { stream: name, component: this.#env.component } },
    );
  }

  /** May the task take more input? False while some edge has nowhere to send to. One execute may overdraw. */
  get hasRoom(): boolean {
    if (this.#stale) {
      this.#stale = false;
      this.#room = this.#edges.every(
        ({ plan, grouping, targets }) => plan.feedback || grouping.hasRoom((index) => targets[index].link.room > 0),
      );
    }
    return this.#room;
  }

  /** Rows that are in batches and not sent. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Emits one tuple of this lineage, on a direct stream to the task `to`. Adds the new edges to `xorHi`, `xorLo`.
   * Throws SquallError before anything is sent where the values do not fit the stream or a grouping refuses them, or when
   * one copy is too large for the server: the edges of the copies before it count all the same.
   */
  emit(stream: OutStream, values: Record<string, unknown>, lineage: Lineage, to = NO_TASK): void {
    const { layout, edges } = stream;
    if (stream.direct !== (to !== NO_TASK)) throw this.misdirected(stream);
    if (!layout.fits(values)) throw layout.refusal(values, this.#where(stream));
    stream.emits += 1;
    if (stream.emits <= CHECKED_EMITS || stream.emits % CHECK_EVERY === 0 || this.#env.debug) {
      const undeclared = layout.undeclared(values, this.#where(stream));
      if (undeclared !== undefined) throw undeclared;
      if (this.#env.debug) layout.validate(values, this.#where(stream));
    }
    if (stream.feedsBack) stream.checkBack(lineage, this.#where(stream));
    this.keptBatch = undefined;
    if (to !== NO_TASK) this.#direct(stream, values, lineage, to);
    else {
      for (const edge of edges) edge.choice = edge.grouping.choose(values);
      for (const edge of edges) {
        const { choice } = edge;
        if (choice >= 0) this.#place(stream, edge, edge.targets[choice], values, lineage);
        else this.#several(stream, edge, choice, values, lineage);
      }
    }
    this.emits += 1;
  }

  #several(stream: OutStream, edge: OutEdge, choice: number, values: Record<string, unknown>, lineage: Lineage): void {
    const { targets, grouping } = edge;
    if (choice === EVERY_TASK) for (const target of targets) this.#place(stream, edge, target, values, lineage);
    else if (choice === CHOSEN_TASKS)
      for (const index of grouping.chosen ?? []) this.#place(stream, edge, targets[index], values, lineage);
  }

  /** To one task by its number. */
  #direct(stream: OutStream, values: Record<string, unknown>, lineage: Lineage, to: number): void {
    for (const edge of stream.edges) {
      const target = edge.targets.find(({ link }) => link.receiver === to);
      if (target !== undefined) this.#place(stream, edge, target, values, lineage);
    }
  }

  /** For `emitDirect`: throws where the stream is not direct, or the task does not take it. */
  checkDirect(stream: OutStream, to: number): void {
    if (!stream.direct) throw this.misdirected(stream);
    if (stream.edges.some(({ targets }) => targets.some(({ link }) => link.receiver === to))) return;
    const tasks = stream.edges.flatMap(({ targets }) => targets.map(({ link }) => link.receiver));
    throw new SquallError(
      'ERR_SQUALL_EMIT',
      `${this.#where(stream)}: emitDirect to task ${shown(to)}, which does not take this stream; ${tasks.length === 0 ? 'no task does' : `the tasks ${tasks.join(', ')} do: see context.tasksOf(component)`}`,
      { facts: { task: to, tasks } },
    );
  }

  /** `emit` on a direct stream, or the reverse. */
  misdirected(stream: OutStream): SquallError {
    const advice = stream.direct
      ? 'emit on a direct stream: name the task that is to get the tuple, emitDirect(task, values)'
      : 'emitDirect on a stream that is not direct: use emit, or declare the stream with direct({ … })';
    return new SquallError('ERR_SQUALL_EMIT', `${this.#where(stream)}: ${advice}`, {
      facts: { stream: stream.declaration.name },
    });
  }

  #place(stream: OutStream, edge: OutEdge, target: Target, values: Record<string, unknown>, lineage: Lineage): void {
    let batch = target.batch;
    if (batch === undefined) {
      const rows = this.#memory.rows(target.rowWords);
      const groups = this.#memory.groups(target.groupWords);
      batch = new Batch(edge.plan, stream.layout, stream.site, stream.layout.columns(), rows, groups);
      batch.receiver = target.link.receiver;
      target.batch = batch;
      const { room } = target.link;
      target.fullRows = room > 0 ? Math.min(FULL_BATCH_ROWS, room) : FULL_BATCH_ROWS;
    }
    const added = this.#push(stream, batch, values);
    if (added > BIG_ROW_BYTES) batch = this.#alone(stream, edge, target, batch, values);
    const { edgeIds } = this.#env;
    edgeIds.next();
    const { hi, lo } = edgeIds;
    if (this.keptBatch === undefined) {
      this.keptBatch = batch;
      // before it may leave, below
      if (lineage.keep) batch.kept = true;
      this.keptRow = batch.count;
      this.keptBytes = added;
    }
    batch.add(lineage, hi, lo);
    batch.bytes += added + ROW_WORDS * 4;
    this.xorHi ^= hi;
    this.xorLo ^= lo;
    this.created += 1;
    this.#waiting += 1;
    if (batch.count >= target.fullRows || batch.bytes >= FULL_BATCH_BYTES) this.#ship(edge, target);
  }

  #push(stream: OutStream, batch: Batch, values: Record<string, unknown>): number {
    try {
      return stream.layout.push(batch.columns, values);
    } catch (error) {
      throw new SquallError(
        'ERR_SQUALL_EMIT',
        `${this.#where(stream)}: a value cannot be sent: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  /** A big row gets a batch of its own, if the server takes it at all. */
  #alone(stream: OutStream, edge: OutEdge, target: Target, shared: Batch, values: Record<string, unknown>): Batch {
    for (const column of shared.columns) column.truncate(shared.count);
    const batch = new Batch(edge.plan, stream.layout, stream.site);
    batch.receiver = target.link.receiver;
    stream.layout.push(batch.columns, values);
    let bytes = FRAME_OVERHEAD_BYTES;
    for (const column of batch.columns) bytes += column.measure();
    const limitBytes = this.#env.data.maxPayload;
    if (bytes > limitBytes) {
      throw new SquallError(
        'ERR_SQUALL_OVERSIZE',
        `${this.#where(stream)}: a tuple of ${bytes} bytes is larger than the server's max_payload of ${limitBytes} bytes. ` +
          'Emit a reference to the data instead, split it, or raise max_payload.',
        { facts: { bytes, limitBytes } },
      );
    }
    if (shared.count > 0) this.#ship(edge, target);
    target.batch = batch;
    return batch;
  }

  #ship(edge: OutEdge, target: Target): void {
    const batch = target.batch as Batch;
    target.batch = undefined;
    target.rowWords = Math.max(FIRST_WORDS, batch.count * ROW_WORDS);
    target.groupWords = Math.max(FIRST_WORDS, batch.groupCount * GROUP_WORDS);
    this.#waiting -= batch.count;
    target.link.send(batch);
    edge.grouping.moveOn();
  }

  /** Sends whatever is waiting. */
  flush(): void {
    if (this.#waiting === 0) return;
    for (const edge of this.#edges) {
      for (const target of edge.targets)
        if (target.batch !== undefined && target.batch.count > 0) this.#ship(edge, target);
    }
  }

  forEachWaiting(visit: (batch: Batch) => void): void {
    for (const { batch } of this.#targets) if (batch !== undefined) visit(batch);
  }

  #where(stream: OutStream): string {
    return `${this.#env.component}[${this.#env.task}] stream "${stream.declaration.name}"`;
  }
}
