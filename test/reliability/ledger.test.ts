import test from 'ava';
import { Ledger, type LedgerOptions } from '../../core/reliability/ledger.js';
import type { Entry } from '../../core/reliability/ledger-entry.js';
import type { Failure } from '../../core/topology/definition.js';
import { MAX_GENERATION, rootGeneration, rootHi, rootSlot, rootText } from '../../core/tuple/root-ids.js';

const T = 800;

interface Root {
  readonly hi: number;
  readonly lo: number;
}

/** A ledger whose events are lines of a log, and whose calls take roots. */
function ledgerOf(options: Partial<LedgerOptions> = {}, slots = 16) {
  const log: string[] = [];
  const ledger: Ledger<string> = new Ledger<string>(
    {
      task: 1,
      epoch: 1,
      ackers: 1,
      timeoutMs: T,
      retry: { attempts: 3, backoff: { firstMs: 100, maxMs: 1000 } },
      random: () => 0,
      now: 0,
      ...options,
    },
    {
      complete: (entry, latencyMs) => log.push(`complete ${entry.id} after ${latencyMs}`),
      dead: (entry, failure) => log.push(`dead ${entry.id}: ${failure.reason}`),
      forget: (hi, lo) => log.push(`forget ${rootText(hi, lo)}`),
      replay: (entry, reason) => log.push(`replay ${entry.id}: ${reason}`),
    },
    slots,
  );
  const root = (): Root => ({ hi: ledger.hi, lo: ledger.lo });
  return {
    ledger,
    /** what was logged since the last call */
    news: (): string[] => log.splice(0),
    open(id: string, now = 0, bytes = 10): { entry: Entry<string>; first: Root } {
      const entry = ledger.open(id, `kept ${id}`, 0, bytes, now);
      return { entry, first: root() };
    },
    /** the next attempt of what is due */
    again(now: number): Root | undefined {
      const entry = ledger.nextDue(now);
      if (entry === undefined) return undefined;
      ledger.again(entry, now);
      return root();
    },
    done: ({ hi, lo }: Root, now: number) => ledger.done(hi, lo, now),
    failed: ({ hi, lo }: Root, now: number, failure: Partial<Failure> = {}) =>
      ledger.failed(hi, lo, { reason: 'failed', attempts: 0, ...failure }, now),
    renew: ({ hi, lo }: Root, now: number) => ledger.renew(hi, lo, now),
    quarantine: ({ hi, lo }: Root, now: number) =>
      ledger.quarantine(hi, lo, { reason: 'kills-worker', attempts: 2 }, now),
  };
}

type Rig = ReturnType<typeof ledgerOf>;
const text = ({ hi, lo }: Root): string => rootText(hi, lo);
const counted = ({ ledger }: Rig) => ({ pending: ledger.pending, waiting: ledger.waiting, bytes: ledger.bytes });

// ---- the table of reliability.md, row by row ---------------------------------------------------------------------

test('DONE for the newest attempt: complete, once, with the time since the first emit', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a', 5);
  t.deepEqual(counted(rig), { pending: 1, waiting: 0, bytes: 10 });
  rig.done(first, 47);
  t.deepEqual(rig.news(), ['complete a after 42']);
  t.is(entry.state, 'closed');
  t.is(entry.kept, undefined);
  t.true(rig.ledger.empty);
  t.deepEqual(counted(rig), { pending: 0, waiting: 0, bytes: 0 });
});

test('DONE for an older attempt that still lives: complete, and the newer ones are forgotten', (t) => {
  const rig = ledgerOf();
  const { first } = rig.open('a');
  rig.ledger.advance(900);
  const second = rig.again(1000) as Root;
  rig.news();
  rig.done(first, 1100);
  t.deepEqual(rig.news(), [`forget ${text(second)}`, 'complete a after 1100']);
  t.deepEqual(counted(rig), { pending: 0, waiting: 0, bytes: 0 });
  rig.done(second, 1200);
  t.deepEqual(rig.news(), []);
  t.is(rig.ledger.counts.late, 1);
});

