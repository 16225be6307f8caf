// Numbered tuples through a bolt with a fault of one kind.
import { setTimeout as delay } from 'node:timers/promises';
import { defineBolt, defineSpout, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

/** More than a server takes by default. */
const TOO_LONG = 2 << 20;
const BLOCK_MS = 3000;

interface Given {
  readonly n: number;
  readonly attempt: number;
}

/** What `work` does before it passes the tuple on. `at` is the number of the tuple that meets the fault. */
const FAULTS: Readonly<Record<string, (given: Given, at: number) => void | Promise<void>>> = {
  none() {},
  /** one execute in a hundred fails: by tuple and attempt, so every run has the same failures */
  random({ n, attempt }) {
    if (dice(n * 31 + attempt) % 100 === 0) throw new Error(`a bad moment for ${n}`);
  },
  always({ n }, at) {
    if (n === at) throw new TypeError(`cannot take ${n}`);
  },
  once({ n, attempt }, at) {
    if (n === at && attempt === 1) throw new Error(`not yet ${n}`);
  },
  exit({ n }, at) {
    if (n === at) process.exit(7);
  },
  'hang-once': async ({ n, attempt }, at) => {
    if (n === at && attempt === 1) await new Promise(() => {});
  },
  hang: ({ n }, at) => (n >= at ? new Promise(() => {}) : undefined),
  'reject-once': ({ n, attempt }, at) => {
    if (n === at && attempt === 1) void delay(0).then(() => Promise.reject(new Error('nobody catches this')));
  },
  'block-once': ({ n, attempt }, at) => {
    if (n !== at || attempt !== 1) return;
    const end = performance.now() + BLOCK_MS;
    while (performance.now() < end);
  },
};

/** mulberry32: the same in every process */
function dice(seed: number): number {
  const mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
  const more = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61));
  return (more ^ (more >>> 14)) >>> 0;
}

export default ({
  name = 'faulty',
  fault = 'none',
  /** where the tuple gets too large: spout, bolt or nowhere */
  grows = 'nowhere',
  at = '0',
  count = '1000',
  output = 'numbers.tsv',
  attempts = '10',
  timeout = '30000',
  executeTimeout = '',
} = {}) => {
  const end = Number(count);
  const culprit = Number(at);
  const meet = FAULTS[fault];
  if (meet === undefined) throw new Error(`there is no fault ${fault}`);

  const numbers = defineSpout({
    output: { n: t.number, text: t.string },
    retry: { attempts: Number(attempts) },
    open({ position }) {
      let n = Number(position ?? 0);
      return {
        next(out) {
          if (n >= end) return 'done';
          const text = grows === 'spout' && n === culprit ? 'x'.repeat(TOO_LONG) : '';
          out.emit({ n, text }, { id: n, position: n + 1 });
          n += 1;
          return;
        },
      };
    },
  });

  const work = defineBolt({
    input: { n: t.number, text: t.string },
    output: { n: t.number, text: t.string },
    ...(executeTimeout === '' ? {} : { executeTimeoutMs: Number(executeTimeout) }),
    execute({ values: { n }, attempt }, out) {
      const emit = () => out.emit({ n, text: grows === 'bolt' && n === culprit ? 'x'.repeat(TOO_LONG) : '' });
      const met = meet({ n, attempt }, culprit);
      if (met === undefined) return emit();
      return met.then(emit);
    },
  });

  return topology(name)
    .spout('numbers', numbers)
    .bolt('work', work, (from) => from.shuffle('numbers'))
    .bolt('sink', linesSink({ path: output }), (from) => from.global('work'))
    .config({ messageTimeoutMs: Number(timeout) });
};
