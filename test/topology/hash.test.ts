import test from 'ava';
import { defineBolt, direct, t as type } from '../../core/index.js';
import { planOf } from '../../core/topology/plan.js';
import { type AnyFrom, anyBolt, anySpout, begin, pass, shuffle } from './javascript.js';

/** A topology of a spout and a bolt, with the changes that `change` asks for. */
function hash(change: Record<string, unknown> = {}): number {
  const { name = 'test', spout = {}, bolt = {}, edge = shuffle, tasks = 1, config = {} } = change;
  const spoutOptions = { output: { line: type.string, n: type.number }, open() {}, ...(spout as object) };
  const boltOptions = { input: { line: type.string }, execute() {}, ...(bolt as object) };
  return planOf(
    begin(name)
      .spout('lines', anySpout(spoutOptions), { config: change.spoutConfig })
      .bolt('sink', anyBolt(boltOptions), edge, { tasks, config: change.boltConfig })
      .config(config),
  ).hash;
}

test('the hash is the same for the same structure, and another for each change of it', (t) => {
  const tick = { tickEveryMs: 5, tick() {} };
  const named = { input: undefined, inputs: { a: { line: type.string }, b: {} } };
  const two = (from: AnyFrom) => ({ a: from.shuffle('lines'), b: from.shuffle('lines') });
  const hashes = [
    hash(),
    hash({ name: 'test2' }),
    hash({ tasks: 2 }),
    hash({ config: { lingerMs: 2 } }),
    hash({ config: { maxSpoutPending: 2 } }),
    hash({ config: { messageTimeoutMs: 200 } }),
    hash({ spoutConfig: { maxSpoutPending: 2 } }),
    hash({ spoutConfig: { retry: { attempts: 3 } } }),
    hash({ spout: { output: { n: type.number, line: type.string } } }),
    hash({ spout: { output: { line: type.string, n: type.nullable(type.number) } } }),
    hash({ spout: { streams: { errors: {} } } }),
    hash({ spout: { streams: { errors: direct({}) } } }),
    hash({ spout: { retry: { attempts: 2 } } }),
    hash({ spout: { retry: { attempts: Number.POSITIVE_INFINITY } } }),
    hash({ spout: { replay: 'source' } }),
    hash({ bolt: { input: undefined } }),
    hash({ bolt: { output: {} } }),
    hash({ bolt: { keepsState: true } }),
    hash({ bolt: { executeTimeoutMs: 5 } }),
    hash({ bolt: tick }),
    hash({ bolt: tick, boltConfig: { tickEveryMs: 6 } }),
    hash({ bolt: { ack: 'manual' } }),
    hash({ bolt: { concurrency: 2 } }),
    hash({ bolt: named, edge: two }),
    hash({ bolt: { ...named, inputs: { c: { line: type.string }, b: {} } }, edge: renamed }),
    hash({ edge: (from: AnyFrom) => from.global('lines') }),
    hash({ edge: (from: AnyFrom) => from.none('lines') }),
    hash({ edge: (from: AnyFrom) => from.custom('lines', () => 0) }),
    hash({ edge: (from: AnyFrom) => from.fields('lines', ['line']) }),
    hash({ edge: (from: AnyFrom) => from.partialKey('lines', ['line']) }),
    hash({ edge: (from: AnyFrom) => from.fields('lines', ['line', 'n']) }),
  ];
  t.is(new Set(hashes).size, hashes.length);
  t.true(hashes.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32));
});

test('what comes to the same has the same hash: defaults written out, settings moved, other code', (t) => {
  t.is(hash({ config: { lingerMs: 1 } }), hash());
  t.is(hash({ bolt: { ack: 'auto', concurrency: 1 } }), hash());
  t.is(hash({ boltConfig: { concurrency: 2 } }), hash({ bolt: { concurrency: 2 } }));
  t.is(hash({ bolt: { execute: () => 1 } }), hash());
  const custom = (index: number) => hash({ edge: (from: AnyFrom) => from.custom('lines', () => index) });
  t.is(custom(0), custom(1));
});

test('an edge that is declared as feedback makes another hash', (t) => {
  const loop = begin('test').spout('lines', anySpout({ output: {}, open() {} }));
  const after = (from: AnyFrom) => from.shuffle('a');
  const together = defineBolt({ inputs: { in: {}, back: {} }, output: {}, execute() {} });
  const one = loop
    .bolt('a', pass, shuffle)
    .bolt('b', pass, after)
    .feedback('a', (from: AnyFrom) => from.shuffle('b'));
  const other = loop
    .bolt('a', pass, shuffle)
    .bolt('b', pass, after)
    .feedback('a', (from: AnyFrom) => from.all('b'));
  const named = loop
    .bolt('a', together, (from: AnyFrom) => ({ in: from.shuffle('lines'), back: from.shuffle('lines') }))
    .bolt('b', pass, after);
  const inputs = ['in', 'back'].map((name) => named.feedback('a', (from: AnyFrom) => ({ [name]: from.shuffle('b') })));
  const hashes = [one, other, named, ...inputs].map((built) => planOf(built).hash);
  t.is(new Set(hashes).size, hashes.length);
});

function renamed(from: AnyFrom): unknown {
  return { c: from.shuffle('lines'), b: from.shuffle('lines') };
}
