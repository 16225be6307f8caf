import test from 'ava';
import fc from 'fast-check';
import { captureBolt, feeder, runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { Tuple } from '../../core/topology/definition.js';
import { t as is } from '../../core/topology/fields.js';
import { defineSpout } from '../../core/topology/spout.js';
import { NUMBER, numbers, refusalOf, sorted, source } from './local-tests.js';

// ---- which spout tuples come again -------------------------------------------------------------------------------

/** What may fail of one join, each a bit: tuple A or B itself, or what is made of A, of B, of both. */
const PARTS = ['A', 'B', 'ofA', 'ofB', 'ofBoth'] as const;
const COMBINATIONS = 2 ** PARTS.length;
const fails = (n: number, part: (typeof PARTS)[number]): boolean => (n & (1 << PARTS.indexOf(part))) !== 0;

for (const workers of [1, 'task'] as const) {
  test(`whichever parts of a join fail, exactly the spout tuples that they were made of come again, with workers ${workers}`, async (t) => {
    /** `a:7` → the attempts of it that came to the join */
    const attempts = new Map<string, number[]>();
    const join = defineBolt({
      inputs: { a: NUMBER, b: NUMBER },
      output: { n: is.number, part: is.string },
      ack: 'manual',
      prepare() {
        const waiting = new Map<number, Tuple<{ n: number }>>();
        return {
          execute(tuple, out) {
            const { n } = tuple.values;
            const name = `${tuple.input}:${n}`;
            attempts.set(name, [...(attempts.get(name) ?? []), tuple.attempt]);
            if (tuple.attempt > 1) {
              out.ack(tuple);
              return;
            }
            const other = waiting.get(n);
            if (other === undefined) {
              waiting.set(n, tuple);
              return;
            }
            const [a, b] = tuple.input === 'a' ? [tuple, other] : [other, tuple];
            out.emit({ n, part: 'ofA' }, { anchors: [a] });
            out.emit({ n, part: 'ofB' }, { anchors: [b] });
            out.emit({ n, part: 'ofBoth' }, { anchors: [a, b] });
            for (const [part, one] of [
              ['A', a],
              ['B', b],
            ] as const) {
              if (fails(n, part)) out.fail(one, 'as the bits say');
              else out.ack(one);
            }
          },
        };
      },
    });
    const judge = defineBolt({
      input: { n: is.number, part: is.string },
      execute({ values: { n, part } }) {
        if (fails(n, part as 'ofA')) throw new Error('as the bits say');
      },
    });
    const built = topology('combinations')
      .spout('a', source())
      .spout('b', source())
      .bolt('join', join, (from) => ({ a: from.fields('a', ['n']), b: from.fields('b', ['n']) }), { tasks: 2 })
      .bolt('judge', judge, (from) => from.shuffle('join'), { tasks: 2 });
    const given = numbers(COMBINATIONS);
    const result = await runLocal(built, { spouts: { a: given, b: [...given].reverse() }, workers, ackers: 2 });
    t.is(result.status, 'completed');
    for (const { n } of given) {
      const again = (...parts: readonly (typeof PARTS)[number][]): readonly number[] =>
        parts.some((part) => fails(n, part)) ? [1, 2] : [1];
      t.deepEqual(attempts.get(`a:${n}`), again('A', 'ofA', 'ofBoth'), `a with ${n.toString(2)}`);
      t.deepEqual(attempts.get(`b:${n}`), again('B', 'ofB', 'ofBoth'), `b with ${n.toString(2)}`);
    }
    t.is(result.acked, 2 * COMBINATIONS);
    t.is(result.balance.inFlight, 0);
  });
}

test('what is unanchored fails alone: its spout tuple is complete, and a warning says that it is gone', async (t) => {
  const unanchored = defineBolt({
    input: NUMBER,
    output: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      out.emit(tuple.values, { anchors: [] });
      out.ack(tuple);
    },
  });
  let executed = 0;
  const fragile = defineBolt({
    input: NUMBER,
    execute() {
      executed += 1;
      throw new Error('broken');
    },
  });
  const built = topology('unanchored')
    .spout('numbers', source())
    .bolt('unanchored', unanchored, (from) => from.shuffle('numbers'))
    .bolt('fragile', fragile, (from) => from.shuffle('unanchored'));
  const result = await runLocal(built, { spouts: { numbers: numbers(3) } });
  t.is(result.status, 'completed');
  t.is(result.acked, 3);
  t.is(result.spouts.numbers.replays.failed, 0);
  t.is(executed, 3);
  t.is(result.bolts.fragile.failed, 3);
  t.regex(result.warnings.join('\n'), /fragile\[3\]: an untracked tuple failed and is gone: broken/);
});

