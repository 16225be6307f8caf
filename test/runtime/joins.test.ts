import test from 'ava';
import { runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { Tuple } from '../../core/topology/definition.js';
import { t as type } from '../../core/topology/fields.js';
import { defineSpout } from '../../core/topology/spout.js';
import { ReferenceTrees } from './reference-trees.js';

/** Joins of one run: each begins with a tuple of either spout. */
const JOINS = 50;
const RUNS = 200;
/** Nothing fails from this attempt on, so that every run ends. */
const LAST_FAILING_ATTEMPT = 5;

/** mulberry32 (Tommy Ettinger, public domain): enough for choices. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A tuple that the bolt has in its hands: its name in the reference, and the attempts whose trees it belongs to. */
interface InHand {
  readonly tuple: Tuple;
  readonly edge: string;
  readonly attempts: readonly string[];
}

interface Out {
  emit(values: never, options: { anchors: readonly Tuple[]; stream?: never }): void;
  ack(tuple: Tuple): void;
  fail(tuple: Tuple, reason?: string): void;
}

/** One run: components that do with their tuples what a seed says, and tell the reference of it. */
function wildTopology(seed: number) {
  const reference = new ReferenceTrees();
  const random = seeded(seed);
  const upTo = (count: number): number => Math.floor(random() * count);
  let named = 0;

  const spout = (name: string) =>
    defineSpout({
      output: { key: type.number, n: type.number },
      retry: { attempts: Number.POSITIVE_INFINITY, backoff: { firstMs: 0, maxMs: 50 } },
      open() {
        let n = 0;
        return {
          next(out) {
            if (n === JOINS) return 'done';
            // the two sides of a join come in different orders
            const key = name === 'a' ? n : (n * 7) % JOINS;
            out.emit({ key, n: key }, { id: key });
            n += 1;
            return;
          },
          ack: (id) => reference.complete(`${name}:${id}`),
        };
      },
    });

  /** Holds what comes; emits on any of it; acks and fails it at once, later, or in a tick. */
  class Wild {
    readonly #held: InHand[] = [];
    readonly #emits: ((out: Out, attempts: readonly string[], anchors: readonly Tuple[]) => void)[];

    constructor(emits: ((out: Out, attempts: readonly string[], anchors: readonly Tuple[]) => void)[]) {
      this.#emits = emits;
    }

    take(inHand: InHand, out: Out): void {
      this.#held.push(inHand);
      for (let actions = upTo(5); actions > 0; actions--) this.#act(out);
    }

    settleSome(out: Out): void {
      for (let left = 1 + upTo(this.#held.length + 1); left > 0 && this.#held.length > 0; left--) this.#settle(out);
    }

    #act(out: Out): void {
      if (this.#held.length === 0) return;
      if (random() < 0.5 && this.#emits.length > 0) this.#emit(out);
      else this.#settle(out);
    }

    #emit(out: Out): void {
      // some twice, some unanchored
      const anchors = Array.from({ length: upTo(5) }, () => this.#held[upTo(this.#held.length)]);
      const attempts = [...new Set(anchors.flatMap((anchor) => anchor.attempts))];
      this.#emits[upTo(this.#emits.length)](
        out,
        attempts,
        anchors.map(({ tuple }) => tuple),
      );
    }

    #settle(out: Out): void {
      const [{ tuple, edge, attempts }] = this.#held.splice(upTo(this.#held.length), 1);
      if (random() < 0.04 && tuple.attempt <= LAST_FAILING_ATTEMPT) {
        reference.failed(attempts, edge);
        out.fail(tuple, 'the seed says so');
      } else {
        reference.acked(attempts, edge);
        out.ack(tuple);
      }
    }
  }

  const parts = { name: type.number, attempts: type.string };
  const wide = { name: type.number, attempts: type.string };
  const emitTo =
    (edges: (name: number) => string[], stream?: 'wide') =>
    (out: Out, attempts: readonly string[], anchors: readonly Tuple[]): void => {
      const name = named++;
      reference.emitted(attempts, edges(name));
      out.emit({ name, attempts: attempts.join(' ') } as never, {
        anchors,
        ...(stream && { stream: stream as never }),
      });
    };
  const attemptsIn = (text: string): string[] => (text === '' ? [] : text.split(' '));

  const join = defineBolt({
    inputs: { a: { key: type.number, n: type.number }, b: { key: type.number, n: type.number } },
    output: parts,
    streams: { wide },
    ack: 'manual',
    tickEveryMs: 7,
    prepare() {
      const wild = new Wild([
        emitTo((name) => [`${name}@part`]),
        emitTo((name) => [`${name}@last0`, `${name}@last1`], 'wide'),
      ]);
      return {
        execute(tuple, out) {
          const attempt = `${tuple.input}:${tuple.values.n}#${tuple.attempt}`;
          reference.begun(attempt, [`${attempt}@join`, `${attempt}@audit`]);
          wild.take({ tuple, edge: `${attempt}@join`, attempts: [attempt] }, out as unknown as Out);
        },
        tick: (out) => wild.settleSome(out as unknown as Out),
      };
    },
  });
  const audit = defineBolt({
    input: { n: type.number },
    execute({ source, values, attempt }) {
      const name = `${source}:${values.n}#${attempt}`;
      reference.begun(name, [`${name}@join`, `${name}@audit`]);
      reference.acked([name], `${name}@audit`);
    },
  });
  const part = defineBolt({
    input: parts,
    streams: { wide },
    ack: 'manual',
    tickEveryMs: 11,
    prepare() {
      const wild = new Wild([emitTo((name) => [`${name}@last0`, `${name}@last1`], 'wide')]);
      return {
        execute(tuple, out) {
          const { name, attempts } = tuple.values;
          wild.take({ tuple, edge: `${name}@part`, attempts: attemptsIn(attempts) }, out as unknown as Out);
        },
        tick: (out) => wild.settleSome(out as unknown as Out),
      };
    },
  });
  const last = defineBolt({
    input: wide,
    ack: 'manual',
    tickEveryMs: 13,
    prepare({ index }) {
      const wild = new Wild([]);
      return {
        execute(tuple, out) {
          const { name, attempts } = tuple.values;
          wild.take({ tuple, edge: `${name}@last${index}`, attempts: attemptsIn(attempts) }, out as unknown as Out);
        },
        tick: (out) => wild.settleSome(out as unknown as Out),
      };
    },
  });

  const made = topology('wild')
    .spout('a', spout('a'))
    .spout('b', spout('b'))
    .bolt('join', join, (from) => ({ a: from.fields('a', ['key']), b: from.fields('b', ['key']) }), { tasks: 3 })
    .bolt('audit', audit, (from) => [from.shuffle('a'), from.shuffle('b')])
    .bolt('part', part, (from) => from.shuffle('join'), { tasks: 2 })
    .bolt('last', last, (from) => [from.all('join', { stream: 'wide' }), from.all('part', { stream: 'wide' })], {
      tasks: 2,
    })
    .config({ maxSpoutPending: 2 + upTo(60) });
  return { made, reference };
}

const TUPLES = ['a', 'b'].flatMap((spout) => Array.from({ length: JOINS }, (_, key) => `${spout}:${key}`));

test(`${RUNS * JOINS} random joins: exactly the tuples of which a part failed are sent again, and all are acked once`, async (t) => {
  t.timeout(110_000);
  let attempts = 0;
  let failed = 0;
  const first = Math.floor(Math.random() * 2 ** 31);
  for (let seed = first; seed < first + RUNS; seed++) {
    const { made, reference } = wildTopology(seed);
    const workers = seed % 2 === 0 ? 1 : 'task';
    try {
      const result = await runLocal(made, { workers, ackers: 1 + (seed % 3), seed });
      const sums = reference.check(TUPLES);
      attempts += sums.attempts;
      failed += sums.failed;
      for (const { replays, acked, deadLettered } of Object.values(result.spouts)) {
        t.is(acked, JOINS);
        t.is(deadLettered, 0);
        t.is(replays.timeout, 0);
      }
      t.is(result.spouts.a.replays.failed + result.spouts.b.replays.failed, sums.failed);
      t.is(result.status, 'completed');
      t.is(result.balance.inFlight, 0);
      t.is(result.balance.mismatches, 0);
    } catch (error) {
      t.fail(`seed ${seed}: ${(error as Error).stack}`);
      return;
    }
  }
  t.log(`${attempts} attempts, ${failed} of them failed; seeds from ${first}`);
  t.true(failed > RUNS, 'a test in which little fails shows little');
});
