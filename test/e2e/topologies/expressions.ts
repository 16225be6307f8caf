// Nearly everything that can be said: two spouts joined on several anchors, several inputs and sources, an edge back,
// questions and answers on direct streams, every grouping, ticks and end. What comes out depends on the input only.
import type { Tuple } from 'squall';
import { defineBolt, defineSpout, direct, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

export const KEYS = 7;

const order = { id: t.number, key: t.string };
const text = { text: t.string };

/** Orders `0 … count − 1`, dealt round the tasks. */
const orders = (count: number) =>
  defineSpout({
    output: order,
    open({ index, tasks }) {
      let id = index;
      return {
        next(out) {
          if (id >= count) return 'done';
          // one key of two is the same: a hot one
          out.emit({ id, key: id % 2 === 0 ? 'hot' : `key${id % KEYS}` }, { id });
          id += tasks;
          return;
        },
      };
    },
  });

/** Each key once, with the number of its orders. */
const profiles = (count: number) =>
  defineSpout({
    output: { key: t.string, orders: t.number },
    open() {
      const sizes = new Map<string, number>();
      for (let id = 0; id < count; id++) {
        const key = id % 2 === 0 ? 'hot' : `key${id % KEYS}`;
        sizes.set(key, (sizes.get(key) ?? 0) + 1);
      }
      const all = [...sizes];
      return {
        next(out) {
          const next = all.shift();
          if (next === undefined) return 'done';
          out.emit({ key: next[0], orders: next[1] }, { id: next[0] });
          return;
        },
      };
    },
  });

/** Each order with its profile, anchored to both; a profile is complete when all its orders have come. */
const join = defineBolt({
  inputs: { order, profile: { key: t.string, orders: t.number } },
  output: { id: t.number, key: t.string, laps: t.number },
  ack: 'manual',
  prepare() {
    const known = new Map<string, { readonly tuple: Tuple<object>; left: number }>();
    const waiting = new Map<string, Tuple<{ id: number; key: string }>[]>();
    return {
      execute(tuple, out) {
        const { key } = tuple.values;
        const join = (one: Tuple<{ id: number; key: string }>): void => {
          const profile = known.get(key);
          if (profile === undefined) return;
          const { id } = one.values;
          out.emit({ id, key, laps: id % 3 }, { anchors: [profile.tuple, one] });
          out.ack(one);
          profile.left -= 1;
          if (profile.left === 0) out.ack(profile.tuple);
        };
        if (tuple.input === 'profile') {
          known.set(key, { tuple, left: tuple.values.orders });
          for (const one of waiting.get(key) ?? []) join(one);
          waiting.delete(key);
        } else if (known.has(key)) join(tuple);
        else waiting.set(key, [...(waiting.get(key) ?? []), tuple]);
      },
    };
  },
});

/** An order goes round as often as it says. */
const laps = defineBolt({
  inputs: { start: { id: t.number, laps: t.number }, again: { id: t.number, laps: t.number } },
  output: { id: t.number },
  streams: { lap: { id: t.number, laps: t.number }, log: text },
  execute({ values: { id, laps } }, out) {
    if (laps === 0) out.emit({ id });
    else out.emit({ id, laps: laps - 1 }, { stream: 'lap' });
    out.emit({ text: `lap ${id} ${laps}` }, { stream: 'log' });
  },
});

/** Asks the oracle's task that the id says, and takes the answer that comes back to this very task. */
const ask = defineBolt({
  inputs: { question: { id: t.number }, answer: { id: t.number, square: t.number } },
  output: text,
  streams: { ask: direct({ id: t.number }) },
  prepare({ tasksOf, task }) {
    const oracles = tasksOf('oracle');
    const asked = new Set<number>();
    return {
      execute(tuple, out) {
        const { id } = tuple.values;
        if (tuple.input === 'question') {
          asked.add(id);
          out.emitDirect(oracles[id % oracles.length], { id }, { stream: 'ask' });
        } else {
          const mine = asked.delete(id) ? 'mine' : `not of ${task}`;
          out.emit({ text: `answer ${id} ${tuple.values.square} ${mine}` });
        }
      },
    };
  },
});

const oracle = defineBolt({
  input: { id: t.number },
  output: direct({ id: t.number, square: t.number }),
  prepare: ({ index, tasks }) => ({
    execute({ values: { id }, task }, out) {
      out.emitDirect(task, { id, square: id % tasks === index ? id * id : -1 });
    },
  }),
});

/** Counts by key in each of two tasks; the sums are put together behind. */
const parts = defineBolt({
  input: { key: t.string },
  output: { key: t.string, count: t.number },
  prepare() {
    const counts = new Map<string, number>();
    return {
      execute: ({ values: { key } }) => void counts.set(key, (counts.get(key) ?? 0) + 1),
      end(out) {
        for (const [key, count] of counts) out.emit({ key, count });
      },
    };
  },
});

const sums = defineBolt({
  input: { key: t.string, count: t.number },
  output: text,
  prepare() {
    const counts = new Map<string, number>();
    return {
      execute: ({ values: { key, count } }) => void counts.set(key, (counts.get(key) ?? 0) + count),
      end(out) {
        for (const [key, count] of counts) out.emit({ text: `sum ${key} ${count}` });
      },
    };
  },
});

/** Every task says at its end how many it got. */
const tally = (what: string) =>
  defineBolt({
    output: text,
    prepare({ index }) {
      let count = 0;
      return {
        execute: () => void count++,
        end: (out) => out.emit({ text: `${what} ${index} ${count}` }),
      };
    },
  });

/** Emits at each tick, and at its end, how many have come since. */
const windows = defineBolt({
  output: { key: t.string, count: t.number },
  tickEveryMs: 20,
  prepare() {
    let count = 0;
    const tell = (out: { emit(values: { key: string; count: number }): void }): void => {
      out.emit({ key: 'ticked', count });
      count = 0;
    };
    return { execute: () => void count++, tick: tell, end: tell };
  },
});

export default ({ name = 'expressions', count = '600', output = 'expressions.tsv' } = {}) =>
  topology(name)
    .spout('orders', orders(Number(count)), { tasks: 2 })
    .spout('profiles', profiles(Number(count)))
    .bolt(
      'join',
      join,
      (from) => ({
        order: from.fields('orders', ['key']),
        profile: from.fields('profiles', ['key']),
      }),
      { tasks: 2 },
    )
    .bolt('laps', laps, (from) => ({ start: from.shuffle('join'), again: [] }))
    .feedback('laps', (from) => ({ again: from.fields('laps', ['id'], { stream: 'lap' }) }))
    .bolt('ask', ask, (from) => ({ question: from.localOrShuffle('laps'), answer: [] }), { tasks: 2 })
    .bolt('oracle', oracle, (from) => from.direct('ask', { stream: 'ask' }), { tasks: 2 })
    .feedback('ask', (from) => ({ answer: from.direct('oracle') }))
    .bolt('parts', parts, (from) => from.partialKey('join', ['key']), { tasks: 2 })
    .bolt('windows', windows, (from) => from.none('join'))
    .bolt('sums', sums, (from) => [from.fields('parts', ['key']), from.fields('windows', ['key'])])
    .bolt('everyone', tally('everyone'), (from) => from.all('orders'), { tasks: 2 })
    .bolt(
      'multiples',
      tally('multiples'),
      (from) =>
        from.custom('orders', ({ id }, tasks) =>
          Array.from({ length: tasks }, (_, n) => n).filter((n) => id % (n + 2) === 0),
        ),
      { tasks: 2 },
    )
    .bolt('sink', linesSink({ path: output }), (from) => [
      from.global('ask'),
      from.global('laps', { stream: 'log' }),
      from.global('sums'),
      from.global('everyone'),
      from.global('multiples'),
    ]);