test('an untracked tuple beside a tracked one as anchors: only the tracked one comes again', async (t) => {
  const untracked = defineSpout({
    output: NUMBER,
    open() {
      let n = 0;
      return { next: (out) => (n === 4 ? 'done' : out.emit({ n: n++ })) };
    },
  });
  const attempts: string[] = [];
  const join = defineBolt({
    inputs: { tracked: NUMBER, untracked: NUMBER },
    output: NUMBER,
    ack: 'manual',
    prepare() {
      const partners = new Map<number, Tuple<{ n: number }>>();
      const waiting = new Map<number, Tuple<{ n: number }>>();
      return {
        execute(tuple, out) {
          const { n } = tuple.values;
          attempts.push(`${tuple.input}:${n}#${tuple.attempt}`);
          if (tuple.input === 'untracked') partners.set(n, tuple);
          else waiting.set(n, tuple);
          const partner = partners.get(n);
          const own = waiting.get(n);
          if (partner === undefined || own === undefined) return;
          out.emit({ n }, { anchors: [partner, own, partner] });
          out.ack(own);
          if (own.attempt === 2) out.ack(partner);
        },
      };
    },
  });
  const seen = captureBolt<{ n: number }>();
  const shaky = defineBolt({
    input: NUMBER,
    output: NUMBER,
    execute({ values, attempt }, out) {
      if (attempt === 1) throw new Error('not at first');
      out.emit(values);
    },
  });
  const built = topology('mixed')
    .spout('tracked', source())
    .spout('untracked', untracked)
    .bolt('join', join, (from) => ({ tracked: from.global('tracked'), untracked: from.global('untracked') }))
    .bolt('shaky', shaky, (from) => from.shuffle('join'))
    .bolt('seen', seen, (from) => from.shuffle('shaky'));
  const result = await runLocal(built, { spouts: { tracked: numbers(4) } });
  t.is(result.status, 'completed');
  t.is(result.acked, 4);
  t.is(result.spouts.untracked.untracked, 4);
  t.is(result.spouts.tracked.replays.failed, 4);
  const expected = [0, 1, 2, 3].flatMap((n) => [`tracked:${n}#1`, `tracked:${n}#2`, `untracked:${n}#1`]);
  t.deepEqual(attempts.sort(), expected.sort());
  t.deepEqual(sorted(seen.values.map(({ n }) => n)), [0, 1, 2, 3]);
});

test('an untracked tuple may be acked and failed like any other: nobody replays it', async (t) => {
  const untracked = defineSpout({
    output: NUMBER,
    open() {
      let n = 0;
      return { next: (out) => (n === 4 ? 'done' : out.emit({ n: n++ })) };
    },
  });
  const settles = defineBolt({
    input: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      if (tuple.values.n % 2 === 0) out.ack(tuple);
      else out.fail(tuple, 'odd');
    },
  });
  const built = topology('untracked')
    .spout('untracked', untracked)
    .bolt('settles', settles, (from) => from.shuffle('untracked'));
  const { status, bolts, spouts } = await runLocal(built);
  t.is(status, 'completed');
  t.like(bolts.settles, { executed: 4, acked: 2, failed: 2 });
  t.is(spouts.untracked.replays.failed, 0);
});

