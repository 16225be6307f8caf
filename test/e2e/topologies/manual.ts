// Pairs of two spouts' tuples in the hands of a bolt that settles them itself, or does not.
import type { Tuple } from 'squall';
import { defineBolt, defineSpout, t, topology } from 'squall';

const MODES = ['hold', 'forget', 'return'] as const;
const SLOW_MS = 2;

const numbers = (count: number, replay: 'squall' | 'source') =>
  defineSpout({
    output: { n: t.number },
    replay,
    open() {
      const waiting = Array.from({ length: count }, (_, n) => n);
      let pending = 0;
      return {
        next(out) {
          const n = waiting.shift();
          if (n === undefined) return pending === 0 ? 'done' : 'idle';
          pending += 1;
          out.emit({ n }, { id: n });
          return;
        },
        ack: () => void pending--,
        fail(id) {
          pending -= 1;
          waiting.push(Number(id));
        },
      };
    },
  });

/** One by one where tuples come back to their source: which of two came back, it could not know. */
const pairs = (single: boolean) =>
  defineBolt({
    inputs: { left: { n: t.number }, right: { n: t.number } },
    output: { n: t.number },
    ack: 'manual',
    prepare() {
      const waiting = new Map<number, Tuple<{ n: number }, 'left' | 'right'>>();
      return {
        execute(tuple, out) {
          const { n } = tuple.values;
          if (single) {
            out.emit({ n });
            out.ack(tuple);
            return;
          }
          const other = waiting.get(n);
          if (other === undefined || other.input === tuple.input) {
            // a newer attempt takes the older one's place
            if (other !== undefined) out.ack(other);
            waiting.set(n, tuple);
            return;
          }
          waiting.delete(n);
          out.emit({ n }, { anchors: [other, tuple] });
          out.ack(other);
          out.ack(tuple);
        },
      };
    },
  });

export default ({ name = 'manual', mode = 'hold', count = '100', timeout = '30000' } = {}) => {
  if (!MODES.some((one) => one === mode)) throw new Error(`there is no mode ${mode}`);

  const manual = defineBolt({
    input: { n: t.number },
    ack: 'manual',
    tickEveryMs: 50,
    prepare({ epoch }) {
      const held: Tuple<object>[] = [];
      return {
        execute(tuple, out) {
          // the first incarnation holds everything until it dies
          if (mode === 'hold') held.push(tuple);
          else if (mode === 'forget') {
            if (tuple.attempt > 1) out.ack(tuple);
          } else {
            const until = performance.now() + SLOW_MS;
            while (performance.now() < until);
            out.ack(tuple);
          }
        },
        tick(out) {
          if (epoch > 1) for (const tuple of held.splice(0)) out.ack(tuple);
        },
      };
    },
  });

  const replay = mode === 'return' ? 'source' : 'squall';
  return topology(name)
    .spout('left', numbers(Number(count), replay))
    .spout('right', numbers(Number(count), replay))
    .bolt('pairs', pairs(mode === 'return'), (from) => ({ left: from.global('left'), right: from.global('right') }))
    .bolt('manual', manual, (from) => from.global('pairs'))
    .config({ messageTimeoutMs: Number(timeout) });
};