test('DONE for the newest of several: the older ones are forgotten', (t) => {
  const rig = ledgerOf();
  const { first } = rig.open('a');
  rig.ledger.advance(900);
  const second = rig.again(1000) as Root;
  rig.news();
  rig.done(second, 1100);
  t.deepEqual(rig.news(), [`forget ${text(first)}`, 'complete a after 1100']);
});

test('DONE for an older attempt while the next one waits for its backoff: complete, and nothing is sent again', (t) => {
  const rig = ledgerOf();
  const { first } = rig.open('a');
  rig.ledger.advance(900);
  t.deepEqual(counted(rig), { pending: 0, waiting: 1, bytes: 10 });
  rig.news();
  rig.done(first, 950);
  t.deepEqual(rig.news(), ['complete a after 950']);
  t.deepEqual(counted(rig), { pending: 0, waiting: 0, bytes: 0 });
  t.is(rig.again(10_000), undefined);
});

test('DONE for an older attempt while the next one is held for the outage to end: complete, and not in the wave', (t) => {
  const rig = ledgerOf();
  const { first } = rig.open('a');
  rig.ledger.sweep(10, 'worker-lost', {}, 20);
  rig.news();
  rig.done(first, 30);
  t.deepEqual(rig.news(), ['complete a after 30']);
  rig.ledger.releaseHeld(40);
  t.is(rig.again(10_000), undefined);
  t.deepEqual(counted(rig), { pending: 0, waiting: 0, bytes: 0 });
});

test('DONE for a closed attempt is counted late and changes nothing', (t) => {
  const rig = ledgerOf();
  const { first } = rig.open('a');
  rig.open('b');
  rig.done(first, 1);
  rig.news();
  rig.done(first, 2);
  rig.done({ hi: first.hi, lo: 0xfff00001 }, 3);
  t.deepEqual(rig.news(), []);
  t.is(rig.ledger.counts.late, 2);
  t.deepEqual(counted(rig), { pending: 1, waiting: 0, bytes: 10 });
});

test('FAILED for the newest attempt: backoff, then a new attempt with its reason; the history says which attempt it was', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a');
  rig.failed(first, 50, { component: 'count', task: 3 });
  t.deepEqual(rig.news(), ['replay a: failed']);
  t.deepEqual(counted(rig), { pending: 0, waiting: 1, bytes: 10 });
  t.is(rig.ledger.dueAt, 150);
  t.is(rig.again(149), undefined);
  const second = rig.again(150) as Root;
  t.not(text(second), text(first));
  t.is(entry.attempt, 2);
  t.is(entry.reason, 'failed');
  t.is(entry.used, 1);
  t.deepEqual(counted(rig), { pending: 1, waiting: 0, bytes: 10 });
  t.deepEqual(entry.history, [
    { attempt: 1, startedAt: 0, endedAt: 50, failure: { reason: 'failed', attempts: 1, component: 'count', task: 3 } },
  ]);
  rig.done(first, 160);
  t.is(rig.ledger.counts.late, 1);
  rig.done(second, 170);
  t.deepEqual(rig.news(), ['complete a after 170']);
});

test('FAILED for an older attempt that still lives: closed, and nothing else happens', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a');
  rig.ledger.advance(900);
  const second = rig.again(1000) as Root;
  rig.news();
  rig.failed(first, 1100);
  t.deepEqual(rig.news(), []);
  t.is(entry.used, 1);
  t.is(entry.state, 'pending');
  rig.done(first, 1200);
  t.is(rig.ledger.counts.late, 1);
  rig.done(second, 1300);
  t.deepEqual(rig.news(), ['complete a after 1300']);
});

test('FAILED for an older attempt while the next one waits: the wait goes on as it was', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a');
  rig.ledger.advance(900);
  rig.news();
  rig.failed(first, 950);
  t.deepEqual(rig.news(), []);
  t.is(entry.used, 1);
  t.is(rig.ledger.dueAt, 1000);
  t.truthy(rig.again(1000));
  t.is(entry.attempt, 2);
});

test('FAILED for a closed attempt is counted and changes nothing', (t) => {
  const rig = ledgerOf();
  const { first } = rig.open('a');
  rig.done(first, 1);
  rig.news();
  rig.failed(first, 2);
  t.deepEqual(rig.news(), []);
  t.is(rig.ledger.counts.closed, 1);
});