test('out.fail takes an Error, a text or nothing as its reason, and the dead letter has it', async (t) => {
  const reasons = [new RangeError('too large'), 'a text', undefined];
  const refuses = defineBolt({
    input: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      out.fail(tuple, reasons[tuple.values.n]);
    },
  });
  const lines = feeder(NUMBER, { retry: { attempts: 1 } });
  const built = topology('reasons')
    .spout('numbers', lines)
    .bolt('refuses', refuses, (from) => from.shuffle('numbers'));
  for (const values of numbers(3)) lines.feed(values);
  lines.end();
  const { deadLetters } = await runLocal(built);
  const told = deadLetters.map(({ attempts }) => attempts[0].failure);
  for (const failure of told) t.like(failure, { reason: 'failed', component: 'refuses', task: 2 });
  t.like(told[0].error, { name: 'RangeError', message: 'too large' });
  t.is(told[1].error?.message, 'a text');
  t.is(told[2].error?.message, 'out.fail was called without a reason');
});

// ---- ids, attempts and reasons -----------------------------------------------------------------------------------

interface Made {
  readonly id: string;
  readonly attempt: number;
  readonly reason: string | undefined;
}

const GROUP = 4;

/**
 * Runs groups of four tuples through a bolt that emits on the anchors that `emits` says (indexes into the group, for each
 * emit), every attempt alike. Returns what was made, by group and emit, attempt for attempt.
 */
async function madeOn(
  groups: number,
  emits: readonly (readonly number[])[],
  options: {
    /** the emit that fails in the first round: the tuples that it hangs on come again, the bolt keeps the others */
    readonly failing?: number;
    readonly order?: (anchors: readonly number[], round: number) => readonly number[];
    readonly workers?: 1 | 'task';
  } = {},
): Promise<Map<string, Made[]>> {
  const { failing = -1, order = (anchors) => anchors, workers = 1 } = options;
  const made = new Map<string, Made[]>();
  const emitter = defineBolt({
    input: NUMBER,
    output: { name: is.string, group: is.number, round: is.number, emit: is.number },
    ack: 'manual',
    prepare() {
      /** the newest incarnation of each tuple, until all of the group are complete */
      const held = new Map<number, Tuple<{ n: number }>>();
      const rounds = new Map<number, number>();
      const open = new Set<Tuple<{ n: number }>>();
      return {
        execute(tuple, out) {
          const { n } = tuple.values;
          held.set(n, tuple);
          open.add(tuple);
          const group = Math.floor(n / GROUP);
          const members = Array.from({ length: GROUP }, (_, at) => held.get(group * GROUP + at));
          const round = (rounds.get(group) ?? 0) + 1;
          // the next round begins when everything that failed has come again
          const needed = round === 1 ? members.map((_, at) => at) : [...new Set(emits[failing] ?? [])];
          const present = needed.every((at) => {
            const member = members[at];
            return member !== undefined && open.has(member) && (round === 1 || member.attempt === 2);
          });
          if (!present) return;
          rounds.set(group, round);
          for (const [emit, indexes] of emits.entries()) {
            const anchors = order(indexes, round).map((at) => members[at] as Tuple<{ n: number }>);
            // in the second round some anchors are complete, and of others nothing comes again
            if (!anchors.every((anchor) => open.has(anchor)) || !indexes.some((at) => needed.includes(at))) continue;
            out.emit({ name: `${group}/${emit}`, group, round, emit }, { anchors });
          }
          for (const [at, member] of members.entries()) {
            if (member === undefined || !open.has(member)) continue;
            // those that do not come again are kept for the second round
            if (round === 1 && failing >= 0 && !(emits[failing] ?? []).includes(at)) continue;
            open.delete(member);
            out.ack(member);
          }
        },
      };
    },
  });
  const judge = defineBolt({
    input: { name: is.string, round: is.number, emit: is.number },
    execute({ id, attempt, replayReason, values: { name, round, emit } }) {
      made.set(name, [...(made.get(name) ?? []), { id, attempt, reason: replayReason }]);
      if (round === 1 && emit === failing) throw new Error('in the first round');
    },
  });
  const built = topology('ids')
    .spout('numbers', source())
    .bolt('emitter', emitter, (from) => from.global('numbers'))
    .bolt('judge', judge, (from) => from.shuffle('emitter'));
  const result = await runLocal(built, { spouts: { numbers: numbers(groups * GROUP) }, workers, timeoutMs: 20_000 });
  if (result.status !== 'completed') throw new Error(`it ended ${result.status}: ${JSON.stringify(result.spouts)}`);
  return made;
}

