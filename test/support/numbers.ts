// Numbered tuples through two bolts into a file: what the fault tests run.
import { defineBolt, defineSpout, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

const numbers = (count: number) =>
  defineSpout({
    output: { n: t.number },
    open(context) {
      let n = Number(context.position ?? 0);
      return {
        next(out) {
          if (n === count) return 'done';
          out.emit({ n }, { id: n, position: n + 1 });
          n += 1;
          return;
        },
      };
    },
  });

const pass = defineBolt({
  input: { n: t.number },
  output: { n: t.number },
  execute({ values }, out) {
    out.emit(values);
  },
});

export default ({ count = '1000000', output = 'numbers.tsv', timeout = '30000' } = {}) =>
  topology('numbers')
    .spout('numbers', numbers(Number(count)))
    .bolt('first', pass, (from) => from.shuffle('numbers'), { tasks: 2 })
    .bolt('second', pass, (from) => from.fields('first', ['n']), { tasks: 2 })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('second'))
    .config({ messageTimeoutMs: Number(timeout) });