test('time-out of the newest attempt: a new one, while this one lives on for T more', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a');
  rig.ledger.advance(T);
  t.deepEqual(rig.news(), []);
  rig.ledger.advance(900);
  t.deepEqual(rig.news(), ['replay a: timeout']);
  t.is(rig.ledger.counts.superseded, 1);
  t.deepEqual(entry.history?.[0], {
    attempt: 1,
    startedAt: 0,
    endedAt: 900,
    failure: { reason: 'timeout', attempts: 1 },
  });
  const second = rig.again(1000) as Root;
  // the first is still known until 900 + T
  rig.renew(second, 1700);
  rig.ledger.advance(1700);
  t.deepEqual(rig.news(), []);
  rig.done(first, 1700);
  t.deepEqual(rig.news(), [`forget ${text(second)}`, 'complete a after 1700']);
});

test('time-out of an older attempt: closed and forgotten, nothing else', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a');
  rig.ledger.advance(900);
  const second = rig.again(1000) as Root;
  rig.renew(second, 1700);
  rig.news();
  rig.ledger.advance(1800);
  t.deepEqual(rig.news(), [`forget ${text(first)}`]);
  t.is(entry.used, 1);
  t.is(entry.state, 'pending');
  rig.done(first, 1900);
  t.is(rig.ledger.counts.late, 1);
});

test('lost in a sweep, the newest attempt: held, sent again in the wave, while this one lives on', (t) => {
  for (const reason of ['worker-lost', 'link-lost'] as const) {
    const rig = ledgerOf();
    const { entry, first } = rig.open('a', 10);
    rig.ledger.sweep(10, reason, { component: 'count', task: 4 }, 600);
    t.deepEqual(rig.news(), [`replay a: ${reason}`]);
    t.is(entry.state, 'held');
    t.is(rig.ledger.held, 1);
    // it still counts as pending: the wave is near
    t.deepEqual(counted(rig), { pending: 1, waiting: 0, bytes: 10 });
    t.is(rig.again(100_000), undefined);
    rig.ledger.releaseHeld(700);
    t.is(rig.ledger.held, 0);
    t.deepEqual(counted(rig), { pending: 0, waiting: 1, bytes: 10 });
    const second = rig.again(700) as Root;
    t.deepEqual(counted(rig), { pending: 1, waiting: 0, bytes: 10 });
    t.is(entry.reason, reason);
    t.is(entry.used, 0);
    t.deepEqual(entry.history?.[0].failure, { reason, attempts: 1, component: 'count', task: 4 });
    rig.done(first, 800);
    t.deepEqual(rig.news(), [`forget ${text(second)}`, 'complete a after 790']);
  }
});

test('lost in a sweep, an older attempt: closed and forgotten, nothing else', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a');
  rig.ledger.advance(900);
  rig.again(1000);
  rig.news();
  rig.ledger.sweep(950, 'worker-lost', {}, 1100);
  t.deepEqual(rig.news(), [`forget ${text(first)}`]);
  t.is(entry.state, 'pending');
  t.is(entry.attempt, 2);
  rig.done(first, 1200);
  t.is(rig.ledger.counts.late, 1);
});

test('FAILED as lost by a sender: the attempt is closed, the tuple is held and uses no attempt up', (t) => {
  for (const reason of ['worker-lost', 'link-lost'] as const) {
    const rig = ledgerOf();
    const { entry, first } = rig.open('a');
    rig.failed(first, 50, { reason });
    t.deepEqual(rig.news(), [`replay a: ${reason}`]);
    t.is(entry.state, 'held');
    t.is(entry.used, 0);
    rig.done(first, 60);
    t.is(rig.ledger.counts.late, 1);
    rig.ledger.releaseHeld(70);
    t.truthy(rig.again(70));
  }
});

// ---- sweeps ------------------------------------------------------------------------------------------------------

