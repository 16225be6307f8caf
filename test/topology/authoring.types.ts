/**
 * The types of the authoring layer, checked by compiling this file: what must compile, and one `@ts-expect-error` for
 * each mistake that must not. What the errors say is tested in `compile-errors.test.ts`.
 */
import {
  type BoltComponent,
  defineBolt,
  defineSpout,
  direct,
  type NamedInputs,
  type SpoutComponent,
  spoutFrom,
  type Topology,
  type TopologyBuilder,
  type Tuple,
  t,
  topology,
  withParameters,
} from '../../core/index.js';
import type { StandardSchema } from '../../core/topology/fields.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const expect = <_T extends true>() => {};

// The example of the guide, with stand-ins for the ready-made components.

declare const fileSpout: (options: { path: string }) => SpoutComponent<{ default: { line: string } }>;
declare const linesSink: (options: { path: string }) => BoltComponent<Record<string, unknown>, Record<never, never>>;

const split = defineBolt({
  input: { line: t.string },
  output: { word: t.string },
  execute({ values }, out) {
    for (const word of values.line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) out.emit({ word });
  },
});

const count = defineBolt({
  input: { word: t.string },
  output: { word: t.string, count: t.number },
  prepare() {
    const counts = new Map<string, number>();
    return {
      execute({ values: { word } }) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
      },
      end(out) {
        for (const [word, count] of counts) out.emit({ word, count });
      },
    };
  },
});

const wordCount = ({ input = 'node_modules/**/*.md', output = 'counts.tsv' } = {}) =>
  topology('word-count')
    .spout('lines', fileSpout({ path: input }))
    .bolt('split', split, (from) => from.shuffle('lines'), { tasks: 2 })
    .bolt('count', count, (from) => from.fields('split', ['word']), { tasks: 2 })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('count'))
    .config({ maxSpoutPending: 8192, messageTimeoutMs: 30_000 });

wordCount() satisfies Topology;
expect<Equal<typeof count, BoltComponent<{ word: string }, { readonly default: { word: string; count: number } }>>>();

// Values have the declared types, in every kind of field.

declare const schema: StandardSchema<{ amount: number }>;
const kinds = {
  string: t.string,
  number: t.number,
  bigint: t.bigint,
  boolean: t.boolean,
  bytes: t.bytes,
  date: t.date,
  json: t.json<{ side: 'buy' | 'sell'; tags: string[] }>(),
  unknown: t.json(),
  maybe: t.nullable(t.date),
  maybeSchema: t.nullable(schema),
  schema,
};
interface KindValues {
  string: string;
  number: number;
  bigint: bigint;
  boolean: boolean;
  bytes: Uint8Array;
  date: Date;
  json: { side: 'buy' | 'sell'; tags: string[] };
  unknown: unknown;
  maybe: Date | null;
  maybeSchema: { amount: number } | null;
  schema: { amount: number };
}
defineBolt({
  input: kinds,
  output: kinds,
  execute(tuple, out) {
    expect<
      Equal<{ [K in keyof typeof tuple.values]: (typeof tuple.values)[K] }, { [K in keyof KindValues]: KindValues[K] }>
    >();
    out.emit(tuple.values);
    out.emit({ ...tuple.values, json: { side: 'buy', tags: ['a'] }, maybe: null });
    // @ts-expect-error: not one of the declared literals
    out.emit({ ...tuple.values, json: { side: 'hold', tags: [] } });
  },
});
defineBolt({ input: { x: t.any }, execute: ({ values }) => void values.x.y.z });

// Streams, and the forms that hooks may have.