const subset = fc.array(fc.nat(GROUP - 1), { minLength: 1, maxLength: 6 });

test('every emit has an id of its own, whatever it is anchored to', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(subset, { minLength: 1, maxLength: 8 }), async (emits) => {
      const made = await madeOn(3, emits);
      const ids = [...made.values()].flat().map(({ id }) => id);
      t.is(ids.length, 3 * emits.length);
      t.is(new Set(ids).size, ids.length, JSON.stringify(emits));
      for (const id of ids) t.regex(id, /^[0-9a-f]{32}$/);
    }),
    { numRuns: 60 },
  );
});

test('a tuple has the same id on every attempt, in whatever order its anchors are named, and however many came again', async (t) => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(subset, { minLength: 1, maxLength: 5 }),
      fc.nat(4),
      fc.constantFrom(1 as const, 'task' as const),
      async (emits, some, workers) => {
        const failing = some % emits.length;
        const made = await madeOn(2, emits, {
          failing,
          workers,
          order: (anchors, round) => (round === 1 ? anchors : [...anchors].reverse()),
        });
        for (const [name, each] of made) {
          t.is(new Set(each.map(({ id }) => id)).size, 1, `${name} of ${JSON.stringify(emits)}, ${failing} fails`);
          compared += each.length - 1;
        }
        t.is(new Set([...made.values()].map(([{ id }]) => id)).size, made.size);
        const again = made.get(`0/${failing}`) as Made[];
        t.deepEqual(
          again.map(({ attempt, reason }) => [attempt, reason]),
          [
            [1, undefined],
            [2, 'failed'],
          ],
        );
      },
    ),
    { numRuns: 80 },
  );
  t.true(compared > 100, `${compared} pairs`);
});

test('an anchor that is named twice counts once', async (t) => {
  const once = await madeOn(2, [[0], [1, 2]]);
  const twice = await madeOn(2, [
    [0, 0, 0],
    [2, 1, 2, 1],
  ]);
  t.is(once.size, 4);
  for (const [name, [{ id }]] of once) t.is(twice.get(name)?.[0].id, id);
});

test('a joined tuple is of the highest attempt among its anchors, with its reason', async (t) => {
  const seen: string[] = [];
  const join = defineBolt({
    inputs: { steady: NUMBER, shaky: NUMBER },
    output: NUMBER,
    ack: 'manual',
    prepare() {
      let steady: Tuple | undefined;
      return {
        execute(tuple, out) {
          if (tuple.input === 'steady') {
            steady = tuple;
            return;
          }
          if (steady === undefined || tuple.attempt < 3) {
            out.fail(tuple, 'not yet');
            return;
          }
          out.emit({ n: 1 }, { anchors: [steady, tuple] });
          out.emit({ n: 2 }, { anchors: [tuple, steady] });
          out.emit({ n: 3 }, { anchors: [steady] });
          out.ack(tuple);
          out.ack(steady);
        },
      };
    },
  });
  const judge = defineBolt({
    input: NUMBER,
    execute({ values: { n }, attempt, replayReason }) {
      seen.push(`${n}: ${attempt} ${replayReason}`);
    },
  });
  const built = topology('attempts')
    .spout('steady', source())
    .spout('shaky', source())
    .bolt('join', join, (from) => ({ steady: from.global('steady'), shaky: from.global('shaky') }))
    .bolt('judge', judge, (from) => from.shuffle('join'));
  const result = await runLocal(built, { spouts: { steady: numbers(1), shaky: numbers(1) } });
  t.is(result.status, 'completed');
  t.deepEqual(seen, ['1: 3 failed', '2: 3 failed', '3: 1 undefined']);
});

