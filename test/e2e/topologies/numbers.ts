// Numbered tuples through two bolts into a file. With a file `gate` they have no end, and `rate` per second come at most,
// until something stands in it: how many there are to be.
import { readFileSync } from 'node:fs';
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
      let end = gate === '' ? count : (endIn(gate) ?? Number.POSITIVE_INFINITY);
      let limited = rate !== Number.POSITIVE_INFINITY && (gate === '' || end === Number.POSITIVE_INFINITY);
      let allowed = 0;
      let lookedAt = performance.now();
      return {
        next(out) {
          if (n >= end) return 'done';
          if (limited && allowed < 1) {
            const now = performance.now();
            allowed = Math.min(allowed + ((now - lookedAt) / 1000) * rate, rate * CATCH_UP_S);
            lookedAt = now;
            const told = gate === '' ? undefined : endIn(gate);
            if (told !== undefined) {
              end = told;
              limited = false;
            }
            // short waits: the flow stays even, and little is pending while all is well
            if (limited && allowed < 1) return delay(1);
          }
          allowed -= 1;
          out.emit({ n }, { id: n, position: n + 1 });
          n += 1;
          return;
        },
      };
    },
  });

function endIn(gate: string): number | undefined {
  try {
    const text = readFileSync(gate, 'utf8');
    return text === '' ? undefined : Number(text);
  } catch {
    return undefined;
  }
}

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