defineSpout({
  output: { n: t.number },
  streams: { errors: { text: t.string } },
  retry: { backoff: { firstMs: 5 } },
  open(context) {
    let n = Number(context.position ?? 0);
    return {
      next(out) {
        if (n === 1000) return 'done';
        out.emit({ n }, { id: n, position: n + 1 });
        out.emit({ text: 'odd' }, { stream: 'errors' });
        out.emit({ n }, { stream: 'default' });
        n += 1;
        return;
      },
      ack(id) {
        expect<Equal<typeof id, string | number | bigint>>();
      },
      fail(_id, failure) {
        expect<Equal<typeof failure.attempts, number>>();
      },
    };
  },
});
defineSpout({ output: { n: t.number }, open: async () => ({ next: async (out) => out.emit({ n: 1 }) }) });
defineBolt({
  input: { n: t.number },
  output: { n: t.number },
  tickEveryMs: 10,
  executeTimeoutMs: 100,
  keepsState: true,
  async execute(tuple: Tuple<{ n: number }>, out) {
    out.emit({ n: tuple.values.n });
  },
  tick: (out) => out.emit({ n: 0 }),
  end: async (out) => out.emit({ n: -1 }),
  cleanup() {},
});
defineBolt({
  input: { n: t.number },
  output: { n: t.number },
  prepare: async (context) => ({ execute: ({ values }, out) => out.emit({ n: values.n + context.task }), flush() {} }),
});
const feed = spoutFrom({ output: { side: t.json<'buy' | 'sell'>() } }, async function* (context) {
  while (!context.signal.aborted) yield { side: 'buy' };
});
expect<Equal<typeof feed, SpoutComponent<{ readonly default: { side: 'buy' | 'sell' } }>>>();
spoutFrom({ output: { n: t.number }, retry: { attempts: 3 } }, function* () {
  for (let n = 0; n < 10; n += 1) yield { n };
});
spoutFrom({ output: { n: t.number } }, () => [{ n: 1 }]);

// What a bolt takes may be less and wider than what the stream carries, and one definition may be used twice.

const rows = spoutFrom({ output: { a: t.string, b: t.number } }, () => []);
const failing = defineBolt({ input: { a: t.string }, streams: { errors: { text: t.string } }, execute() {} });
const base = topology('base')
  .spout('rows', rows)
  .spout('more-rows', rows)
  .bolt('failing', failing, (from) => from.all('rows'));
base
  .bolt('b', defineBolt({ input: { b: t.nullable(t.number) }, execute() {} }), (from) => from.shuffle('rows'))
  .bolt('log', defineBolt({ input: { text: t.string }, execute() {} }), (from) =>
    from.global('failing', { stream: 'errors' }),
  )
  .bolt('keyed', failing, (from) => from.fields('rows', ['a', 'b'], { stream: 'default' }));

// Each of these is an error.

// @ts-expect-error: no such source
base.bolt('x', failing, (from) => from.shuffle('row'));
// @ts-expect-error: not declared yet
base.bolt('x', failing, (from) => from.shuffle('x'));
// @ts-expect-error: no such stream
base.bolt('x', failing, (from) => from.shuffle('failing', { stream: 'error' }));
// @ts-expect-error: declares named streams only
base.bolt('x', failing, (from) => from.shuffle('failing'));
// @ts-expect-error: no such field
base.bolt('x', failing, (from) => from.fields('rows', ['a', 'c']));
// @ts-expect-error: no such field in that stream
base.bolt('x', linesSink({ path: '' }), (from) => from.fields('failing', ['a'], { stream: 'errors' }));
// @ts-expect-error: the stream does not carry `word`
base.bolt('x', count, (from) => from.shuffle('rows'));
// @ts-expect-error: the stream carries `b` as number
base.bolt('x', defineBolt({ input: { b: t.string }, execute() {} }), (from) => from.shuffle('rows'));
// @ts-expect-error: the stream carries null too
base.spout('n', feedOfNull()).bolt('x', failing, (from) => from.shuffle('n'));
// @ts-expect-error: no edge
base.bolt('x', failing, () => 'rows');
// @ts-expect-error: no input
base.bolt('x', failing);
// @ts-expect-error: the name is taken
base.bolt('rows', failing, (from) => from.shuffle('rows'));
// @ts-expect-error: the name is taken
base.spout('failing', rows);
// @ts-expect-error: no spout
base.spout('x', failing);
// @ts-expect-error: no bolt
base.bolt('x', rows, (from) => from.shuffle('rows'));
// @ts-expect-error: unknown option
base.spout('x', rows, { task: 2 });
// @ts-expect-error: unknown setting
base.config({ maxPending: 3 });

