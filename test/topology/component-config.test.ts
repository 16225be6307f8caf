import test from 'ava';
import { defineBolt, defineSpout, topology, t as type } from '../../core/index.js';
import { planOf } from '../../core/topology/plan.js';
import { anyBolt, anySpout, begin, lines, mistakesOf, shuffle, sink } from './javascript.js';
import { DEFAULT_CONFIG } from './support.js';

test('a component has the settings of the topology, over them its definition’s, over them those it was added with', (t) => {
  const spout = defineSpout({
    output: { n: type.number },
    retry: { attempts: 3, backoff: { firstMs: 100 } },
    open: () => ({ next: () => 'done' as const }),
  });
  const bolt = defineBolt({ concurrency: 4, tickEveryMs: 50, prepare: () => ({ execute() {} }) });
  const plan = planOf(
    topology('test')
      .spout('a', spout)
      .spout('b', spout, { config: { maxSpoutPending: 7, lingerMs: 3, retry: { backoff: { firstMs: 20_000 } } } })
      .bolt('c', bolt, (from) => from.shuffle('a'))
      .bolt('d', bolt, (from) => from.shuffle('a'), {
        config: { tickEveryMs: 60, executeTimeoutMs: 70, concurrency: 8 },
      })
      .bolt('e', bolt, (from) => from.shuffle('a'), {
        config: { messageTimeoutMs: 200, retry: { attempts: Infinity } },
      })
      .config({ messageTimeoutMs: 1000, lingerMs: 2 }),
  );
  const common = { ...DEFAULT_CONFIG, messageTimeoutMs: 1000, lingerMs: 2, executeTimeoutMs: 10_000 };
  const retry = { attempts: 3, backoff: { firstMs: 100, maxMs: 10_000 } };
  t.deepEqual(
    plan.components.map(({ config }) => config),
    [
      { ...common, retry },
      {
        ...common,
        maxSpoutPending: 7,
        lingerMs: 3,
        retry: { attempts: 3, backoff: { firstMs: 20_000, maxMs: 20_000 } },
      },
      { ...common, concurrency: 4, tickEveryMs: 50 },
      { ...common, concurrency: 8, tickEveryMs: 60, executeTimeoutMs: 70 },
      {
        ...common,
        messageTimeoutMs: 200,
        executeTimeoutMs: 2000,
        concurrency: 4,
        tickEveryMs: 50,
        retry: { ...DEFAULT_CONFIG.retry, attempts: Infinity },
      },
    ],
  );
  t.true(plan.components.every(({ config }) => Object.isFrozen(config) && Object.isFrozen(config.retry)));
});

test('the time limit of an execute never ends beyond what a timer can', (t) => {
  const plan = planOf(
    begin('test')
      .spout('lines', lines)
      .config({ messageTimeoutMs: 2 ** 31 - 1 }),
  );
  t.is(plan.components[0].config.executeTimeoutMs, 2 ** 31 - 1);
});

test('a tick may get its interval where the bolt is added', (t) => {
  const bolt = defineBolt({ execute() {}, tick() {} });
  const build = (config?: unknown) => begin('test').spout('lines', lines).bolt('x', bolt, shuffle, { config });
  t.is(planOf(build({ tickEveryMs: 5 })).components[1].config.tickEveryMs, 5);
  t.deepEqual(mistakesOf(build()), ["bolt 'x': tick: is never called without tickEveryMs; add it"]);
});

test('the settings of a component are checked', (t) => {
  const plain = anyBolt({ execute() {} });
  const flushing = anyBolt({ execute() {}, flush() {} });
  const source = anySpout({ output: {}, replay: 'source', open() {} });
  const wrong: readonly (readonly [unknown, unknown, RegExp])[] = [
    [lines, 3, /^spout 'x': config: expected an object with maxSpoutPending, .*retry, found 3/],
    [lines, { lingerMs: -1 }, /^spout 'x': config\.lingerMs: expected an integer from 0 to 1000, found -1/],
    [lines, { lingerMS: 1 }, /^spout 'x': config: there is no option 'lingerMS' \(did you mean 'lingerMs'\?\)/],
    [lines, { tickEveryMs: 5 }, /there is no option 'tickEveryMs'; the options are .*, retry$/],
    [lines, { retry: { attempts: 0 } }, /config\.retry\.attempts: expected an integer from 1 to 1000, or Infinity/],
    [lines, { retry: { backof: {} } }, /config\.retry: there is no option 'backof' \(did you mean 'backoff'\?\)/],
    [source, { retry: {} }, /config\.retry: the spout has replay: 'source', where the source decides/],
    [sink, { messageTimeoutMs: 99 }, /^bolt 'x': config\.messageTimeoutMs: expected an integer from 100/],
    [sink, { concurrency: 0 }, /config\.concurrency: expected an integer from 1 to 1024, found 0/],
    [sink, { executeTimeoutMs: 0.5 }, /config\.executeTimeoutMs: expected an integer from 1/],
    [plain, { tickEveryMs: 5 }, /^bolt 'x': tickEveryMs: there is no tick\(out\) to call; add it/],
    [plain, { tickEveryMs: '5' }, /config\.tickEveryMs: expected an integer from 1 .* found '5'/],
    [flushing, { concurrency: 2 }, /^bolt 'x': flush beside concurrency: 2; remove one of them/],
  ];
  for (const [component, config, expected] of wrong) {
    const begun = begin('test').spout('lines', lines);
    const isSpout = (component as { kind: string }).kind === 'spout';
    const built = isSpout ? begun.spout('x', component, { config }) : begun.bolt('x', component, shuffle, { config });
    const [mistake, ...more] = mistakesOf(built);
    t.regex(mistake ?? '', expected);
    t.deepEqual(more, [], mistake);
  }
});
