/** Rows of Storm's reliability, and what shows their counterparts. */
import { bomb, captureBolt, runLocal, startLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { Tuple } from '../../core/topology/definition.js';
import { t as is } from '../../core/topology/fields.js';
import { defineSpout } from '../../core/topology/spout.js';
import { N, numbers, shows, source } from './storm-shows.js';

shows(
  'At-least-once tracking',
  'a failure anywhere in the tree replays it from the spout, without code of the spout',
  async (t) => {
    const twice = defineBolt({
      input: N,
      output: { n: is.number, half: is.number },
      execute({ values: { n } }, out) {
        for (const half of [0, 1]) out.emit({ n, half });
      },
    });
    const seen = captureBolt<{ n: number; half: number }>();
    const built = topology('tracked')
      .spout('numbers', source())
      .bolt('twice', twice, (from) => from.shuffle('numbers'))
      .bolt(
        'shaky',
        bomb({
          fails: ({ attempt, values }) => attempt < 3 && values.half === 1,
          output: { n: is.number, half: is.number },
        }),
        (from) => from.fields('twice', ['n']),
      )
      .bolt('seen', seen, (from) => from.shuffle('shaky'));
    const { status, spouts } = await runLocal(built, { spouts: { numbers: numbers(5) } });
    t.is(status, 'completed');
    t.is(spouts.numbers.replays.failed, 10);
    t.is(seen.values.filter(({ half }) => half === 0).length, 15, 'at least once: what had succeeded comes again');
    t.is(seen.values.filter(({ half }) => half === 1).length, 5);
  },
);

shows('Best effort', 'without an id a tuple is not tracked, counted as such, and not sent again', async (t) => {
  const spout = defineSpout({
    output: N,
    open() {
      let n = 0;
      return {
        next(out) {
          if (n === 3) return 'done';
          out.emit({ n });
          n += 1;
          return undefined;
        },
        ack: () => t.fail(),
      };
    },
  });
  const { spouts, bolts } = await runLocal(
    topology('untracked')
      .spout('numbers', spout)
      .bolt('shaky', bomb({ throws: 1 }), (from) => from.shuffle('numbers')),
  );
  t.is(spouts.numbers.untracked, 3);
  t.is(spouts.numbers.acked + spouts.numbers.pending, 0);
  t.is(bolts.shaky.executed, 3);
});

shows('Best effort', 'without anchors a tuple does not belong to the tree: its failure replays nothing', async (t) => {
  const cut = defineBolt({
    input: N,
    output: N,
    ack: 'manual',
    execute(tuple, out) {
      out.emit(tuple.values, { anchors: [] });
      out.ack(tuple);
    },
  });
  const { status, spouts, bolts } = await runLocal(
    topology('cut')
      .spout('numbers', source())
      .bolt('cut', cut, (from) => from.shuffle('numbers'))
      .bolt('shaky', bomb({ throws: 1 }), (from) => from.shuffle('cut')),
    { spouts: { numbers: numbers(4) } },
  );
  t.is(status, 'completed');
  t.is(spouts.numbers.replays.failed, 0);
  t.is(bolts.shaky.failed, 4);
});

shows('Best effort', 'with no ackers, ack is called after the emit, and never within it', async (t) => {
  const acked: unknown[] = [];
  let within = false;
  const spout = defineSpout({
    output: N,
    open() {
      let n = 0;
      return {
        next(out) {
          if (n === 3) return 'done';
          within = true;
          out.emit({ n }, { id: n });
          within = false;
          n += 1;
          return undefined;
        },
        ack(id) {
          t.false(within);
          acked.push(id);
        },
      };
    },
  });
  await runLocal(
    topology('no-ackers')
      .spout('numbers', spout)
      .bolt('seen', captureBolt(), (from) => from.shuffle('numbers')),
    { ackers: 0 },
  );
  t.deepEqual(acked, [0, 1, 2]);
});

/** A bolt that keeps its tuples until it is told. */
function keeper() {
  let release = (): void => {};
  const bolt = defineBolt({
    input: N,
    ack: 'manual',
    prepare() {
      const kept: (() => void)[] = [];
      release = () => {
        for (const ack of kept.splice(0)) ack();
      };
      return {
        execute(tuple, out) {
          kept.push(() => out.ack(tuple));
        },
      };
    },
  });
  return { bolt, release: () => release() };
}

shows(
  'Reset timeout',
  'a tuple that a bolt keeps for twenty times T is not sent again, and nothing has to be called',
  async (t) => {
    const { bolt, release } = keeper();
    const given = source();
    const local = await startLocal(
      topology('kept')
        .spout('numbers', given)
        .bolt('keeper', bolt, (from) => from.shuffle('numbers'))
        .config({ messageTimeoutMs: 1000 }),
    );
    given.feed({ n: 1 });
    await local.advance(20_000);
    t.deepEqual(given.pending, [0]);
    release();
    await local.settle();
    t.deepEqual(given.acked, [0]);
    const { spouts } = await local.stop();
    t.is(spouts.numbers.replays.timeout, 0);
  },
);

shows(
  'Anchoring',
  'a tuple with anchors from two spouts belongs to both trees: its failure replays both',
  async (t) => {
    const left = source();
    const right = source();
    const join = defineBolt({
      inputs: { left: N, right: N },
      output: { sum: is.number },
      ack: 'manual',
      prepare() {
        let other: Tuple<{ n: number }> | undefined;
        return {
          execute(tuple, out) {
            if (other === undefined) {
              other = tuple;
              return;
            }
            // the same anchor twice is as good as once
            const anchors = [other, tuple, tuple];
            out.emit({ sum: other.values.n + tuple.values.n }, { anchors });
            out.ack(other);
            out.ack(tuple);
            other = undefined;
          },
        };
      },
    });
    const shaky = bomb({ fails: ({ attempt }) => attempt === 1, output: { sum: is.number } });
    const seen = captureBolt<{ sum: number }>();
    const { status, spouts } = await runLocal(
      topology('anchors')
        .spout('left', left)
        .spout('right', right)
        .bolt('join', join, (from) => ({ left: from.global('left'), right: from.global('right') }))
        .bolt('shaky', shaky, (from) => from.shuffle('join'))
        .bolt('seen', seen, (from) => from.shuffle('shaky')),
      { spouts: { left: [{ n: 1 }], right: [{ n: 10 }] } },
    );
    t.is(status, 'completed');
    t.is(spouts.left.replays.failed, 1);
    t.is(spouts.right.replays.failed, 1);
    t.deepEqual(seen.values, [{ sum: 11 }]);
  },
);

shows(
  'Flow cap',
  'a spout is not asked while so many are pending; one next may emit more, unless it awaits ready',
  async (t) => {
    for (const [ready, least, most] of [
      [true, 4, 4],
      [false, 10, 13],
    ] as const) {
      let emitted = 0;
      let acked = 0;
      let mostPending = 0;
      const spout = defineSpout({
        output: N,
        open: () => ({
          async next(out) {
            if (emitted >= 100) return 'done';
            for (let i = 0; i < 10; i++) {
              if (ready) await out.ready();
              out.emit({ n: emitted }, { id: emitted });
              emitted += 1;
              mostPending = Math.max(mostPending, emitted - acked);
            }
            return undefined;
          },
          ack() {
            acked += 1;
          },
        }),
      });
      const slow = defineBolt({
        input: N,
        ack: 'manual',
        tickEveryMs: 1,
        prepare() {
          const kept: Tuple<{ n: number }>[] = [];
          return {
            execute: (tuple) => void kept.push(tuple),
            tick(out) {
              for (const tuple of kept.splice(0)) out.ack(tuple);
            },
          };
        },
      });
      await runLocal(
        topology('cap')
          .spout('numbers', spout, { config: { maxSpoutPending: 4 } })
          .bolt('slow', slow, (from) => from.shuffle('numbers')),
      );
      t.is(acked, 100);
      t.true(mostPending >= least && mostPending <= most, `${mostPending} pending`);
    }
  },
);

shows('Backpressure', 'a bolt that stands still stops a spout that has no cap', async (t) => {
  let emitted = 0;
  const endless = defineSpout({
    output: N,
    open: () => ({
      next(out) {
        out.emit({ n: emitted });
        emitted += 1;
      },
    }),
  });
  const local = await startLocal(
    topology('still')
      .spout('endless', endless)
      .bolt('still', bomb({ hangs: 1 }), (from) => from.shuffle('endless')),
  );
  await local.advance(1000);
  const before = emitted;
  t.true(before > 0);
  await local.advance(60_000);
  t.is(emitted, before);
  await local.stop();
});
