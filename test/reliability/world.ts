/**
 * A spout with its ledger, ackers, and bolts on a network that delivers in any order, loses and doubles; and beside
 * them the slow, explicit truth about every tree: the set of its edges that nobody has acked. The real acker and
 * ledger know nothing of the sets; whatever they say is checked against them at once.
 */
import assert from 'node:assert/strict';
import { Acker } from '../../core/reliability/acker.js';
import { Ledger } from '../../core/reliability/ledger.js';
import type { Entry } from '../../core/reliability/ledger-entry.js';
import type { Failure, ReplayReason } from '../../core/topology/definition.js';
import { EdgeIds } from '../../core/tuple/edge-ids.js';
import { ackerOf, rootTask, rootText } from '../../core/tuple/root-ids.js';

/** What executing a tuple emits, and what executing that emits … */
export interface Tree {
  readonly children: readonly Tree[];
}

/** The truth about one attempt. */
interface Attempt {
  readonly emit: Emit;
  /** edges made and not acked; an edge is acked when the execute that took it has ended well */
  readonly outstanding: Set<number>;
}

interface Emit {
  readonly tree: Tree;
  readonly attempts: Attempt[];
  /** gone: its spout's process died, and its successor emitted it anew */
  state: 'open' | 'acked' | 'dead' | 'buried' | 'gone';
}

interface Root {
  readonly hi: number;
  readonly lo: number;
}

interface Xor {
  hi: number;
  lo: number;
}

/** An execute's ack, or several of one root merged. */
interface Ack extends Root {
  readonly xor: Xor;
}

type Message = { readonly number: number } & (
  | ({ readonly to: 'bolt'; readonly edge: number; readonly xor: Readonly<Xor>; readonly tree: Tree } & Root)
  | ({ readonly to: 'acker'; readonly epoch: number; readonly kind: 'init'; readonly xor: Readonly<Xor> } & Root)
  | ({ readonly to: 'acker'; readonly epoch: number; readonly kind: 'ack'; readonly xor: Readonly<Xor> } & Root)
  | ({ readonly to: 'acker'; readonly epoch: number; readonly kind: 'fail'; readonly failure: Failure } & Root)
  | ({ readonly to: 'acker'; readonly epoch: number; readonly kind: 'forget' } & Root)
  | { readonly to: 'ackers'; readonly index: number; readonly spoutEpoch: number }
  | ({ readonly to: 'ledger'; readonly kind: 'done' } & Root)
  | ({ readonly to: 'ledger'; readonly kind: 'failed'; readonly failure: Failure } & Root)
);
type Unnumbered = Message extends infer M ? (M extends Message ? Omit<M, 'number'> : never) : never;

export interface Operation {
  readonly kind: (typeof OPERATIONS)[number];
  /** which message, acker, bolt … : modulo as many as there are */
  readonly pick: number;
}

/** By weight. */
export const OPERATIONS = [
  ...Array<'deliver'>(20).fill('deliver'),
  ...Array<'deliver the oldest'>(16).fill('deliver the oldest'),
  ...Array<'emit'>(5).fill('emit'),
  ...Array<'flush'>(8).fill('flush'),
  ...Array<'send again'>(4).fill('send again'),
  ...Array<'time passes'>(4).fill('time passes'),
  ...Array<'bury'>(2).fill('bury'),
  ...Array<'everybody is back'>(2).fill('everybody is back'),
  'an outage passes',
  'lose',
  'lose',
  'double',
  'double',
  'fail',
  'claim',
  'bolt dies',
  'sender reports loss',
  'sweep',
  'acker restarts',
  'spout restarts',
  'quarantine',
] as const;

const TIMEOUT_MS = 800;
const ATTEMPTS = 2;
const SPOUT = 5;
const BOLTS = 3;

export class World {
  readonly emits: Emit[] = [];
  /** what happened, so that a test can see that everything did */
  readonly seen = new Set<string>();

