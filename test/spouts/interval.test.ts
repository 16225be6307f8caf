import test from 'ava';
import { captureBolt, startLocal } from '../../core/testing/index.js';
import { topology } from '../../core/topology/builder.js';
import { planOf } from '../../core/topology/plan.js';
import { type IntervalSpoutOptions, intervalSpout } from '../../spouts/interval.js';

/** The times of what ticked in `ms` of the run's own clock. */
async function ticks(options: IntervalSpoutOptions, ms: number, tasks = 1) {
  const seen = captureBolt<{ at: Date; missed: number }>();
  const built = topology('ticks')
    .spout('ticks', intervalSpout(options), { tasks })
    .bolt('seen', seen, (from) => from.shuffle('ticks'));
  const run = await startLocal(built);
  await run.advance(ms);
  const { spouts } = await run.stop();
  return { tuples: seen.tuples.map(({ values }) => values), spouts };
}

test('every 60 000 ms there is a tuple at each full minute, acked, and none is missed', async (t) => {
  const { tuples, spouts } = await ticks({ everyMs: 60_000 }, 3 * 60_000 + 500);
  t.is(tuples.length, 3);
  for (const [index, { at, missed }] of tuples.entries()) {
    t.is(at.getTime() % 60_000, 0);
    t.is(missed, 0);
    if (index > 0) t.is(at.getTime() - tuples[index - 1].at.getTime(), 60_000);
  }
  t.is(spouts.ticks.acked, 3);
});

test('a cron expression ticks at its times in its time zone', async (t) => {
  const { tuples } = await ticks({ cron: '30 * * * *', timezone: 'Asia/Kolkata' }, 3_600_500);
  t.is(tuples.length, 1);
  // five and a half hours before Greenwich
  for (const { at } of tuples) t.is(at.toISOString().slice(14), '00:00.000Z');
});

test('of several tasks only one ticks', async (t) => {
  t.is((await ticks({ everyMs: 1000 }, 5500, 3)).tuples.length, 5);
});

test('wrong options are mistakes that say what was expected', (t) => {
  const mistakesOf = (options: object): string => {
    try {
      const built = topology('wrong').spout('ticks', intervalSpout(options as IntervalSpoutOptions));
      planOf(built as never);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.regex(mistakesOf({}), /intervalSpout: expected either everyMs or cron/);
  t.regex(mistakesOf({ everyMs: 5, cron: '* * * * *' }), /expected either everyMs or cron/);
  t.regex(mistakesOf({ everyMs: 0.5 }), /everyMs: expected an integer from 1/);
  t.regex(
    mistakesOf({ cron: 'every day' }),
    /cron: expected an expression such as .* found 'every day'|cron: expected an expression such as .* found "every day"/,
  );
  t.regex(mistakesOf({ cron: '* * * * *', timezone: 'Mars/Base' }), /timezone .*Mars\/Base/);
  t.regex(mistakesOf({ everyMs: 5, missed: 'some' }), /missed: expected 'skip' or 'all'/);
  t.regex(mistakesOf({ everyMs: 5, often: 1 }), /there is no option 'often'/);
});