test('unanchored tuples have ids of their own in every task, whatever a tick emits beside them', async (t) => {
  const bolt = defineBolt({
    input: NUMBER,
    output: NUMBER,
    ack: 'manual',
    tickEveryMs: 10,
    prepare() {
      let ticks = 0;
      return {
        execute(tuple, out) {
          out.emit({ n: 0 }, { anchors: [] });
          out.ack(tuple);
        },
        tick(out) {
          if (ticks++ >= 3) return;
          out.emit({ n: 1 });
          out.emit({ n: 2 }, { anchors: [] });
        },
        end(out) {
          out.emit({ n: 3 });
          out.emit({ n: 4 }, { anchors: [] });
        },
      };
    },
  });
  const seen = captureBolt<{ n: number }>();
  const slow = defineSpout({
    output: NUMBER,
    open({ now }) {
      const until = now() + 35;
      let n = 0;
      return {
        next(out) {
          if (n < 6) out.emit({ n }, { id: n++ });
          else return now() < until ? 'idle' : 'done';
          return;
        },
      };
    },
  });
  const built = topology('unanchored')
    .spout('numbers', slow)
    .bolt('bolt', bolt, (from) => from.all('numbers'), { tasks: 2 })
    .bolt('seen', seen, (from) => from.shuffle('bolt'));
  const result = await runLocal(built);
  t.is(result.status, 'completed');
  const count = (n: number): number => seen.values.filter((values) => values.n === n).length;
  t.deepEqual([0, 1, 2, 3, 4].map(count), [12, 6, 6, 2, 2]);
  t.is(new Set(seen.tuples.map(({ id }) => id)).size, 28);
  t.is(result.bolts.bolt.trees?.acked, 8, 'what a tick emits with anchors: [] nobody tracks');
});

// ---- how many ----------------------------------------------------------------------------------------------------

const MOST = 8192;

for (const ending of ['acked', 'failed'] as const) {
  test(`a tuple may belong to ${MOST} spout tuples, and all of them are ${ending} with it; one more is an error that says so`, async (t) => {
    let refusal: Error | undefined;
    const held: Tuple<{ n: number }>[] = [];
    const collect = defineBolt({
      input: NUMBER,
      output: { size: is.number },
      ack: 'manual',
      execute(tuple, out) {
        held.push(tuple);
        if (held.length <= MOST) return;
        const anchors = held.splice(0);
        if (tuple.attempt === 1) refusal = refusalOf(() => out.emit({ size: MOST + 1 }, { anchors }));
        out.emit({ size: MOST }, { anchors: anchors.slice(0, MOST) });
        for (const anchor of anchors) out.ack(anchor);
      },
    });
    let judged = 0;
    const judge = defineBolt({
      input: { size: is.number },
      execute() {
        judged += 1;
        if (ending === 'failed') throw new Error('no');
      },
    });
    const lines = feeder(NUMBER, { retry: { attempts: 1 } });
    const built = topology('many')
      .spout('numbers', lines)
      .bolt('collect', collect, (from) => from.global('numbers'))
      .bolt('judge', judge, (from) => from.shuffle('collect'))
      .config({ maxSpoutPending: MOST + 1 });
    for (const values of numbers(MOST + 1)) lines.feed(values);
    lines.end();
    const result = await runLocal(built, { workers: 'task', ackers: 2 });
    t.like(refusal, { code: 'ERR_SQUALL_TOO_MANY_ANCHORS' });
    t.regex(
      refusal?.message ?? '',
      /^collect\[2\]: the anchors of one tuple belong to 8193 spout tuples; at most 8192/,
    );
    t.is(judged, 1);
    if (ending === 'acked') t.like(result.spouts.numbers, { acked: MOST + 1, deadLettered: 0 });
    else t.like(result.spouts.numbers, { acked: 1, deadLettered: MOST });
    t.is(result.balance.inFlight, 0);
  });
}
