/**
 * What a task emits: picks the target tasks of each tuple, gives every copy its edge id, collects copies into batches
 * and sends a batch when it is full, when the task has nothing left to do, or when its time to linger is over.
 */
import { SquallError } from '../errors.js';
import { createGrouping } from '../grouping/create.js';
import { EVERY_TASK, type Grouping } from '../grouping/grouping.js';
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

interface Target {
  readonly link: Link<Batch>;
  batch: Batch | undefined;
  /** words of ids that the last batch needed: the next one starts with room for as many */
  rowWords: number;
  groupWords: number;
}

interface OutEdge {
  readonly plan: EdgePlan;
  readonly grouping: Grouping;
  readonly targets: readonly Target[];
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
    batch.groupCount = 0;
  }
}
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
  emits = 0;

  constructor(declaration: StreamDeclaration, site: number, edges: readonly OutEdge[]) {
    this.declaration = declaration;
    this.layout = new RowLayout(declaration);
    this.site = site;
    this.edges = edges;
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
  /** edges made */
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
    const linkTo = (task: number): Link<Batch> => {
      const link = links.get(task) ?? new Link(env, task, freight, stale);
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

  #edge(plan: EdgePlan, linkTo: (task: number) => Link<Batch>): OutEdge {
    const target = this.#env.plan.components.find(({ name }) => name === plan.target);
    if (target === undefined) throw new Error(`no component ${plan.target}`);
    const targets = Array.from({ length: target.tasks }, (_, index) => ({
      link: linkTo(target.firstTask + index),
      batch: undefined,
      rowWords: FIRST_WORDS,
      groupWords: FIRST_WORDS,
    }));
    this.#targets.push(...targets);
    return { plan, grouping: createGrouping(plan.grouping, target.tasks, {
        offset: this.#env.index,
        isLocal: (index) => this.#env.isLocal(target.firstTask + index),
      }), targets };
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
      this.#room = this.#edges.every(({ grouping, targets }) =>
        grouping.hasRoom((index) => targets[index].link.room > 0),
      );
    }
    return this.#room;
  }

  /** Rows that are in batches and not sent. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Emits one tuple of this lineage. Adds the new edges to `xorHi`, `xorLo`.
   * Throws SquallError before anything is sent where the values do not fit the stream or the server's payload.
   */
  emit(stream: OutStream, values: Record<string, unknown>, lineage: Lineage): void {
    const { layout, edges } = stream;
    if (!layout.fits(values)) throw layout.refusal(values, this.#where(stream));
    stream.emits += 1;
    if (stream.emits <= CHECKED_EMITS || stream.emits % CHECK_EVERY === 0 || this.#env.debug) {
      const undeclared = layout.undeclared(values, this.#where(stream));
      if (undeclared !== undefined) throw undeclared;
    }
    this.keptBatch = undefined;
    for (const edge of edges) {
      const choice = edge.grouping.choose(values);
      if (choice !== EVERY_TASK) {
        this.#place(stream, edge, edge.targets[choice], values, lineage);
        continue;
      }
      for (const target of edge.targets) this.#place(stream, edge, target, values, lineage);
    }
  }

  #place(stream: OutStream, edge: OutEdge, target: Target, values: Record<string, unknown>, lineage: Lineage): void {
    let batch = target.batch;
    if (batch === undefined) {
      const rows = this.#memory.rows(target.rowWords);
      const groups = this.#memory.groups(target.groupWords);
      batch = new Batch(edge.plan, stream.layout, stream.site, stream.layout.columns(), rows, groups);
      target.batch = batch;
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
    if (batch.count >= FULL_BATCH_ROWS || batch.bytes >= FULL_BATCH_BYTES) this.#ship(edge, target);
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
    edge.grouping.moveOn((index) => edge.targets[index].link.freeShare);
  }

  /** Sends whatever is waiting. */
  flush(): void {
    if (this.#waiting === 0) return;
    for (const edge of this.#edges) {
      for (const target of edge.targets)
        if (target.batch !== undefined && target.batch.count > 0) this.#ship(edge, target);
    }
  }

  /** A free choice that would go to a target without room goes elsewhere. */
  avoidFull(): void {
    for (const { grouping, targets } of this.#edges) {
      if (grouping.isFree) grouping.moveOn((index) => targets[index].link.freeShare);
    }
  }

  forEachWaiting(visit: (batch: Batch) => void): void {
    for (const { batch } of this.#targets) if (batch !== undefined) visit(batch);
  }

  #where(stream: OutStream): string {
    return `${this.#env.component}[${this.#env.task}] stream "${stream.declaration.name}"`;
  }
}