test('a sweep takes what was under way at the loss and not claimed since, and nothing younger', (t) => {
  const rig = ledgerOf();
  const old = rig.open('old', 10);
  const claimed = rig.open('claimed', 10);
  const young = rig.open('young', 101);
  rig.renew(claimed.first, 150);
  rig.ledger.sweep(100, 'worker-lost', {}, 600);
  t.deepEqual(rig.news(), ['replay old: worker-lost']);
  t.is(old.entry.state, 'held');
  t.is(claimed.entry.state, 'pending');
  t.is(young.entry.state, 'pending');
});

test('a sweep says how many it spared for a claim; looked at again, without one they are lost too, and nothing younger', (t) => {
  const rig = ledgerOf();
  const claimed = rig.open('claimed', 10);
  const held = rig.open('held', 20);
  rig.renew(claimed.first, 150);
  rig.renew(held.first, 150);
  t.is(rig.ledger.sweep(100, 'link-lost', {}, 600), 2);
  const young = rig.open('young', 300);
  rig.renew(held.first, 850);
  t.is(rig.ledger.sweep(600, 'link-lost', {}, 1200, undefined, 100), 1, 'one is still claimed');
  t.deepEqual(rig.news(), ['replay claimed: link-lost']);
  t.is(held.entry.state, 'pending');
  t.is(young.entry.state, 'pending');
});

test('a sweep for a dead acker takes only its own roots, and gives their attempts up: they can never complete', (t) => {
  const ackers = 3;
  const rig = ledgerOf({ ackers });
  const all = Array.from({ length: 6 }, (_, slot) => rig.open(`tuple ${slot}`));
  rig.ledger.sweep(10, 'acker-lost', {}, 20, 1);
  const own = all.filter(({ first }) => rootSlot(first.lo) % ackers === 1);
  t.is(own.length, 2);
  t.deepEqual(
    rig.news(),
    own.flatMap(({ entry, first }) => [`forget ${text(first)}`, `replay ${entry.id}: acker-lost`]),
  );
  for (const { first } of own) rig.done(first, 30);
  t.is(rig.ledger.counts.late, 2);
  t.is(rig.ledger.counts.superseded, 0);
  rig.ledger.releaseHeld(40);
  t.truthy(rig.again(40));
  t.truthy(rig.again(40));
  t.is(rig.again(40), undefined);
});

test('losses may be as many as they are: they never use the attempts up', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a');
  let root = first;
  for (let loss = 0; loss < 200; loss++) {
    rig.failed(root, loss, { reason: 'link-lost' });
    rig.ledger.releaseHeld(loss);
    root = rig.again(loss) as Root;
  }
  t.is(entry.attempt, 201);
  t.is(entry.used, 0);
  t.is(rig.news().filter((line) => line !== 'replay a: link-lost').length, 0);
  // the history keeps the first and the last of them
  t.is(entry.history?.length, 64);
  t.is(entry.history?.[0].attempt, 1);
  t.is(entry.history?.at(-1)?.attempt, 200);
  rig.done(root, 300);
  t.deepEqual(rig.news(), ['complete a after 300']);
});

test('the wave after an outage has everything that was held, once', (t) => {
  const rig = ledgerOf();
  const all = Array.from({ length: 5 }, (_, n) => rig.open(`tuple ${n}`));
  rig.ledger.sweep(10, 'worker-lost', {}, 20);
  t.is(rig.ledger.held, 5);
  rig.ledger.releaseHeld(30);
  rig.ledger.releaseHeld(30);
  const replayed = Array.from({ length: 6 }, () => rig.again(30));
  t.is(replayed.filter((root) => root !== undefined).length, 5);
  t.deepEqual(
    all.map(({ entry }) => entry.attempt),
    [2, 2, 2, 2, 2],
  );
});

// ---- time --------------------------------------------------------------------------------------------------------

test('a root that a task holds does not time out, however long it takes', (t) => {
  const rig = ledgerOf();
  const { first } = rig.open('slow');
  for (let now = 100; now < 20 * T; now += 100) {
    rig.renew(first, now);
    rig.ledger.advance(now);
  }
  t.deepEqual(rig.news(), []);
  rig.ledger.advance(21 * T + 100);
  t.deepEqual(rig.news(), ['replay slow: timeout']);
});

