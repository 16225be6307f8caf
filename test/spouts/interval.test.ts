import test from 'ava';
import { runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { COMPONENT, type SpoutComponent } from '../../core/topology/component.js';
import type { Position, SpoutDefinition } from '../../core/topology/definition.js';
import { t as is } from '../../core/topology/fields.js';
import { type IntervalSpoutOptions, intervalSpout } from '../../spouts/index.js';
import { contextOf, recordingOut } from '../topology/support.js';

const nothing = defineBolt({ execute() {} });
const startAt = new Date('2026-03-28T23:59:30Z');

const ticking = (options: IntervalSpoutOptions) =>
  topology('ticking')
    .spout('ticks', intervalSpout(options))
    .bolt('nothing', nothing, (from) => from.shuffle('ticks'));

/** What a task emits by itself, without waiting, at a time, from a position on. */
async function late(options: IntervalSpoutOptions, nowMs: number, position: Position) {
  const out = recordingOut();
  const definition = intervalSpout(options) as unknown as SpoutDefinition;
  const spout = await definition.open(contextOf({ now: () => nowMs, position }));
  for (let calls = 0; calls < 10; calls++) {
    const before = out.emitted.length;
    const result = spout.next(out);
    if (result === 'done' || out.emitted.length === before) break;
  }
  await spout.close?.();
  return out.emitted.map(([values, given]): Record<string, unknown> => ({ ...values, ...given }));
}

test('a tick comes at each full interval, with its time, its number and an id', async (t) => {
  const local = await startLocal(ticking({ everyMs: 60_000 }), { startAt });
  await local.advance(29_999);
  t.is(local.result().emitted.ticks.length, 0);
  await local.advance(1);
  t.deepEqual(local.result().emitted.ticks, [{ at: new Date('2026-03-29T00:00:00Z'), n: 0 }]);
  await local.advance(2 * 3_600_000);
  const { emitted, acked } = local.result();
  t.is(emitted.ticks.length, 121);
  t.is(acked, 121);
  t.deepEqual(emitted.ticks.at(-1), { at: new Date('2026-03-29T02:00:00Z'), n: 120 });
  t.is((await local.stop()).status, 'stopped');
});

test('a cron expression goes by its time zone, over a change of the clocks too', async (t) => {
  const local = await startLocal(ticking({ cron: '30 1-3 * * *', timezone: 'Europe/Berlin' }), { startAt });
  await local.advance(6 * 3_600_000);
  // half past two is left out that night
  t.deepEqual(
    local.result().emitted.ticks.map(({ at }) => at.toISOString()),
    ['2026-03-29T00:30:00.000Z', '2026-03-29T01:30:00.000Z'],
  );
  await local.stop();
});

test('values are made of the tick, and after so many it is done', async (t) => {
  const spout = intervalSpout({
    everyMs: 1000,
    times: 3,
    output: { text: is.string },
    values: ({ at, n }) => ({ text: `${n} at ${at.getTime() % 60_000}` }),
  });
  const { status, emitted } = await runLocal(
    topology('made')
      .spout('ticks', spout, { tasks: 2 })
      .bolt('nothing', nothing, (from) => from.shuffle('ticks')),
    { startAt },
  );
  t.is(status, 'completed');
  t.deepEqual(
    emitted.ticks.map(({ text }) => text),
    ['0 at 31000', '1 at 32000', '2 at 33000'],
  );
});

test('of the ticks that were missed the last is emitted, or all, and then it goes on as ever', async (t) => {
  const position = { n: 7, atMs: 60_000 };
  for (const options of [{ everyMs: 60_000 }, { cron: '* * * * *' }]) {
    t.deepEqual(await late(options, 250_000, position), [
      { at: new Date(240_000), n: 7, id: 240_000, position: { n: 8, atMs: 240_000 } },
    ]);
    const all = await late({ ...options, missed: 'all' }, 250_000, position);
    t.deepEqual(
      all.map(({ n, id }) => [n, id]),
      [
        [7, 120_000],
        [8, 180_000],
        [9, 240_000],
      ],
    );
  }
  await t.throwsAsync(() => late({ everyMs: 1 }, 0, 7), { code: 'ERR_SQUALL_POSITION' });
});

test('wrong options are mistakes of the topology', (t) => {
  const mistakes = (options: object) =>
    (intervalSpout(options as { everyMs: 1 }) as SpoutComponent)[COMPONENT].mistakes.join('\n');
  t.is(mistakes({}), 'intervalSpout: expected either everyMs or cron, found neither');
  t.is(mistakes({ everyMs: 1, cron: '* * * * *' }), 'intervalSpout: expected either everyMs or cron, found both');
  t.regex(mistakes({ cron: '61 * * * *' }), /^intervalSpout: cron: expected an expression .* found '61 \* \* \* \*'/);
  t.is(mistakes({ cron: '0 0 31 2 *' }), "intervalSpout: cron: '0 0 31 2 *' never comes");
  t.regex(mistakes({ cron: '* * * * *', timezone: 'Nowhere/X' }), /timezone: expected a name such as/);
  t.regex(mistakes({ everyMs: 0.5 }), /everyMs: expected an integer/);
  t.regex(mistakes({ everyMs: 1, missed: 'some' }), /missed: expected 'last' or 'all'/);
  t.regex(mistakes({ everyMs: 1, values: () => ({}) }), /output: stands with values/);
});
