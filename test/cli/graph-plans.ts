/** Plans of topologies for the pictures: made by hand, and at random. */
import fc from 'fast-check';
import type {
  BoltDefinition,
  ComponentPlan,
  EdgePlan,
  GroupingSpec,
  SpoutDefinition,
  StreamDeclaration,
  TopologyPlan,
} from '../../core/topology/definition.js';
import { t } from '../../core/topology/fields.js';

const RETRY = { attempts: 10, backoff: { firstMs: 0, maxMs: 10_000 } };
const CONFIG = { maxSpoutPending: 8192, messageTimeoutMs: 30_000, lingerMs: 1 };

export interface Sketch {
  readonly name: string;
  readonly tasks?: number;
  readonly streams?: readonly StreamDeclaration[];
  /** left out: a spout's; a bolt has at least this */
  readonly bolt?: Partial<BoltDefinition>;
  readonly spout?: Partial<SpoutDefinition>;
}

export interface EdgeSketch {
  readonly from: string;
  readonly to: string;
  readonly stream?: string;
  readonly input?: string;
  readonly grouping?: GroupingSpec;
  readonly feedback?: boolean;
}

export function stream(name: string, fields: readonly string[], direct = false): StreamDeclaration {
  return { name, fields: fields.map((field) => ({ name: field, type: t.string })), direct };
}

export function planFrom(
  name: string,
  sketches: readonly Sketch[],
  edgeSketches: readonly EdgeSketch[],
  cycles: readonly (readonly string[])[] = [],
): TopologyPlan {
  const edges = edgeSketches.map(({ from, to, ...edge }, index): EdgePlan => {
    const declared = sketches.find((sketch) => sketch.name === from)?.streams ?? [];
    return {
      index,
      source: from,
      stream: declared.find((each) => each.name === (edge.stream ?? 'default')) ?? declared[0],
      target: to,
      input: edge.input ?? 'default',
      grouping: edge.grouping ?? { kind: 'shuffle' },
      feedback: edge.feedback ?? false,
    };
  });
  let firstTask = 1;
  const components = sketches.map((sketch, index): ComponentPlan => {
    const { name, tasks = 1 } = sketch;
    const definition = definitionOf(sketch);
    const cycle = cycles.findIndex((names) => names.includes(name));
    const component: ComponentPlan = {
      name,
      index,
      definition,
      firstTask,
      tasks,
      inputs: edges.filter(({ target }) => target === name),
      outputs: edges.filter(({ source }) => source === name),
      cycle: cycle < 0 ? undefined : cycle,
      config: {
        ...CONFIG,
        tickEveryMs: definition.kind === 'bolt' ? definition.tickEveryMs : undefined,
        executeTimeoutMs: CONFIG.messageTimeoutMs * 10,
        concurrency: definition.kind === 'bolt' ? definition.concurrency : 1,
        retry: definition.kind === 'spout' ? definition.retry : RETRY,
      },
    };
    firstTask += tasks;
    return component;
  });
  return { name, components, edges, cycles, config: CONFIG, hash: 0xc0ffee };
}

function definitionOf({ bolt, spout, streams = [] }: Sketch): BoltDefinition | SpoutDefinition {
  const never = () => {
    throw new Error('a picture opens nothing');
  };
  if (bolt === undefined) return { kind: 'spout', streams, retry: RETRY, replay: 'squall', open: never, ...spout };
  return {
    kind: 'bolt',
    streams,
    inputs: [{ name: 'default', fields: undefined }],
    tickEveryMs: undefined,
    executeTimeoutMs: undefined,
    ack: 'auto',
    concurrency: 1,
    keepsState: false,
    prepare: never,
    ...bolt,
  };
}