test('renewing a closed root, or one of another incarnation, changes nothing', (t) => {
  const rig = ledgerOf({ epoch: 2 }, 1);
  const { first } = rig.open('a');
  rig.done(first, 0);
  const next = rig.open('b', 0);
  rig.news();
  rig.ledger.advance(T);
  rig.renew(first, T);
  rig.renew({ hi: rootHi(1, 1, rootGeneration(next.first.hi, next.first.lo)), lo: next.first.lo }, T);
  rig.ledger.advance(900);
  t.deepEqual(rig.news(), ['replay b: timeout']);
});

test('a message for the same slot and generation of an earlier incarnation, or of another task, is not taken for one of ours', (t) => {
  for (const [task, epoch] of [
    [1, 1],
    [1, 3],
    [2, 2],
  ]) {
    const rig = ledgerOf({ epoch: 2 });
    const { entry, first } = rig.open('a');
    const foreign = { hi: rootHi(task, epoch, rootGeneration(first.hi, first.lo)), lo: first.lo };
    rig.done(foreign, 10);
    rig.failed(foreign, 10);
    t.deepEqual(rig.news(), []);
    t.is(entry.state, 'pending');
    t.is(rig.ledger.counts.late, 1);
    t.is(rig.ledger.counts.closed, 1);
  }
});

test('an attempt has all of T, also when the clock had not been looked at for long before it', (t) => {
  const rig = ledgerOf();
  const { first } = rig.open('a');
  rig.open('b', 9000);
  rig.ledger.advance(9700);
  t.deepEqual(rig.news(), ['replay a: timeout']);
  const second = rig.again(20_000) as Root;
  rig.ledger.advance(20_000 + T);
  // b is over, and so is the first attempt of a; the second has T from when it was made
  t.deepEqual(rig.news().sort(), [`forget ${text(first)}`, 'replay b: timeout']);
  rig.ledger.advance(20_900);
  t.deepEqual(rig.news(), ['replay a: timeout']);
  rig.done(second, 21_000);
  t.deepEqual(rig.news(), ['complete a after 21000']);
});

test('time in which nobody could be heard counts for no attempt, neither for those before it nor for those within it', (t) => {
  const rig = ledgerOf();
  rig.open('before', 0);
  rig.ledger.advance(400);
  // an outage of 6 s, noticed second by second
  for (let now = 1400; now <= 6400; now += 1000) {
    rig.ledger.standstill(1000);
    if (now === 3400) rig.open('within', now);
  }
  rig.ledger.advance(6400);
  const { first } = rig.open('after', 6400);
  for (let now = 6400; now < 6400 + 400; now += 50) rig.ledger.advance(now);
  t.deepEqual(rig.news(), []);
  rig.ledger.advance(6400 + 500);
  t.deepEqual(rig.news(), ['replay before: timeout']);
  // it was sent in the middle, and has had none of its time when all are back
  rig.ledger.advance(6400 + T);
  t.deepEqual(rig.news(), []);
  rig.ledger.advance(6400 + 900);
  t.deepEqual(rig.news().sort(), ['replay after: timeout', 'replay within: timeout']);
  rig.done(first, 7400);
  t.deepEqual(rig.news(), ['complete after after 1000']);
});

test('at most three attempts of a tuple live at once: the oldest is forgotten for the fourth', (t) => {
  const rig = ledgerOf({ retry: { attempts: 100, backoff: { firstMs: 0, maxMs: 0 } } });
  const { entry, first } = rig.open('a');
  const roots = [first];
  for (let loss = 1; loss <= 3; loss++) {
    // only the newest is lost: the older ones are said to be held
    for (const root of roots.slice(0, -1)) rig.renew(root, loss * 10);
    rig.ledger.sweep(loss * 10 - 1, 'worker-lost', {}, loss * 10);
    rig.ledger.releaseHeld(loss * 10);
    roots.push(rig.again(loss * 10) as Root);
    t.true((entry.older?.length ?? 0) + 1 <= 3);
  }
  t.deepEqual(
    rig.news().filter((line) => line.startsWith('forget')),
    [`forget ${text(roots[0])}`],
  );
  rig.done(roots[0], 50);
  t.is(rig.ledger.counts.late, 1);
  rig.done(roots[1], 60);
  t.deepEqual(rig.news(), [`forget ${text(roots[3])}`, `forget ${text(roots[2])}`, 'complete a after 60']);
});

