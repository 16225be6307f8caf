import test from 'ava';
import { type BombOptions, bomb, captureBolt, feeder, runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { t as is } from '../../core/topology/fields.js';

const NUMBERS = Array.from({ length: 60 }, (_, n) => ({ n }));

async function run(options: BombOptions, workers: 1 | 'task' = 'task') {
  const seen = captureBolt<{ n: number }>();
  const built = topology('bombed')
    .spout('numbers', feeder({ n: is.number }))
    .bolt('bomb', bomb({ ...options, output: { n: is.number } }), (from) => from.shuffle('numbers'), { tasks: 2 })
    .bolt('seen', seen, (from) => from.shuffle('bomb'))
    .config({ messageTimeoutMs: 5000 });
  const result = await runLocal(built, { spouts: { numbers: NUMBERS }, workers });
  return { result, seen, distinct: new Set(seen.values.map(({ n }) => n)).size };
}

for (const what of ['fails', 'throws', 'hangs'] as const) {
  test(`a bolt that now and then ${what} loses nothing, and a replay can succeed`, async (t) => {
    const { result, distinct } = await run({ [what]: 0.2 });
    t.is(result.status, 'completed');
    t.is(distinct, NUMBERS.length);
    t.true(result.spouts.numbers.replays.failed > 0);
  });
}

for (const workers of [1, 'task'] as const) {
  test(`a bolt that now and then exits is replaced and loses nothing, with workers ${workers}`, async (t) => {
    let restarts = 0;
    for (const seed of [1, 2, 3, 4]) {
      const { result, distinct } = await run({ exits: 0.02, seed }, workers);
      t.is(result.status, 'completed');
      t.is(distinct, NUMBERS.length);
      restarts += result.restarts;
    }
    t.true(restarts > 0);
  });
}

test('a bolt that hangs reaches its executeTimeoutMs without anybody waiting', async (t) => {
  const { result } = await run({ hangs: ({ attempt }) => attempt === 1 });
  t.is(result.status, 'completed');
  t.true(result.elapsedMs >= 50_000);
});

test('slowness is on the run’s own clock', async (t) => {
  const { result } = await run({ slowsDownMs: 1000 });
  t.is(result.status, 'completed');
  t.true(result.elapsedMs >= (NUMBERS.length / 2) * 1000);
});

test('a tuple meets the same fate in every run of a seed, and another one with another seed', async (t) => {
  const fates = async (seed: number) =>
    (await run({ fails: 0.5, seed })).seen.tuples.map(({ values, attempt }) => [values.n, attempt]);
  const first = await fates(1);
  t.deepEqual(await fates(1), first);
  t.notDeepEqual(await fates(2), first);
});

test('a bolt in a bomb does what it does, when it is let', async (t) => {
  const sum = defineBolt({
    input: { n: is.number },
    output: { sum: is.number },
    prepare() {
      let sum = 0;
      return {
        execute({ values: { n } }) {
          sum += n;
        },
        end: (out) => out.emit({ sum }),
      };
    },
  });
  const built = topology('wrapped')
    .spout('numbers', feeder({ n: is.number }))
    .bolt('sum', bomb(sum, { fails: ({ attempt }) => attempt === 1 }), (from) => from.shuffle('numbers'));
  const result = await runLocal(built, { spouts: { numbers: NUMBERS } });
  t.deepEqual(result.emitted.sum, [{ sum: (59 * 60) / 2 }]);
  t.is(result.spouts.numbers.replays.failed, NUMBERS.length);
});

test('chances that are none are mistakes of the topology', async (t) => {
  const built = topology('wrong')
    .spout('numbers', feeder({ n: is.number }))
    .bolt('bomb', bomb({ fails: 2, slows: 0.5 }), (from) => from.shuffle('numbers'));
  const error = await t.throwsAsync(runLocal(built), { code: 'ERR_SQUALL_TOPOLOGY' });
  t.regex(error?.message ?? '', /fails: expected a chance from 0 to 1, or a function, found 2/);
  t.regex(error?.message ?? '', /slows: needs slowsDownMs/);
});

test('code of a worker that has died does nothing any more, though its promises go on', async (t) => {
  const executed: number[] = [];
  const slow = defineBolt({
    input: { n: is.number },
    output: { n: is.number },
    prepare: ({ epoch }) => ({
      async execute({ values: { n } }, out) {
        executed.push(epoch);
        await new Promise<void>((resolve) => setImmediate(resolve));
        out.emit({ n });
      },
    }),
  });
  let left = 1;
  const built = topology('fenced')
    .spout('numbers', feeder({ n: is.number }))
    .bolt('slow', slow, (from) => from.shuffle('numbers'))
    // in the same worker as slow, so that both die
    .bolt('bomb', bomb({ exits: () => left-- > 0 }), (from) => from.shuffle('slow'));
  const result = await runLocal(built, { spouts: { numbers: NUMBERS.slice(0, 3) } });
  t.is(result.restarts, 1);
  t.is(result.status, 'completed');
  // once the second life has begun, nothing of the first one is executed
  t.deepEqual(
    executed,
    executed.toSorted((a, b) => a - b),
  );
  t.deepEqual(new Set(executed), new Set([1, 2]));
});