function feedOfNull() {
  return spoutFrom({ output: { a: t.nullable(t.string) } }, () => [{ a: null }]);
}

defineBolt({
  output: { word: t.string },
  streams: { errors: { text: t.string } },
  execute(_tuple, out) {
    // @ts-expect-error: undeclared field
    out.emit({ word: '', wrod: '' });
    // @ts-expect-error: a field is missing
    out.emit({});
    // @ts-expect-error: wrong type
    out.emit({ word: 1 });
    // @ts-expect-error: undeclared stream
    out.emit({ text: '' }, { stream: 'error' });
    // @ts-expect-error: fields of another stream
    out.emit({ word: '' }, { stream: 'errors' });
    // @ts-expect-error: only spouts' tuples have ids
    out.emit({ word: '' }, { id: 1 });
  },
});
// @ts-expect-error: nothing is declared
defineBolt({ execute: (_tuple, out) => out.emit({ word: '' }) });
// @ts-expect-error: input has no such field
defineBolt({ input: { word: t.string }, execute: ({ values }) => void values.wrod });
// @ts-expect-error: a name is no type
defineBolt({ input: { word: 'string' }, execute() {} });
// @ts-expect-error: unknown option
defineBolt({ input: { word: t.string }, concurency: 2, execute() {} });
// @ts-expect-error: either, not both
defineBolt({ execute() {}, prepare: () => ({ execute() {} }) });
// @ts-expect-error: neither
defineBolt({ input: { word: t.string } });
// @ts-expect-error: output is missing
defineSpout({ open: () => ({ next() {} }) });
// @ts-expect-error: undeclared field
spoutFrom({ output: { n: t.number } }, () => [{ n: 1, m: 2 }]);
spoutFrom({ output: { n: t.number } }, async function* () {
  yield JSON.parse('{"n":1}');
});
// @ts-expect-error: wrong type
spoutFrom({ output: { n: t.number } }, function* () {
  yield { n: '1' };
});

// Named inputs, manual acks, direct streams, cycles.

const transactions = spoutFrom({ output: { card: t.string, cents: t.number } }, () => []);
const profiles = spoutFrom({ output: { card: t.string, limit: t.number } }, () => []);
const join = defineBolt({
  inputs: { tx: { card: t.string, cents: t.number }, profile: { card: t.string, limit: t.number } },
  output: { card: t.string },
  streams: { errors: { text: t.string }, routed: direct({ cents: t.number }) },
  ack: 'manual',
  concurrency: 4,
  prepare: (context) => ({
    async execute(tuple, out) {
      expect<Equal<typeof tuple.input, 'tx' | 'profile'>>();
      if (tuple.input === 'tx') {
        expect<Equal<typeof tuple.values.cents, number>>();
        out.emit({ card: tuple.values.card }, { anchors: [tuple] });
        out.emit({ text: '' }, { stream: 'errors', anchors: [] });
        out.emitDirect(context.tasksOf('audit')[0], { cents: 1 }, { stream: 'routed', anchors: [tuple, tuple] });
        out.ack(tuple);
        // @ts-expect-error: a field of the other input
        void tuple.values.limit;
      } else {
        expect<Equal<typeof tuple.values.limit, number>>();
        out.fail(tuple, 'no such card');
        out.fail(tuple, new Error('no such card'));
      }
      await out.ready();
      // @ts-expect-error: a field that only one of the inputs has
      void tuple.values.cents;
      // @ts-expect-error: neither an error nor a text
      out.fail(tuple, 3);
    },
    tick: (out) => out.emit({ card: '' }),
  }),
});
expect<
  Equal<
    typeof join extends BoltComponent<infer I, infer S> ? [I, keyof S] : never,
    [
      NamedInputs<{
        readonly tx: { card: string; cents: number };
        readonly profile: { card: string; limit: number };
      }>,
      'default' | 'errors' | 'routed',
    ]
  >