const nameOf = fc.stringMatching(/^[A-Za-z0-9-][A-Za-z0-9_-]{0,20}$/);
/** Whatever JavaScript takes for a key: quotes, brackets, line ends, half characters. */
const fieldName = fc.oneof(
  fc.constantFrom(
    '"',
    '\\',
    '#quot;',
    '`x`',
    '&lt;',
    '<br/>',
    'a"]\n  c0 --> c1',
    '\\N',
    '|',
    'end',
    '**b**',
    '%%',
    '\ud800',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
);
const keys = fc.uniqueArray(fieldName, { minLength: 1, maxLength: 3 });
const grouping: fc.Arbitrary<GroupingSpec> = fc.oneof(
  fc.constantFrom<GroupingSpec>(
    { kind: 'shuffle' },
    { kind: 'all' },
    { kind: 'global' },
    { kind: 'none' },
    { kind: 'direct' },
    { kind: 'localOrShuffle' },
    { kind: 'custom', choose: () => 0 },
  ),
  keys.map((each): GroupingSpec => ({ kind: 'fields', keys: each })),
  keys.map((each): GroupingSpec => ({ kind: 'partialKey', keys: each })),
);

/** Any plan: components in any order, edges between any of them, back ones as feedback. */
export const anyPlan: fc.Arbitrary<TopologyPlan> = fc
  .uniqueArray(nameOf, { minLength: 1, maxLength: 7 })
  .chain((names) =>
    fc.record({
      names: fc.constant(names),
      spouts: fc.integer({ min: 1, max: names.length }),
      parts: fc.array(
        fc.record({
          tasks: fc.integer({ min: 1, max: 12 }),
          fields: keys,
          bolt: fc.record({
            ack: fc.constantFrom('auto' as const, 'manual' as const),
            concurrency: fc.constantFrom(1, 4),
            keepsState: fc.boolean(),
            tickEveryMs: fc.constantFrom(undefined, 5000),
          }),
          spout: fc.record({ replay: fc.constantFrom('squall' as const, 'source' as const) }),
        }),
        { minLength: names.length, maxLength: names.length },
      ),
      edges: fc.array(
        fc.record({
          from: fc.nat(),
          to: fc.nat(),
          errors: fc.boolean(),
          input: fc.constantFrom(undefined, 'tx'),
          grouping,
        }),
        { maxLength: 10 },
      ),
      order: fc.shuffledSubarray([...names.keys()], { minLength: names.length }),
    }),
  )
  .map(({ names, spouts, parts, edges, order }) => {
    const sketches = names.map((name, at): Sketch => {
      const streams = [stream('default', parts[at].fields), stream('errors', ['text'])];
      const { tasks, bolt, spout } = parts[at];
      return at < spouts ? { name, tasks, streams, spout } : { name, tasks, streams, bolt };
    });
    const bolts = names.length - spouts;
    const drawn = bolts === 0 ? [] : edges;
    return planFrom(
      'any',
      order.map((at) => sketches[at]),
      drawn.map(({ from, to, errors, ...edge }): EdgeSketch => {
        const source = from % names.length;
        const target = spouts + (to % bolts);
        const stream = errors ? 'errors' : 'default';
        return { ...edge, from: names[source], to: names[target], stream, feedback: target <= source };
      }),
    );
  });

/** Two spouts into a join by hand, a cycle, a stream of errors, a direct one and an odd field name. */
export const fraud = planFrom(
  'fraud',
  [
    { name: 'log', bolt: {} },
    { name: 'transactions', streams: [stream('default', ['card', 'the "amount"'])] },
    { name: 'profiles', streams: [stream('default', ['card'])], spout: { replay: 'source' } },
    {
      name: 'join',
      tasks: 2,
      streams: [stream('default', ['card']), stream('errors', ['text']), stream('late', ['card'], true)],
      bolt: { ack: 'manual', keepsState: true },
    },
    { name: 'later', tasks: 3, streams: [stream('default', ['card'])], bolt: { tickEveryMs: 5000, concurrency: 8 } },
  ],
  [
    { from: 'transactions', to: 'join', input: 'tx', grouping: { kind: 'fields', keys: ['card', 'the "amount"'] } },
    { from: 'profiles', to: 'join', input: 'profile', grouping: { kind: 'fields', keys: ['card'] } },
    { from: 'join', to: 'log', stream: 'errors', grouping: { kind: 'global' } },
    { from: 'join', to: 'later', stream: 'late', grouping: { kind: 'direct' } },
    { from: 'later', to: 'join', input: 'tx', feedback: true },
  ],
  [['join', 'later']],
);

export const wordCount = planFrom(
  'word-count',
  [
    { name: 'lines', streams: [stream('default', ['line'])] },
    { name: 'split', tasks: 2, streams: [stream('default', ['word'])], bolt: {} },
    { name: 'count', tasks: 2, streams: [stream('default', ['word', 'count'])], bolt: { keepsState: true } },
    { name: 'sink', bolt: {} },
  ],
  [
    { from: 'lines', to: 'split' },
    { from: 'split', to: 'count', grouping: { kind: 'fields', keys: ['word'] } },
    { from: 'count', to: 'sink', grouping: { kind: 'global' } },
  ],
);