// ---- the end of attempts -----------------------------------------------------------------------------------------

test('failures and time-outs use attempts up; after the last the tuple is a dead letter with its history', (t) => {
  const rig = ledgerOf();
  const { entry, first } = rig.open('a');
  rig.failed(first, 10);
  const second = rig.again(110) as Root;
  rig.failed(second, 120, { reason: 'worker-lost' });
  rig.ledger.releaseHeld(130);
  rig.again(130);
  rig.ledger.advance(130 + 1000);
  const last = rig.again(130 + 2000) as Root;
  rig.news();
  rig.failed(last, 3000);
  t.deepEqual(rig.news().at(-1), 'dead a: failed');
  t.is(entry.state, 'dead');
  t.deepEqual(
    entry.history?.map(({ attempt, failure }) => [attempt, failure.reason]),
    [
      [1, 'failed'],
      [2, 'worker-lost'],
      [3, 'timeout'],
      [4, 'failed'],
    ],
  );
  // on its way to the store it waits
  t.deepEqual(counted(rig), { pending: 0, waiting: 1, bytes: 10 });
  t.false(rig.ledger.empty);
  rig.ledger.buried(entry);
  rig.ledger.buried(entry);
  t.true(rig.ledger.empty);
  t.deepEqual(counted(rig), { pending: 0, waiting: 0, bytes: 0 });
  t.is(entry.kept, undefined);
  t.deepEqual(rig.news(), []);
});

test('a dead letter is dead: a completion of one of its attempts comes too late', (t) => {
  const rig = ledgerOf({ retry: { attempts: 1, backoff: { firstMs: 0, maxMs: 0 } } });
  const { entry, first } = rig.open('a');
  rig.ledger.advance(900);
  t.deepEqual(rig.news(), [`forget ${text(first)}`, 'dead a: timeout']);
  rig.done(first, 1000);
  t.deepEqual(rig.news(), []);
  t.is(entry.state, 'dead');
  t.is(rig.ledger.counts.late, 1);
});

test('each further failure waits twice as long, less its jitter, up to the longest', (t) => {
  const rig = ledgerOf({ retry: { attempts: 7, backoff: { firstMs: 100, maxMs: 1000 } }, random: () => 0.5 });
  let { first: root } = rig.open('a');
  const delays: number[] = [];
  for (let now = 0; delays.length < 6; now = rig.ledger.dueAt, root = rig.again(now) as Root) {
    rig.failed(root, now);
    delays.push(rig.ledger.dueAt - now);
  }
  t.deepEqual(delays, [75, 150, 300, 600, 750, 750]);
});

test('a tuple in backoff does not count as pending, so others may go on; due ones come by their time', (t) => {
  const rig = ledgerOf();
  const a = rig.open('a');
  const b = rig.open('b');
  rig.failed(b.first, 50);
  rig.failed(a.first, 60);
  t.deepEqual(counted(rig), { pending: 0, waiting: 2, bytes: 20 });
  t.is(rig.ledger.nextDue(155)?.id, 'b');
  t.is(rig.ledger.nextDue(155), undefined);
  t.is(rig.ledger.nextDue(160)?.id, 'a');
});

test('quarantine: a tuple that kills its process is a dead letter at once, whatever it is doing', (t) => {
  const states = {
    pending: () => {},
    waiting: (rig: Rig, first: Root) => rig.failed(first, 10),
    held: (rig: Rig, first: Root) => rig.failed(first, 10, { reason: 'worker-lost' }),
  };
  for (const state of ['pending', 'waiting', 'held'] as const) {
    const bring = states[state];
    const rig = ledgerOf();
    const { entry, first } = rig.open('a');
    bring(rig, first);
    t.is(entry.state, state);
    rig.news();
    t.true(rig.quarantine(first, 20));
    t.is(rig.news().at(-1), 'dead a: kills-worker');
    t.deepEqual(counted(rig), { pending: 0, waiting: 1, bytes: 10 });
    t.false(rig.quarantine(first, 21));
    rig.ledger.releaseHeld(30);
    t.is(rig.again(100_000), undefined);
    t.deepEqual(counted(rig), { pending: 0, waiting: 1, bytes: 10 });
    rig.ledger.buried(entry);
    t.true(rig.ledger.empty);
    t.is(rig.ledger.bytes, 0);
  }
});

