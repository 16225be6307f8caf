// A bolt that emits on its own, at ticks and at the end, into one that refuses every tuple the first time.
import { setTimeout as delay } from 'node:timers/promises';
import { defineBolt, defineSpout, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

const numbers = (count: number, perMs: number) =>
  defineSpout({
    output: { n: t.number },
    open() {
      let n = 0;
      return {
        async next(out) {
          if (n >= count) return 'done';
          await delay(1);
          for (const end = Math.min(count, n + perMs); n < end; n++) out.emit({ n }, { id: n });
          return;
        },
      };
    },
  });

const window = defineBolt({
  input: { n: t.number },
  output: { kind: t.string, task: t.number, number: t.number, total: t.number },
  tickEveryMs: 25,
  prepare({ task }) {
    let total = 0;
    let ticks = 0;
    return {
      execute() {
        total += 1;
      },
      tick(out) {
        out.emit({ kind: 'tick', task, number: ticks++, total });
      },
      end(out) {
        out.emit({ kind: 'end', task, number: ticks, total });
      },
    };
  },
});

const fragile = defineBolt({
  input: { kind: t.string, task: t.number, number: t.number, total: t.number },
  output: { kind: t.string, task: t.number, number: t.number, total: t.number, attempt: t.number },
  execute({ values, attempt }, out) {
    if (attempt === 1) throw new Error('not at the first attempt');
    out.emit({ ...values, attempt });
  },
});

export default ({ name = 'windows', count = '2000', output = 'windows.tsv' } = {}) =>
  topology(name)
    .spout('numbers', numbers(Number(count), 4))
    .bolt('window', window, (from) => from.fields('numbers', ['n']), { tasks: 2 })
    .bolt('fragile', fragile, (from) => from.shuffle('window'))
    .bolt('sink', linesSink({ path: output }), (from) => from.global('fragile'));
