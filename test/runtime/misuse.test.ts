import test, { type ExecutionContext } from 'ava';
import type { SquallError } from '../../core/errors.js';
import { captureBolt, type LocalOptions, runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { BoltOut, Tuple } from '../../core/topology/definition.js';
import { direct } from '../../core/topology/direct.js';
import { defineSpout } from '../../core/topology/spout.js';
import { Gates, NUMBER, numbers, refusalOf, sorted, source, virtual } from './local-tests.js';

const COUNT = 5;
const DIRECT = direct(NUMBER);

/** The erased `out` and tuple, as JavaScript has them. */
type Execute = (tuple: Tuple, out: BoltOut, task: number) => void | Promise<void>;

const streams = { side: NUMBER, named: DIRECT };

function manualBolt(execute: Execute, tick?: (out: BoltOut) => void) {
  return defineBolt({
    input: NUMBER,
    output: NUMBER,
    streams,
    ack: 'manual',
    tickEveryMs: 100,
    prepare: ({ task }) => ({
      execute: (tuple, out) => execute(tuple, out as never, task),
      ...(tick && { tick: (out) => tick(out as never) }),
    }),
  });
}

function autoBolt(execute: Execute, tick?: (out: BoltOut) => void) {
  return defineBolt({
    input: NUMBER,
    output: NUMBER,
    streams,
    tickEveryMs: 100,
    prepare: ({ task }) => ({
      execute: (tuple, out) => execute(tuple, out as never, task),
      ...(tick && { tick: (out) => tick(out as never) }),
    }),
  });
}

/** numbers → culprit → seen; `other` takes the direct stream. The culprit is task 2. */
function culpritTopology(culprit: ReturnType<typeof manualBolt>) {
  const seen = captureBolt<{ n: number }>();
  const other = captureBolt<{ n: number }>();
  const made = topology('misuse')
    .spout('numbers', source())
    .bolt('culprit', culprit, (from) => from.global('numbers'))
    .bolt('seen', seen, (from) => [from.shuffle('culprit'), from.shuffle('culprit', { stream: 'side' })])
    .bolt('other', other, (from) => from.direct('culprit', { stream: 'named' }));
  return { made, seen, other };
}

async function misused(culprit: ReturnType<typeof manualBolt>, options: LocalOptions = {}) {
  const { made, seen, other } = culpritTopology(culprit);
  const result = await runLocal(made, { spouts: { numbers: numbers(COUNT) }, ...options });
  return { result, seen, other };
}

/** Every error is one of the culprit's, of this kind, and counted; every tuple is complete, and passed on once. */
function namedAndHarmless(
  t: ExecutionContext,
  { result, seen }: Awaited<ReturnType<typeof misused>>,
  errors: readonly SquallError[],
  kind: string | undefined,
  message: RegExp,
  count = COUNT,
): void {
  t.is(errors.length, count);
  for (const error of errors) {
    t.regex(error.message, /^culprit\[2\]/);
    t.regex(error.message, message);
  }
  if (kind === undefined) t.deepEqual(result.dropped, {});
  else {
    t.deepEqual(result.dropped, { [kind]: count });
    for (const { code, facts } of errors) {
      t.is(code, kind === 'out-settled' ? 'ERR_SQUALL_OUT_SETTLED' : 'ERR_SQUALL_MISUSE');
      if (kind !== 'out-settled') t.is((facts as { kind?: string }).kind, kind);
    }
  }
  t.is(result.status, 'completed');
  t.is(result.acked, COUNT);
  t.is(result.balance.inFlight, 0);
  t.is(result.balance.mismatches, 0);
  t.is(result.spouts.numbers.replays.timeout, 0);
  t.deepEqual(sorted(seen.values.map(({ n }) => n)), [0, 1, 2, 3, 4]);
}

// ---- ack: 'manual' -----------------------------------------------------------------------------------------------

const settles: readonly (readonly [
  string,
  string,
  RegExp,
  (tuple: Tuple, out: BoltOut, errors: SquallError[]) => void,
])[] = [
  [
    'a second ack',
    'double-ack',
    /ack of its tuple [0-9a-f]{32} from "numbers", which was acked before: ack or fail each tuple once/,
    (tuple, out, errors) => {
      out.emit({ n: tuple.values.n });
      out.ack(tuple);
      errors.push(refusalOf(() => out.ack(tuple)));
    },
  ],
  [
    'fail after ack',
    'double-fail',
    /fail of its tuple [0-9a-f]{32} from "numbers", which was acked before/,
    (tuple, out, errors) => {
      out.emit({ n: tuple.values.n });
      out.ack(tuple);
      errors.push(refusalOf(() => out.fail(tuple, 'too late')));
    },
  ],
  [
    'emit after ack',
    'emit-after-ack',
    /emit on its tuple [0-9a-f]{32} from "numbers", which was acked before: emit first, then ack/,
    (tuple, out, errors) => {
      out.emit({ n: tuple.values.n });
      out.ack(tuple);
      errors.push(refusalOf(() => out.emit({ n: -1 })));
    },
  ],
  [
    'emitDirect after ack',
    'emit-after-ack',
    /emit on its tuple/,
    (tuple, out, errors) => {
      out.emit({ n: tuple.values.n });
      out.ack(tuple);
      errors.push(refusalOf(() => out.emitDirect(4, { n: -1 }, { stream: 'named' })));
    },
  ],
  [
    'ack of a copy',
    'foreign-tuple',
    /ack of .*, which this task was not given by execute. Keep the tuple itself, not a copy of it\./,
    (tuple, out, errors) => {
      errors.push(refusalOf(() => out.ack({ ...tuple } as Tuple)));
      out.emit({ n: tuple.values.n });
      out.ack(tuple);
    },
  ],
  [
    'emit on a copy',
    'foreign-tuple',
    /emit of .*, which this task was not given by execute/,
    (tuple, out, errors) => {
      out.emit({ n: tuple.values.n });
      errors.push(refusalOf(() => out.emit({ n: -1 }, { anchors: [tuple, structuredClone(tuple.values) as never] })));
      out.ack(tuple);
    },
  ],
  ...[undefined, null, 42, 'tuple', {}, []].map(
    (junk) =>
      [
        `fail of ${JSON.stringify(junk)}`,
        'foreign-tuple',
        /fail of .*, which this task was not given by execute/,
        (tuple: Tuple, out: BoltOut, errors: SquallError[]) => {
          errors.push(refusalOf(() => out.fail(junk as never)));
          out.emit({ n: tuple.values.n });
          out.ack(tuple);
        },
      ] as const,
  ),
];

for (const [what, kind, message, act] of settles) {
  for (const workers of [1, 'task'] as const) {
    test(`${what} throws at once and is counted; caught, it does no harm to the tree, with workers ${workers}`, async (t) => {
      const errors: SquallError[] = [];
      const culprit = manualBolt((tuple, out) => act(tuple, out, errors));
      namedAndHarmless(t, await misused(culprit, { workers }), errors, kind, message);
    });
  }
}

for (const what of ['ack', 'fail', 'emit'] as const) {
  test(`${what} after fail throws; caught, the tuple is replayed once`, async (t) => {
    const errors: SquallError[] = [];
    const culprit = manualBolt((tuple, out) => {
      if (tuple.attempt > 1) {
        out.emit({ n: tuple.values.n });
        out.ack(tuple);
        return;
      }
      out.fail(tuple, 'not yet');
      errors.push(refusalOf(() => (what === 'emit' ? out.emit({ n: -1 }) : out[what](tuple))));
    });
    const misuse = await misused(culprit);
    const kind = what === 'emit' ? 'emit-after-ack' : `double-${what}`;
    namedAndHarmless(t, misuse, errors, kind, /which was failed before/);
    t.is(misuse.result.spouts.numbers.replays.failed, COUNT);
    t.is(misuse.result.bolts.culprit.failed, COUNT);
  });
}

test('a double ack of a tuple that was held for a while throws, too', async (t) => {
  const errors: SquallError[] = [];
  const held: Tuple[] = [];
  const culprit = manualBolt(
    (tuple) => void held.push(tuple),
    (out) => {
      for (const tuple of held.splice(0)) {
        out.emit({ n: tuple.values.n }, { anchors: [tuple] });
        out.ack(tuple);
        errors.push(refusalOf(() => out.ack(tuple)));
      }
    },
  );
  namedAndHarmless(t, await misused(culprit), errors, 'double-ack', /which was acked before/);
});

test('a misuse that nobody catches fails the tuple, and its dead letter tells', async (t) => {
  const culprit = manualBolt((tuple, out) => {
    out.emit({ n: tuple.values.n }, { anchors: [{ ...tuple } as Tuple] });
  });
  const { result, seen } = await misused(culprit);
  t.is(result.status, 'dead-letters');
  t.is(result.deadLetters.length, COUNT);
  t.is(result.dropped['foreign-tuple'], COUNT * 10);
  t.regex(result.deadLetters[0].attempts.at(-1)?.failure.error?.message ?? '', /^culprit\[2\]: emit of/);
  t.deepEqual(seen.values, []);
});

test('a misuse after the ack that nobody catches leaves the tuple acked, and is a warning', async (t) => {
  const culprit = manualBolt((tuple, out) => {
    out.emit({ n: tuple.values.n });
    out.ack(tuple);
    out.ack(tuple);
  });
  const { result, seen } = await misused(culprit);
  t.is(result.status, 'completed');
  t.deepEqual(result.dropped, { 'double-ack': COUNT });
  t.is(seen.values.length, COUNT);
  t.regex(
    result.warnings.join('\n'),
    /culprit\[2\]: execute threw when its tuple was acked already: culprit\[2\]: ack of/,
  );
});

for (const workers of [1, 'task'] as const) {
  test(`tuples of another task, and of another bolt, are foreign, with workers ${workers}`, async (t) => {
    /** by task */
    const kept = new Map<number, Tuple>();
    const errors: SquallError[] = [];
    const keeps = (pass: boolean) =>
      manualBolt((tuple, out, task) => {
        for (const [owner, foreign] of kept) {
          if (owner === task) continue;
          errors.push(refusalOf(() => out.ack(foreign)));
          errors.push(refusalOf(() => out.fail(foreign)));
          errors.push(refusalOf(() => out.emit({ n: -1 }, { anchors: [tuple, foreign] })));
        }
        kept.set(task, tuple);
        if (pass) out.emit({ n: tuple.values.n });
        out.ack(tuple);
      });
    const seen = captureBolt<{ n: number }>();
    const built = topology('foreign')
      .spout('numbers', source())
      .bolt('first', keeps(true), (from) => from.all('numbers'), { tasks: 2 })
      .bolt('second', keeps(false), (from) => from.shuffle('first'))
      .bolt('seen', seen, (from) => from.shuffle('first'));
    const result = await runLocal(built, { spouts: { numbers: numbers(COUNT) }, workers });
    t.true(errors.length > COUNT);
    for (const { message } of errors) t.regex(message, /^(first\[[23]\]|second\[4\]): \w+ of a tuple of another task/);
    t.deepEqual(result.dropped, { 'foreign-tuple': errors.length });
    t.is(result.acked, COUNT);
    t.is(result.status, 'completed');
    t.is(seen.values.length, COUNT * 2);
  });
}

test("a tuple that a bolt with ack: 'auto' was given is no anchor", async (t) => {
  let borrowed: Tuple | undefined;
  const errors: SquallError[] = [];
  const lender = defineBolt({
    input: NUMBER,
    execute(tuple) {
      borrowed = tuple as Tuple;
    },
  });
  const culprit = manualBolt((tuple, out) => {
    if (borrowed !== undefined) errors.push(refusalOf(() => out.emit({ n: -1 }, { anchors: [borrowed as Tuple] })));
    out.ack(tuple);
  });
  const built = topology('lent')
    .spout('numbers', source())
    .bolt('lender', lender, (from) => from.shuffle('numbers'))
    .bolt('culprit', culprit, (from) => from.shuffle('numbers'));
  const { acked, dropped } = await runLocal(built, { spouts: { numbers: numbers(COUNT) } });
  t.is(acked, COUNT);
  t.is(errors.length, COUNT);
  t.deepEqual(dropped, { 'foreign-tuple': COUNT });
});

// ---- ack: 'auto' -------------------------------------------------------------------------------------------------

for (const what of ['ack', 'fail'] as const) {
  test(`out.${what} in a bolt that acks by itself throws and is counted; caught, it does no harm`, async (t) => {
    const errors: SquallError[] = [];
    const culprit = autoBolt((tuple, out) => {
      errors.push(refusalOf(() => out[what](tuple)));
      out.emit({ n: tuple.values.n });
    });
    namedAndHarmless(t, await misused(culprit), errors, `${what}-in-auto`, /ack: 'auto'/);
  });

  test(`out.${what} in the tick of a bolt that acks by itself throws and is counted`, async (t) => {
    const errors: SquallError[] = [];
    const tuples: Tuple[] = [];
    const culprit = autoBolt(
      (tuple, out) => {
        tuples.push(tuple);
        out.emit({ n: tuple.values.n });
      },
      (out) => {
        for (const tuple of tuples.splice(0)) errors.push(refusalOf(() => out[what](tuple)));
      },
    );
    const { made } = culpritTopology(culprit);
    const lines = source();
    const local = await startLocal(made, { spouts: { numbers: lines } });
    lines.feed({ n: 1 });
    await local.advance(100);
    const { dropped, acked } = await local.stop();
    t.is(acked, 1);
    t.is(errors.length, 1);
    t.regex(errors[0].message, new RegExp(`^culprit\\[2\\]: out\\.${what} in tick of a bolt with ack: 'auto'`));
    t.deepEqual(dropped, { [`${what}-in-auto`]: 1 });
  });
}

test('anchors in a bolt that acks by itself are refused: nothing is anchored otherwise than its author thinks', async (t) => {
  const errors: SquallError[] = [];
  const culprit = autoBolt((tuple, out) => {
    errors.push(refusalOf(() => out.emit({ n: -1 }, { anchors: [] })));
    out.emit({ n: tuple.values.n });
  });
  namedAndHarmless(t, await misused(culprit), errors, 'anchors-in-auto', /anchors/);
});

test('out after the execute has returned throws, in a promise that nobody waits for', async (t) => {
  const errors: SquallError[] = [];
  const culprit = autoBolt((tuple, out) => {
    out.emit({ n: tuple.values.n });
    queueMicrotask(() => errors.push(refusalOf(() => out.emit({ n: -1 }))));
  });
  namedAndHarmless(t, await misused(culprit), errors, 'out-settled', /emit after its execute has settled/);
});

test('out of an execute that was over is not that of the next one', async (t) => {
  const errors: SquallError[] = [];
  let former: BoltOut | undefined;
  const culprit = autoBolt((tuple, out) => {
    const old = former;
    if (old !== undefined) errors.push(refusalOf(() => old.emit({ n: -1 })));
    out.emit({ n: tuple.values.n });
    former = out;
  });
  namedAndHarmless(t, await misused(culprit), errors, 'out-settled', /emit after its execute/, COUNT - 1);
});

test('out of an execute that was over is not that of an open one', async (t) => {
  const errors: SquallError[] = [];
  let former: BoltOut | undefined;
  const culprit = autoBolt((tuple, out) => {
    if (former === undefined) {
      former = out;
      out.emit({ n: tuple.values.n });
      return undefined;
    }
    const old = former;
    return Promise.resolve().then(() => {
      errors.push(refusalOf(() => old.emit({ n: -1 })));
      out.emit({ n: tuple.values.n });
    });
  });
  namedAndHarmless(t, await misused(culprit), errors, 'out-settled', /emit after its execute/, COUNT - 1);
});

function neverComes(): never {
  throw new Error('expected a rejection');
}

for (const concurrency of [1, 3]) {
  test(`out after the promise of its execute has resolved throws, and its ready rejects, with concurrency ${concurrency}`, async (t) => {
    const errors: SquallError[] = [];
    let former: BoltOut | undefined;
    const culprit = defineBolt({
      input: NUMBER,
      output: NUMBER,
      streams,
      concurrency,
      async execute({ values: { n } }, out) {
        await Promise.resolve();
        const old = former;
        if (old !== undefined && n === COUNT - 1) {
          errors.push(
            refusalOf(() => old.emit({ n: -1 })),
            refusalOf(() => old.emitDirect(4, { n: -1 }, { stream: 'named' })),
            await old.ready().then(neverComes, (error: SquallError) => error),
          );
        }
        out.emit({ n });
        if (n === 0) former = out as never;
      },
    });
    const misuse = await misused(culprit as never);
    namedAndHarmless(t, misuse, errors, 'out-settled', /(emit|emitDirect|ready) after its execute has settled/, 3);
  });
}

test('out of an execute that was given up throws', async (t) => {
  const errors: SquallError[] = [];
  const gates = new Gates();
  const lines = source();
  const culprit = defineBolt({
    input: NUMBER,
    output: NUMBER,
    streams,
    executeTimeoutMs: 20,
    execute: ({ values: { n }, attempt }, out) =>
      virtual(async () => {
        if (attempt > 1) return out.emit({ n });
        await gates.wait(n);
        errors.push(refusalOf(() => out.emit({ n: -1 })));
      }),
  });
  const { made, seen } = culpritTopology(culprit as never);
  const local = await startLocal(made, { spouts: { numbers: lines } });
  lines.feed({ n: 0 });
  await local.advance(30);
  t.deepEqual([...lines.acked], [0], 'its second attempt');
  gates.release(0);
  await local.advance(30);
  const { dropped } = await local.stop();
  t.deepEqual(seen.values, [{ n: 0 }]);
  t.deepEqual(dropped, { 'out-settled': 1 });
  t.regex(errors[0].message, /^culprit\[2\]: emit after its execute has settled/);
});

test('out of a tick that is over throws', async (t) => {
  const errors: SquallError[] = [];
  let former: BoltOut | undefined;
  const culprit = autoBolt(
    () => {},
    (out) => {
      if (former !== undefined) errors.push(refusalOf(() => former?.emit({ n: -1 })));
      former = out;
    },
  );
  const { made, seen } = culpritTopology(culprit);
  const local = await startLocal(made);
  await local.advance(300);
  const { dropped } = await local.stop();
  t.is(errors.length, 2);
  for (const { message } of errors) t.regex(message, /^culprit\[2\]: emit after its tick has settled/);
  t.deepEqual(dropped, { 'out-settled': 2 });
  t.deepEqual(seen.values, []);
});

test('out of a spout outside of next throws', async (t) => {
  const errors: SquallError[] = [];
  let emit: (() => void) | undefined;
  const spout = defineSpout({
    output: NUMBER,
    open() {
      let n = 0;
      return {
        next(out) {
          if (n === 3) return 'done';
          emit = () => out.emit({ n: -1 });
          out.emit({ n }, { id: n++ });
          return;
        },
        ack: () => errors.push(refusalOf(() => emit?.())),
      };
    },
  });
  const seen = captureBolt<{ n: number }>();
  const built = topology('outside')
    .spout('numbers', spout)
    .bolt('seen', seen, (from) => from.shuffle('numbers'));
  const result = await runLocal(built);
  t.is(errors.length, 3);
  for (const { message } of errors) t.regex(message, /^numbers\[1\]: emit outside of next/);
  t.is(seen.values.length, 3);
  t.deepEqual(result.dropped, { 'out-settled': 3 });
});

// ---- streams, tasks, anchors, groupings --------------------------------------------------------------------------

const wrong: readonly (readonly [string, RegExp, (out: BoltOut, tuple: Tuple) => void])[] = [
  [
    'emit to an undeclared stream',
    /emit to stream "errors", which "culprit" does not declare; it declares default, side, named/,
    (out) => out.emit({ n: -1 }, { stream: 'errors' }),
  ],
  [
    'emitDirect to an undeclared stream',
    /stream "errors", which "culprit" does not declare/,
    (out) => out.emitDirect(4, { n: -1 }, { stream: 'errors' }),
  ],
  [
    'emitDirect on a normal stream',
    /stream "default": emitDirect on a stream that is not direct: use emit/,
    (out) => out.emitDirect(3, { n: -1 }),
  ],
  [
    'emit on a direct stream',
    /stream "named": emit on a direct stream: name the task/,
    (out) => out.emit({ n: -1 }, { stream: 'named' }),
  ],
  ...[3, 99, 0, -1, 2.5, undefined, 'seen'].map(
    (task) =>
      [
        `emitDirect to the task ${String(task)}, which does not take the stream`,
        /stream "named": emitDirect to task .*, which does not take this stream; the tasks 4 do/,
        (out: BoltOut) => out.emitDirect(task as number, { n: -1 }, { stream: 'named' }),
      ] as const,
  ),
  ...[0, undefined, 3].map(
    (task) =>
      [
        `emitDirect to the task ${String(task)} on a normal stream`,
        /stream "side": emitDirect on a stream that is not direct/,
        (out: BoltOut) => out.emitDirect(task as number, { n: -1 }, { stream: 'side' }),
      ] as const,
  ),
  [
    'an undeclared field',
    /field "m" that the stream does not declare; it declares n/,
    (out) => out.emit({ n: 1, m: 2 }),
  ],
  ['a value of another type', /field "n" expects number, got/, (out) => out.emit({ n: 'one' })],
  ['no values', /stream "default": emit expects an object of values, got/, (out) => out.emit(undefined as never)],
];

for (const [what, message, act] of wrong) {
  for (const [ack, bolt] of [
    ['auto', autoBolt],
    ['manual', manualBolt],
  ] as const) {
    test(`${what} throws at once, and nothing of it is sent, with ack: '${ack}'`, async (t) => {
      const errors: SquallError[] = [];
      const culprit = bolt((tuple, out) => {
        errors.push(refusalOf(() => act(out, tuple)));
        out.emit({ n: tuple.values.n });
        if (ack === 'manual') out.ack(tuple);
      });
      const misuse = await misused(culprit as never);
      namedAndHarmless(t, misuse, errors, undefined, message);
      t.deepEqual(misuse.other.values, []);
    });
  }
}

test('emitDirect in a tick to a task that does not take the stream throws at once', async (t) => {
  const errors: SquallError[] = [];
  const culprit = autoBolt(
    () => {},
    (out) => {
      // more than there is room for: those that wait are checked as well
      for (let n = 0; n < 20_000; n++) out.emitDirect(4, { n }, { stream: 'named' });
      errors.push(refusalOf(() => out.emitDirect(3, { n: -1 }, { stream: 'named' })));
      errors.push(refusalOf(() => out.emitDirect(4, { n: -1 })));
      errors.push(refusalOf(() => out.emit({ n: -1 }, { stream: 'named' })));
    },
  );
  const { made, other } = culpritTopology(culprit);
  const local = await startLocal(made);
  await local.advance(150);
  const { deadLetters, bolts } = await local.stop();
  t.deepEqual(deadLetters, []);
  for (const { message } of errors) t.regex(message, /^culprit\[2\] stream "(named|default)": emit/);
  t.is(errors.length, 3);
  t.is(other.values.length, 20_000);
  t.is(bolts.culprit.trees?.acked, 20_000);
});

for (const junk of [{}, 'tuple', null, 42]) {
  test(`anchors: ${JSON.stringify(junk)} is refused, in execute and in tick`, async (t) => {
    const errors: SquallError[] = [];
    let ticks = 0;
    const culprit = manualBolt(
      (tuple, out) => {
        errors.push(refusalOf(() => out.emit({ n: -1 }, { anchors: junk as never })));
        out.emit({ n: tuple.values.n });
        out.ack(tuple);
      },
      (out) => {
        ticks += 1;
        errors.push(refusalOf(() => out.emit({ n: -1 }, { anchors: junk as never })));
      },
    );
    const { made, seen } = culpritTopology(culprit);
    const lines = source();
    const local = await startLocal(made, { spouts: { numbers: lines } });
    lines.feed({ n: 1 });
    await local.advance(250);
    await local.stop();
    t.is(ticks, 2);
    t.is(errors.length, 3);
    for (const { message } of errors) t.regex(message, /^culprit\[2\]: anchors: expected an array of tuples, got /);
    t.deepEqual(seen.values, [{ n: 1 }]);
    t.deepEqual([...lines.acked], [0]);
  });
}

for (const index of [2, -1, 0.5, Number.NaN, undefined, [0, 2], 'first', Promise.resolve(0)]) {
  const shown = index instanceof Promise ? 'a promise' : JSON.stringify(index);
  for (const from of ['a spout', 'a bolt'] as const) {
    test(`a custom grouping's index ${shown} of two tasks is refused where ${from} emits, and no other edge gets the tuple`, async (t) => {
      const errors: SquallError[] = [];
      let wrongly = true;
      const choose = () => (wrongly ? index : 0) as number;
      const twice = (emit: (n: number) => void, n: number): void => {
        wrongly = true;
        errors.push(refusalOf(() => emit(n)));
        wrongly = false;
        emit(n);
      };
      const spout = defineSpout({
        output: NUMBER,
        open() {
          let n = 0;
          return {
            next(out) {
              if (n === COUNT) return 'done';
              const emit = (value: number): void => out.emit({ n: value }, { id: value });
              if (from === 'a spout') twice(emit, n);
              else emit(n);
              n += 1;
              return;
            },
          };
        },
      });
      const passes = defineBolt({
        input: NUMBER,
        output: NUMBER,
        execute({ values: { n } }, out) {
          const emit = (value: number): void => out.emit({ n: value });
          if (from === 'a bolt') twice(emit, n);
          else emit(n);
        },
      });
      const seen = captureBolt<{ n: number }>();
      const plain = captureBolt<{ n: number }>();
      const source = from === 'a spout' ? 'numbers' : 'passes';
      const built = topology('custom')
        .spout('numbers', spout)
        .bolt('passes', passes, (all) => all.shuffle('numbers'))
        .bolt('plain', plain, (all) => all.shuffle(source))
        .bolt('seen', seen, (all) => all.custom(source, choose), { tasks: 2 });
      const result = await runLocal(built);
      t.is(errors.length, COUNT);
      for (const { code, message } of errors) {
        t.is(code, 'ERR_SQUALL_GROUPING');
        t.regex(message, /^(numbers\[1\]|passes\[2\]) to "seen": a custom grouping's function must return .*0 to 1/);
      }
      t.is(result.acked, COUNT);
      t.is(result.spouts.numbers.replays.failed, 0);
      t.deepEqual(sorted(seen.values.map(({ n }) => n)), [0, 1, 2, 3, 4]);
      t.deepEqual(sorted(plain.values.map(({ n }) => n)), [0, 1, 2, 3, 4]);
    });
  }
}

test('an untracked tuple may not go round a cycle: emitting it throws, and names who and where to', async (t) => {
  const errors: SquallError[] = [];
  const loop = defineBolt({
    input: NUMBER,
    streams: { again: NUMBER },
    ack: 'manual',
    execute(tuple, out) {
      const { n } = tuple.values;
      errors.push(refusalOf(() => out.emit({ n: n - 1 }, { stream: 'again', anchors: [] })));
      if (n > 0) out.emit({ n: n - 1 }, { stream: 'again' });
      out.ack(tuple);
    },
  });
  const built = topology('rounds')
    .spout('numbers', source())
    .bolt('loop', loop, (from) => from.shuffle('numbers'))
    .feedback('loop', (from) => from.shuffle('loop', { stream: 'again' }));
  const result = await runLocal(built, { spouts: { numbers: numbers(4) } });
  t.is(result.acked, 4);
  t.is(errors.length, 10);
  for (const { code, message } of errors) {
    t.is(code, 'ERR_SQUALL_UNTRACKED_CYCLE');
    t.regex(message, /^loop\[2\] stream "again": an untracked tuple may not go round a cycle \(back to "loop"\)/);
  }
});

test('a tuple that its spout did not track may not go round a cycle either', async (t) => {
  const errors: SquallError[] = [];
  const spout = defineSpout({
    output: NUMBER,
    open() {
      let n = 0;
      return { next: (out) => (n === 3 ? 'done' : out.emit({ n: n++ })) };
    },
  });
  const loop = defineBolt({
    input: NUMBER,
    streams: { again: NUMBER },
    execute({ values: { n } }, out) {
      errors.push(refusalOf(() => out.emit({ n: n - 1 }, { stream: 'again' })));
    },
  });
  const built = topology('rounds')
    .spout('numbers', spout)
    .bolt('loop', loop, (from) => from.shuffle('numbers'))
    .feedback('loop', (from) => from.shuffle('loop', { stream: 'again' }));
  const result = await runLocal(built);
  t.is(result.bolts.loop.executed, 3);
  t.is(errors.length, 3);
  for (const { code } of errors) t.is(code, 'ERR_SQUALL_UNTRACKED_CYCLE');
});
