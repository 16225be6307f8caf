// Numbered tuples through two bolts into a file: `rate` per second at most, until there is a file `gate`.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineBolt, defineSpout, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

/** What the source has fallen behind by is made up for so far only: a rate, not a timetable. */
const CATCH_UP_S = 0.05;

const numbers = (count: number, rate: number, gate: string) =>
  defineSpout({
    output: { n: t.number },
    open({ position }) {
      let n = Number(position ?? 0);
      let open = rate === Number.POSITIVE_INFINITY;
      let allowed = 0;
      let lookedAt = performance.now();
      return {
        next(out) {
          if (n >= count) return 'done';
          if (!open && allowed < 1) {
            const now = performance.now();
            allowed = Math.min(allowed + ((now - lookedAt) / 1000) * rate, rate * CATCH_UP_S);
            lookedAt = now;
            open = gate !== '' && existsSync(gate);
            // short waits: the flow stays even, and little is pending while all is well
            if (allowed < 1) return delay(1);
          }
          allowed -= 1;
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

export default ({
  name = 'numbers',
  count = '1000',
  rate = 'Infinity',
  gate = '',
  tasks = '1',
  output = 'numbers.tsv',
  timeout = '30000',
} = {}) =>
  topology(name)
    .spout('numbers', numbers(Number(count), Number(rate), gate))
    .bolt('first', pass, (from) => from.shuffle('numbers'), { tasks: Number(tasks) })
    .bolt('second', pass, (from) => from.fields('first', ['n']), { tasks: Number(tasks) })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('second'))
    .config({ messageTimeoutMs: Number(timeout) });
