// Numbered tuples through two bolts of two tasks into a file, as fast as they go, without end unless `count` says so.
// The spout's process writes down what is completed, and when.
import { appendFileSync } from 'node:fs';
import { defineBolt, defineSpout, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

/** Fine against the buckets of 250 ms that the recovery is measured in. */
const NOTE_EVERY_MS = 20;

const numbers = (count: number, progress: string) =>
  defineSpout({
    output: { n: t.number },
    open({ position, epoch }) {
      let n = Number(position ?? 0);
      let acked = 0;
      // each incarnation counts from zero in a file of its own
      const note = () => appendFileSync(`${progress}.${epoch}`, `${Date.now()} ${acked}\n`);
      const timer = setInterval(note, NOTE_EVERY_MS);
      return {
        next(out) {
          if (n >= count) return 'done';
          out.emit({ n }, { id: n, position: n + 1 });
          n += 1;
          return;
        },
        ack() {
          acked += 1;
        },
        close() {
          clearInterval(timer);
          note();
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

export default ({ name = 'numbers', count = 'Infinity', progress = 'progress', output = 'numbers.tsv' } = {}) =>
  topology(name)
    .spout('numbers', numbers(Number(count), progress))
    .bolt('first', pass, (from) => from.shuffle('numbers'), { tasks: 2 })
    .bolt('second', pass, (from) => from.fields('first', ['n']), { tasks: 2 })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('second'));
