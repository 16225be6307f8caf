import test from 'ava';
import { runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { defineSpout } from '../../core/topology/spout.js';
import { NUMBER, numbers, refusalOf, source } from './local-tests.js';

const EMITS = 15_000;
/** Of the default of pending tuples, and of what a link takes before its receiver has said more. */
const PENDING = 8192;

interface Out {
  emit(values: { n: number }, options?: object): void;
  ready(): Promise<void>;
}

/** Emits, and how many of them were under way at most; each tenth waits for room, or none does. */
class Flood {
  most = 0;
  emitted = 0;
  seen = 0;
  readonly #waits: boolean;

  constructor(waits: boolean) {
    this.#waits = waits;
  }
  async run(out: Out, options: (n: number) => object | undefined = () => undefined): Promise<void> {
    for (let n = 0; n < EMITS; n++) {
      if (this.#waits && n % 10 === 0) await out.ready();
      out.emit({ n }, options(n));
      this.emitted += 1;
      this.most = Math.max(this.most, this.emitted - this.seen);
    }
  }
}

const PLACES = ['execute', "execute with ack: 'manual'", 'tick', 'end', 'next', 'next, untracked'] as const;

function flooded(place: (typeof PLACES)[number], flood: Flood) {
  let over = false;
  const spout = defineSpout({
    output: NUMBER,
    open() {
      let n = 0;
      return {
        async next(out) {
          if (place === 'next' || place === 'next, untracked') {
            if (over) return 'done';
            await flood.run(out as never, (id) => (place === 'next' ? { id } : undefined));
            over = true;
            return;
          }
          if (n === 1) return place === 'tick' && !over ? 'idle' : 'done';
          out.emit({ n }, { id: n++ });
          return;
        },
      };
    },
  });
  const auto = defineBolt({
    input: NUMBER,
    output: NUMBER,
    tickEveryMs: 50,
    async execute({ values }, out) {
      if (place === 'execute') await flood.run(out);
      else if (place.startsWith('next')) out.emit(values);
    },
    async tick(out) {
      if (place !== 'tick' || over) return;
      over = true;
      await flood.run(out);
    },
    async end(out) {
      if (place === 'end') await flood.run(out);
    },
  });
  const manual = defineBolt({
    input: NUMBER,
    output: NUMBER,
    ack: 'manual',
    async execute(tuple, out) {
      await flood.run(out);
      out.ack(tuple);
    },
  });
  const counts = defineBolt({ input: NUMBER, execute: () => void flood.seen++ });
  return topology('flood')
    .spout('numbers', spout)
    .bolt('flood', place.includes('manual') ? manual : auto, (from) => from.shuffle('numbers'))
    .bolt('counts', counts, (from) => from.shuffle('flood'));
}

for (const place of PLACES) {
  for (const workers of place === 'execute' ? ([1, 'task'] as const) : (['task'] as const)) {
    test(`out.ready() in ${place} lets what was emitted leave: little is under way at any time, with workers ${workers}`, async (t) => {
      const flood = new Flood(true);
      const result = await runLocal(flooded(place, flood), { workers });
      t.is(result.status, 'completed');
      t.is(flood.seen, EMITS);
      t.true(flood.most <= PENDING + 10, `${flood.most} under way`);
      t.is(result.balance.inFlight, 0);
    });
  }
}

test('without out.ready() all that one execute emits is under way at once', async (t) => {
  const flood = new Flood(false);
  t.is((await runLocal(flooded('execute', flood))).status, 'completed');
  t.is(flood.most, EMITS);
});

// ---- limits ------------------------------------------------------------------------------------------------------

test('a next that emits without end meets a named limit with advice, also where nobody tracks it', async (t) => {
  let refusal: Error | undefined;
  let emits = 0;
  const spout = defineSpout({
    output: NUMBER,
    open: () => ({
      next(out) {
        if (refusal !== undefined) return 'done';
        refusal = refusalOf(() => {
          for (; ; emits++) out.emit({ n: emits });
        });
        return;
      },
    }),
  });
  const result = await runLocal(topology('endless').spout('numbers', spout));
  t.is(result.status, 'completed');
  t.is(emits, 1_000_000);
  t.like(result.spouts.numbers, { emitted: emits, untracked: emits });
  t.regex(
    refusal?.message ?? '',
    /^numbers\[1\]: more than 1000000 emits in one call of next\. .* await out\.ready\(\)/,
  );
});

test('the limit of one execute is no limit of the next, nor of many', async (t) => {
  const emits = defineBolt({
    input: NUMBER,
    output: NUMBER,
    ack: 'manual',
    execute(tuple, out) {
      for (let n = 0; n < 100; n++) out.emit({ n });
      out.ack(tuple);
    },
  });
  const built = topology('many')
    .spout('numbers', source())
    .bolt('emits', emits, (from) => from.shuffle('numbers'));
  t.is((await runLocal(built, { spouts: { numbers: numbers(200) } })).acked, 200);
});

for (const workers of [1, 'task'] as const) {
  test(`a burst of more tuples than an acker takes at first does not wait for anything, with workers ${workers}`, async (t) => {
    const seen = defineBolt({ input: NUMBER, execute() {} });
    const built = topology('burst')
      .spout('numbers', source())
      .bolt('seen', seen, (from) => from.shuffle('numbers'));
    const { acked, elapsedMs } = await runLocal(built, { spouts: { numbers: numbers(5000) }, workers });
    t.is(acked, 5000);
    t.true(elapsedMs < 100, `${elapsedMs} ms on the clock of the run`);
  });
}