>();
const charge = defineBolt({
  input: { card: t.string },
  output: { card: t.string, cents: t.number },
  execute(tuple, out) {
    expect<Equal<typeof tuple.input, 'default'>>();
    out.emit({ card: tuple.values.card, cents: 1 });
  },
});
const fraud = topology('fraud')
  .spout('transactions', transactions, { config: { maxSpoutPending: 3, retry: { attempts: Infinity } } })
  .spout('profiles', profiles)
  .bolt('join', join, (from) => ({
    tx: from.fields('transactions', ['card']),
    profile: [from.fields('profiles', ['card'])],
  }))
  .bolt('charge', charge, (from) => [from.shuffle('join'), from.partialKey('profiles', ['card'])], {
    tasks: 2,
    config: { concurrency: 3, executeTimeoutMs: 5, tickEveryMs: 5, retry: { backoff: { maxMs: 5 } } },
  })
  .bolt('audit', defineBolt({ input: { cents: t.number }, execute() {} }), (from) =>
    from.direct('join', { stream: 'routed' }),
  )
  .bolt('log', linesSink({ path: '' }), (from) => [
    from.shuffle('join', { stream: 'errors' }),
    from.none('charge'),
    from.localOrShuffle('profiles'),
    from.custom('transactions', ({ cents }, tasks) => cents % tasks),
    from.direct('join', { stream: 'routed' }),
  ])
  .feedback('join', (from) => ({ tx: from.shuffle('charge') }))
  .feedback('charge', (from) => [from.shuffle('join'), from.all('charge')])
  .config({ lingerMs: 2 });
fraud satisfies Topology;
// A function of one's own goes on with any topology that has what it needs.
const logged = <C extends { readonly join: { readonly default: { card: string } } }>(begun: TopologyBuilder<C>) =>
  begun;
logged(fraud);
fraud
  // a component after .feedback can take from all before
  .bolt('later', charge, (from) => from.custom('join', () => [0, 1], { stream: 'default' }))
  .feedback('charge', (from) => from.shuffle('later'));
// @ts-expect-error: an index is a number
fraud.bolt('x', charge, (from) => from.custom('join', ({ card }) => card));
// @ts-expect-error: of the inputs one is missing
fraud.bolt('x', join, (from) => ({ tx: from.shuffle('transactions') }));
// @ts-expect-error: too many inputs
fraud.bolt('x', charge, (from) => ({ default: from.shuffle('transactions') }));
// what comes to tx, .feedback brings
fraud.bolt('x', join, (from) => ({ tx: [], profile: from.shuffle('profiles') }));
// @ts-expect-error: not declared yet
fraud.feedback('later', (from) => from.shuffle('join'));
// @ts-expect-error: the stream does not carry `limit`
fraud.feedback('join', (from) => ({ profile: from.shuffle('charge') }));
// @ts-expect-error: a setting of bolts
fraud.spout('x', profiles, { config: { concurrency: 2 } });

defineSpout({
  output: direct({ n: t.number }),
  replay: 'source',
  open: (context) => ({
    async next(out) {
      out.emitDirect(context.tasksOf('x')[0], { n: 1 }, { id: 1, position: 2 });
      await out.ready();
      // @ts-expect-error: the stream is direct
      out.emit({ n: 1 });
      // @ts-expect-error: wrong type
      out.emitDirect(1, { n: '1' });
    },
  }),
});
// @ts-expect-error: no such way to replay
defineSpout({ output: {}, replay: 'never', open: () => ({ next() {} }) });
// @ts-expect-error: a generator names no task
spoutFrom({ output: direct({ n: t.number }) }, () => []);
// @ts-expect-error: an input is no stream
defineBolt({ input: direct({ n: t.number }), execute() {} });
// @ts-expect-error: no such way to ack
defineBolt({ ack: 'never', execute() {} });
// @ts-expect-error: Squall acks
defineBolt({ execute: (tuple, out) => out.fail(tuple) });

// Parameters are strings.

withParameters(wordCount);
withParameters(async ({ path }: { path?: string }) => topology(path ?? 'x'));
// @ts-expect-error: a number
withParameters(({ tasks = 2 } = {}) => topology(`x${tasks}`));
// @ts-expect-error: a boolean
withParameters(({ debug }: { debug?: boolean }) => topology(debug ? 'x' : 'y'));
// @ts-expect-error: no topology
withParameters(({ path = '' } = {}) => path);
