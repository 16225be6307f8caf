// Numbers dealt to two tasks of a bolt, each of which signs what it passes on.
import { defineBolt, defineSpout, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

const numbers = (count: number) =>
  defineSpout({
    output: { n: t.number },
    open() {
      let n = 0;
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

const sign = defineBolt({
  input: { n: t.number },
  output: { n: t.number, by: t.number },
  prepare: ({ index }) => ({ execute: ({ values: { n } }, out) => out.emit({ n, by: index }) }),
});

export default ({ name = 'shared', count = '100000', output = 'numbers.tsv' } = {}) =>
  topology(name)
    .spout('numbers', numbers(Number(count)))
    .bolt('sign', sign, (from) => from.shuffle('numbers'), { tasks: 2 })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('sign'));