  readonly #random: () => number;
  readonly #trees: readonly Tree[];
  readonly #edgeIds: EdgeIds;
  #now = 0;
  #spoutEpoch = 1;
  #ledger: Ledger<Emit>;
  readonly #ackers: { acker: Acker; epoch: number }[];
  /** every root ever made: none may come twice */
  readonly #attempts = new Map<string, Attempt>();
  #entries = new Map<Entry<Emit>, Emit>();
  #dead: Entry<Emit>[] = [];
  #network: Message[] = [];
  #messages = 0;
  /** frame numbers that have arrived: what comes again is dropped */
  readonly #arrived = new Set<number>();
  /** acks of executes that are not flushed yet, by bolt and root: merged */
  readonly #unflushed: Map<string, Ack>[] = Array.from({ length: BOLTS }, () => new Map());
  /** sweeps that the ledger owes for what died */
  #owed: { readonly before: number; readonly reason: 'worker-lost' | 'acker-lost'; readonly acker?: number }[] = [];
  #edges = 0;

  /** `random` seeds the edge ids and the jitter; it must not be linear over GF(2). */
  constructor(ackers: number, trees: readonly Tree[], random: () => number) {
    this.#random = random;
    this.#trees = trees;
    this.#edgeIds = new EdgeIds((pool) => {
      for (let at = 0; at < pool.length; at++) pool[at] = random() * 2 ** 32;
    }, 64);
    this.#ackers = Array.from({ length: ackers }, () => ({ acker: this.#newAcker(ackers), epoch: 1 }));
    this.#ledger = this.#newLedger();
  }

  do({ kind, pick }: Operation): void {
    this.#operate(kind, pick);
    this.#check();
  }

  /** From now on nothing is lost: everything must come to its end within a bounded number of rounds. */
  settle(): void {
    for (let round = 0; round < 200 && !this.#atRest; round++) {
      this.#runOwedSweeps();
      for (let bolt = 0; bolt < BOLTS; bolt++) this.#flush(bolt);
      while (this.#network.length > 0) {
        this.#deliver(this.#network.shift() as Message);
        for (let bolt = 0; bolt < BOLTS; bolt++) this.#flush(bolt);
      }
      while (this.#dead.length > 0) this.#bury(0);
      this.#ledger.releaseHeld(this.#now);
      this.#sendAgain(Number.POSITIVE_INFINITY);
      this.#pass(TIMEOUT_MS / 8);
      this.#check();
    }
    assert.ok(this.#atRest, 'something is pending for ever');
    for (const { state } of this.emits) assert.notEqual(state, 'open');
    assert.deepEqual([this.#ledger.pending, this.#ledger.waiting, this.#ledger.bytes], [0, 0, 0]);
  }

  get #atRest(): boolean {
    return this.#ledger.empty && this.#network.length === 0 && this.#owed.length === 0;
  }

  #operate(kind: Operation['kind'], pick: number): void {
    const network = this.#network;
    switch (kind) {
      case 'emit':
        return this.#emit(this.#trees[pick % this.#trees.length]);
      case 'deliver the oldest':
        if (network.length > 0) this.#deliver(network.shift() as Message);
        return;
      case 'deliver':
        if (network.length > 0) this.#deliver(network.splice(pick % network.length, 1)[0]);
        return;
      case 'lose':
        if (network.length > 0) this.seen.add(`lost to ${network.splice(pick % network.length, 1)[0].to}`);
        return;
      case 'double':
        if (network.length > 0) network.push(network[pick % network.length]);
        return;
      case 'flush':
        return this.#flush(pick % BOLTS);
      case 'fail': {
        const index = network.findIndex(({ to }) => to === 'bolt');
        if (index >= 0) this.#execute(network.splice(index, 1)[0], 'fails', pick);
        return;
      }
      case 'bolt dies': {
        const index = network.findIndex(({ to }) => to === 'bolt');
        if (index >= 0) this.#execute(network.splice(index, 1)[0], 'dies', pick);
        this.#unflushed[pick % BOLTS].clear();
        this.#owed.push({ before: this.#now, reason: 'worker-lost' });
        return;
      }
      case 'sender reports loss': {
        // a frame is lost, and its sender knows: it fails the roots of that frame
        const index = network.findIndex(({ to }) => to === 'bolt');
        if (index < 0) return;
        const [lost] = network.splice(index, 1);
        if (lost.to === 'bolt') this.#toAcker(lost, { kind: 'fail', failure: { reason: 'link-lost', attempts: 0 } });
        return;
      }
      case 'sweep':
        return this.#runOwedSweeps();
      case 'acker restarts': {
        const index = pick % this.#ackers.length;
        const { epoch } = this.#ackers[index];
        this.#ackers[index] = { acker: this.#newAcker(this.#ackers.length), epoch: epoch + 1 };
        this.#owed.push({ before: this.#now, reason: 'acker-lost', acker: index });
        return;
      }
      case 'spout restarts':
        return this.#restartSpout();
      case 'everybody is back':
        return this.#ledger.releaseHeld(this.#now);
      case 'send again':
        return this.#sendAgain(1 + (pick % 3));
      case 'time passes':
        return this.#pass([1, 10, 30, 100, 300, 1000][pick % 6]);
      case 'an outage passes':
        this.#now += 2 * TIMEOUT_MS;
        return this.#ledger.standstill(2 * TIMEOUT_MS);
      case 'claim': {
        const held = network[pick % Math.max(1, network.length)];
        if (held?.to === 'bolt') this.#ledger.renew(held.hi, held.lo, this.#now);
        return;
      }
      case 'quarantine': {
        const suspect = network[pick % Math.max(1, network.length)];
        if (suspect?.to !== 'bolt') return;
        this.#ledger.quarantine(suspect.hi, suspect.lo, { reason: 'kills-worker', attempts: 2 }, this.#now);
        return;
      }
      case 'bury':
        if (this.#dead.length > 0) this.#bury(pick % this.#dead.length);
        return;
    }
  }

  // ---- the spout -------------------------------------------------------------------------------------------------

  #emit(tree: Tree): void {
    const emit: Emit = { tree, attempts: [], state: 'open' };
    this.emits.push(emit);
    const entry = this.#ledger.open(this.emits.length, emit, 0, 100, this.#now);
    this.#entries.set(entry, emit);
    this.#send(emit);
  }

  /** Sends the attempt whose root the ledger has just made. */
  #send(emit: Emit): void {
    const root = { hi: this.#ledger.hi, lo: this.#ledger.lo };
    assert.ok(!this.#attempts.has(key(root)), `root ${key(root)} is used twice`);
    const attempt: Attempt = { emit, outstanding: new Set() };
    emit.attempts.push(attempt);
    this.#attempts.set(key(root), attempt);
    const xor = this.#sendTuple(root, emit.tree);
    this.#toAcker(root, { kind: 'init', xor });
  }

  #sendAgain(most: number): void {
    for (let count = 0; count < most; count++) {
      const entry = this.#ledger.nextDue(this.#now);
      if (entry === undefined) return;
      const emit = this.#entries.get(entry) as Emit;
      assert.equal(emit.state, 'open', 'a tuple whose fate is known was sent again');
      assert.ok(entry.reason !== undefined, 'a replay has no reason');
      this.#ledger.again(entry, this.#now);
      this.#send(emit);
    }
  }

  #pass(ms: number): void {
    this.#now += ms;
    this.#ledger.advance(this.#now);
  }

  #runOwedSweeps(): void {
    const owed = this.#owed;
    this.#owed = [];
    for (const { before, reason, acker } of owed) {
      this.#ledger.sweep(acker === undefined ? before : this.#now, reason, {}, this.#now, acker);
    }
  }

  #restartSpout(): void {
    this.#spoutEpoch += 1;
    this.#owed = [];
    this.#dead = [];
    this.#entries = new Map();
    this.#ledger = this.#newLedger();
    for (const index of this.#ackers.keys()) this.#post({ to: 'ackers', index, spoutEpoch: this.#spoutEpoch });
    const lost = this.emits.filter(({ state }) => state === 'open' || state === 'dead');
    for (const emit of lost) emit.state = 'gone';
    for (const emit of lost) this.#emit(emit.tree);
  }

  #newLedger(): Ledger<Emit> {
    return new Ledger<Emit>(
      {
        task: SPOUT,
        epoch: this.#spoutEpoch,
        ackers: this.#ackers.length,
        timeoutMs: TIMEOUT_MS,
        retry: { attempts: ATTEMPTS, backoff: { firstMs: 0, maxMs: 200 } },
        random: this.#random,
        now: this.#now,
      },
      {
        complete: (entry) => this.#complete(entry),
        dead: (entry, failure) => this.#died(entry, failure),
        forget: (hi, lo) => this.#toAcker({ hi, lo }, { kind: 'forget' }),
        replay: (_, reason: ReplayReason) => this.seen.add(`replay: ${reason}`),
      },
      // few, so that it grows and uses slots again
      4,
    );
  }

  #complete(entry: Entry<Emit>): void {
    const emit = this.#entries.get(entry) as Emit;
    assert.equal(emit.state, 'open', 'completed a second time');
    assert.ok(
      emit.attempts.some(({ outstanding }) => outstanding.size === 0),
      'completed, and no attempt is',
    );
    emit.state = 'acked';
    this.seen.add(emit.attempts.length > 1 ? 'complete after a replay' : 'complete');
  }

  #died(entry: Entry<Emit>, failure: Failure): void {
    const emit = this.#entries.get(entry) as Emit;
    assert.equal(emit.state, 'open', 'dead a second time');
    assert.ok(failure.reason === 'kills-worker' || entry.used === ATTEMPTS, 'dead with attempts left');
    emit.state = 'dead';
    this.#dead.push(entry);
    this.seen.add(failure.reason === 'kills-worker' ? 'quarantined' : 'out of attempts');
  }

  #bury(index: number): void {
    const [entry] = this.#dead.splice(index, 1);
    this.#ledger.buried(entry);
    (this.#entries.get(entry) as Emit).state = 'buried';
  }

  // ---- bolts -----------------------------------------------------------------------------------------------------

  /** Makes an edge in the tree of `root` and sends a tuple on it; returns its id. */
  #sendTuple(root: Root, tree: Tree): Xor {
    this.#edgeIds.next();
    const xor = { hi: this.#edgeIds.hi, lo: this.#edgeIds.lo };
    const edge = ++this.#edges;
    this.#attempts.get(key(root))?.outstanding.add(edge);
    this.#post({ to: 'bolt', hi: root.hi, lo: root.lo, edge, xor, tree });
    return xor;
  }

  #execute(message: Message, how: 'well' | 'fails' | 'dies', pick: number): void {
    if (message.to !== 'bolt' || !this.#isNew(message)) return;
    const { children } = message.tree;
    const xor = { ...message.xor };
    // one that dies has sent some of what it would have
    const sent = how === 'well' ? children : children.slice(0, pick % (children.length + 1));
    for (const child of sent) {
      const edge = this.#sendTuple(message, child);
      xor.hi ^= edge.hi;
      xor.lo ^= edge.lo;
    }
    if (how === 'fails') {
      this.#toAcker(message, { kind: 'fail', failure: { reason: 'failed', attempts: 0, component: 'bolt' } });
    }
    if (how !== 'well') return;
    this.#attempts.get(key(message))?.outstanding.delete(message.edge);
    const unflushed = this.#unflushed[message.number % BOLTS];
    const before = unflushed.get(key(message))?.xor ?? { hi: 0, lo: 0 };
    if (before.hi !== 0 || before.lo !== 0) this.seen.add('merged acks');
    unflushed.set(key(message), {
      hi: message.hi,
      lo: message.lo,
      xor: { hi: before.hi ^ xor.hi, lo: before.lo ^ xor.lo },
    });
  }

  #flush(bolt: number): void {
    for (const { hi, lo, xor } of this.#unflushed[bolt].values()) this.#toAcker({ hi, lo }, { kind: 'ack', xor });
    this.#unflushed[bolt].clear();
  }

  // ---- ackers and the network ------------------------------------------------------------------------------------

  #newAcker(ackers: number): Acker {
    return new Acker(ackers, {
      done: (hi, lo) => {
        const attempt = this.#attempts.get(key({ hi, lo })) as Attempt;
        assert.equal(attempt.outstanding.size, 0, `false completion of ${key({ hi, lo })}`);
        this.#post({ to: 'ledger', kind: 'done', hi, lo });
      },
    });
  }

  #toAcker(
    { hi, lo }: Root,
    record:
      | { readonly kind: 'init' | 'ack'; readonly xor: Readonly<Xor> }
      | { readonly kind: 'fail'; readonly failure: Failure }
      | { readonly kind: 'forget' },
  ): void {
    const { epoch } = this.#ackers[ackerOf(lo, this.#ackers.length)];
    this.#post({ to: 'acker', hi, lo, epoch, ...record });
  }

  #post(message: Unnumbered): void {
    this.#network.push({ ...message, number: ++this.#messages } as Message);
  }

  #isNew({ number, to }: Message): boolean {
    if (this.#arrived.has(number)) {
      this.seen.add(`duplicate to ${to}`);
      return false;
    }
    this.#arrived.add(number);
    return true;
  }

  #deliver(message: Message): void {
    if (message.to === 'bolt') return this.#execute(message, 'well', 0);
    if (!this.#isNew(message)) return;
    if (message.to === 'ackers') return this.#ackers[message.index].acker.epochOf(SPOUT, message.spoutEpoch);
    if (message.to === 'ledger') {
      assert.equal(rootTask(message.hi), SPOUT);
      // an acker may not know yet that the spout's incarnation has ended: the ledger must not take it for its own
      if (message.kind === 'done') this.#ledger.done(message.hi, message.lo, this.#now);
      else this.#ledger.failed(message.hi, message.lo, message.failure, this.#now);
      return;
    }
    const { acker, epoch } = this.#ackers[ackerOf(message.lo, this.#ackers.length)];
    // subjects name the receiver's epoch
    if (epoch !== message.epoch) return;
    const { hi, lo, kind } = message;
    if (kind === 'forget') acker.forget(hi, lo);
    else if (kind === 'init' || kind === 'ack') acker[kind](hi, lo, message.xor.hi >>> 0, message.xor.lo >>> 0);
    else if (acker.fail(hi, lo)) this.#post({ to: 'ledger', kind: 'failed', hi, lo, failure: message.failure });
  }

  // ---- what holds at any time ------------------------------------------------------------------------------------

  #check(): void {
    let pending = 0;
    let waiting = 0;
    for (const [entry, emit] of this.#entries) {
      const live = (entry.older?.length ?? 0) + (entry.newest >= 0 ? 1 : 0);
      assert.ok(live <= 3, `${live} attempts of one tuple live`);
      const used =
        entry.history?.filter(({ failure: { reason } }) => reason === 'failed' || reason === 'timeout').length ?? 0;
      assert.equal(entry.used, used);
      if (emit.state === 'acked' || emit.state === 'buried') assert.equal(entry.state, 'closed');
      else if (entry.state === 'waiting' || entry.state === 'dead') waiting += 1;
      else pending += 1;
    }
    assert.deepEqual([this.#ledger.pending, this.#ledger.waiting], [pending, waiting]);
    assert.equal(this.#ledger.bytes, (pending + waiting) * 100);
  }
}

const key = ({ hi, lo }: Root): string => rootText(hi, lo);
