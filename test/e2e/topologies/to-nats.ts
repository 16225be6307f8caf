// Numbers into a JetStream stream and to a NATS subject.
import { defineBolt, defineSpout, t, topology } from 'squall';
import { jetStreamSink, natsSink } from 'squall/bolts';

const numbers = (count: number) =>
  defineSpout({
    output: { n: t.number },
    open({ position }) {
      let n = Number(position ?? 0);
      return {
        next(out) {
          if (n >= count) return 'done';
          out.emit({ n }, { id: n, position: n + 1 });
          n += 1;
          return;
        },
      };
    },
  });

/** Emits, and fails every tenth tuple once after that: its replay emits the same again. */
const shaky = defineBolt({
  input: { n: t.number },
  output: { n: t.number },
  async execute({ values: { n }, attempt }, out) {
    out.emit({ n });
    if (n % 10 === 0 && attempt === 1) throw new Error(`not yet ${n}`);
  },
});

export default ({ name = 'to-nats', count = '1000', stored = 'stored.numbers', told = 'told.numbers' } = {}) =>
  topology(name)
    .spout('numbers', numbers(Number(count)))
    .bolt('shaky', shaky, (from) => from.shuffle('numbers'))
    .bolt('store', jetStreamSink<{ n: number }>({ subject: stored }), (from) => from.shuffle('shaky'))
    .bolt('tell', natsSink<{ n: number }>({ subject: ({ n }) => `${told}.${n % 2 === 0 ? 'even' : 'odd'}` }), (from) =>
      from.shuffle('shaky'),
    );