test('quarantine of a root that is complete, superseded or unknown does nothing', (t) => {
  const rig = ledgerOf();
  const complete = rig.open('complete');
  rig.done(complete.first, 1);
  const replayed = rig.open('replayed');
  rig.failed(replayed.first, 1);
  const second = rig.again(1000) as Root;
  rig.news();
  t.false(rig.quarantine(complete.first, 1001));
  t.false(rig.quarantine(replayed.first, 1001));
  t.false(rig.quarantine({ hi: second.hi, lo: 0xfffff001 }, 1001));
  t.false(rig.quarantine({ hi: rootHi(1, 2, 1), lo: second.lo }, 1001));
  t.deepEqual(rig.news(), []);
  t.true(rig.quarantine(second, 1001));
});

test('a message that can never be emitted is a dead letter without an attempt on its way', (t) => {
  const rig = ledgerOf();
  const entry = rig.ledger.reject('huge', { reason: 'oversize', attempts: 1 }, 5);
  t.is(rig.news().at(-1), 'dead huge: oversize');
  t.is(entry.state, 'dead');
  t.deepEqual(entry.history, [{ attempt: 1, startedAt: 5, endedAt: 5, failure: { reason: 'oversize', attempts: 1 } }]);
  t.deepEqual(counted(rig), { pending: 0, waiting: 1, bytes: 0 });
  t.is(rig.open('next').entry.sequence, 1);
  rig.ledger.buried(entry);
  t.deepEqual(counted(rig), { pending: 1, waiting: 0, bytes: 10 });
});

// ---- what is kept ------------------------------------------------------------------------------------------------

test('bytes follow the copy that is kept', (t) => {
  const rig = ledgerOf();
  const { entry } = rig.open('a', 0, 0);
  rig.ledger.keep(entry, 'newer copy', 7, 120);
  t.is(rig.ledger.bytes, 120);
  rig.ledger.keep(entry, 'smaller copy', 3, 20);
  t.is(rig.ledger.bytes, 20);
  t.is(entry.kept, 'smaller copy');
  t.is(entry.row, 3);
});

test('an emit that was refused leaves no trace: no number, no byte, and its root is never used again', (t) => {
  const rig = ledgerOf({}, 1);
  const refused = rig.open('refused');
  rig.ledger.cancel(refused.entry);
  t.deepEqual(counted(rig), { pending: 0, waiting: 0, bytes: 0 });
  t.is(rig.ledger.oldestStartedAt, undefined);
  const next = rig.open('next');
  t.is(next.entry.sequence, 0);
  t.not(text(next.first), text(refused.first));
  rig.done(refused.first, 1);
  t.deepEqual(rig.news(), []);
  t.is(rig.ledger.counts.late, 1);
  rig.ledger.advance(900);
  t.deepEqual(rig.news(), ['replay next: timeout']);
});

test('a completed tuple leaves nothing to the next, and its late messages do not touch that', (t) => {
  const rig = ledgerOf({}, 2);
  for (let tuple = 0; tuple < 50; tuple++) {
    const { entry, first } = rig.open(`tuple ${tuple}`, tuple, tuple);
    const { id, sequence, firstAt, bytes, attempt, reason, used, state, older, history } = entry;
    t.deepEqual(
      { id, sequence, firstAt, bytes, attempt, reason, used, state, older, history },
      {
        id: `tuple ${tuple}`,
        sequence: tuple * 2,
        firstAt: tuple,
        bytes: tuple,
        attempt: 1,
        reason: undefined,
        used: 0,
        state: 'pending',
        older: undefined,
        history: undefined,
      },
    );
    // every third is sent again first, so that its next attempt completes
    let last = first;
    if (tuple % 3 === 0) {
      rig.failed(first, tuple);
      last = rig.again(100_000) as Root;
    }
    rig.done(last, 100_000);
    const next = rig.open(`after ${tuple}`, tuple, 1);
    rig.news();
    for (const late of [first, last]) {
      rig.done(late, tuple);
      rig.failed(late, tuple);
      t.false(rig.quarantine(late, tuple));
    }
    t.deepEqual(rig.news(), []);
    t.is(next.entry.state, 'pending');
    rig.done(next.first, tuple + 2);
    t.deepEqual(rig.news(), [`complete after ${tuple} after 2`]);
  }
  t.deepEqual(counted(rig), { pending: 0, waiting: 0, bytes: 0 });
});

test('tuples are numbered as they are emitted', (t) => {
  const rig = ledgerOf();
  t.deepEqual(
    [rig.open('a'), rig.open('b'), rig.open('c')].map(({ entry }) => entry.sequence),
    [0, 1, 2],
  );
});

test('the age of the oldest live attempt is that of the one started first', (t) => {
  const rig = ledgerOf();
  t.is(rig.ledger.oldestStartedAt, undefined);
  const a = rig.open('a', 5);
  rig.open('b', 9);
  t.is(rig.ledger.oldestStartedAt, 5);
  rig.done(a.first, 20);
  t.is(rig.ledger.oldestStartedAt, 9);
});

// ---- slots -------------------------------------------------------------------------------------------------------

test('slots are used again oldest first', (t) => {
  const rig = ledgerOf({}, 4);
  const all = Array.from({ length: 4 }, (_, n) => rig.open(`tuple ${n}`).first);
  t.deepEqual(
    all.map(({ lo }) => rootSlot(lo)),
    [0, 1, 2, 3],
  );
  for (const slot of [2, 0, 3, 1]) rig.done(all[slot], 1);
  const next = Array.from({ length: 4 }, (_, n) => rig.open(`next ${n}`).first);
  t.deepEqual(
    next.map(({ lo }) => rootSlot(lo)),
    [2, 0, 3, 1],
  );
  t.deepEqual(
    next.map(({ hi, lo }) => rootGeneration(hi, lo)),
    [2, 2, 2, 2],
  );
});

test('the table grows when every slot has a live attempt, and what is in it stays', (t) => {
  const rig = ledgerOf({}, 4);
  const first = rig.open('first');
  rig.done(first.first, 0);
  const all = Array.from({ length: 100 }, (_, n) => rig.open(`tuple ${n}`, n));
  t.is(new Set(all.map(({ first }) => rootSlot(first.lo))).size, 100);
  t.is(rig.ledger.pending, 100);
  rig.news();
  for (const { first } of all.slice(50)) rig.done(first, 200);
  t.is(rig.news().length, 50);
  rig.ledger.advance(1100);
  t.is(rig.news().filter((line) => line.endsWith('timeout')).length, 50);
  t.is(rig.ledger.waiting, 50);
});

test('generations go round, and a message of the generation before is still recognised as late', (t) => {
  const rig = ledgerOf({}, 1);
  for (let generation = 1; generation < MAX_GENERATION; generation++)
    rig.ledger.cancel(rig.ledger.open('x', undefined, 0, 0, 0));
  const last = rig.open('last').first;
  t.is(rootGeneration(last.hi, last.lo), MAX_GENERATION);
  rig.done(last, 1);
  const round = rig.open('round').first;
  t.is(rootGeneration(round.hi, round.lo), 0);
  rig.news();
  rig.done(last, 2);
  t.deepEqual(rig.news(), []);
  rig.done(round, 3);
  t.deepEqual(rig.news(), ['complete round after 3']);
});

test('there is room for another attempt while a slot is free or the table may grow', (t) => {
  const rig = ledgerOf({}, 1 << 20);
  t.true(rig.ledger.hasSlot);
  let last: Root | undefined;
  for (let slot = 0; slot < 1 << 20; slot++) last = rig.open('x').first;
  t.false(rig.ledger.hasSlot);
  rig.done(last as Root, 1);
  t.true(rig.ledger.hasSlot);
});
