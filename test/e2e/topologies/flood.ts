// Two tuples: of the first an execute makes many large ones, as there is room; of the second, as many as it can.
import { defineBolt, defineSpout, t, topology } from 'squall';

const MANY = 1_100_000;
const SIZE_BYTES = 512;
/** `ready` costs little where there is room, but not nothing. */
const EACH = 100;

const numbers = defineSpout({
  output: { n: t.number },
  retry: { attempts: 1 },
  open() {
    let n = 0;
    let pending = 0;
    return {
      next(out) {
        if (pending > 0) return 'idle';
        if (n === 2) return 'done';
        pending += 1;
        out.emit({ n }, { id: n });
        n += 1;
        return;
      },
      ack: () => void pending--,
      fail: () => void pending--,
    };
  },
});

const flood = defineBolt({
  input: { n: t.number },
  output: { bytes: t.bytes },
  streams: { untaken: { n: t.number } },
  async execute({ values: { n } }, out) {
    if (n === 1) for (let emit = 0; ; emit++) out.emit({ n: emit }, { stream: 'untaken' });
    const bytes = new Uint8Array(SIZE_BYTES);
    for (let emit = 0; emit < MANY; emit++) {
      if (emit % EACH === 0) await out.ready();
      out.emit({ bytes });
    }
  },
});

const seen = defineBolt({ input: { bytes: t.bytes }, execute() {} });

export default ({ name = 'flood' } = {}) =>
  topology(name)
    .spout('numbers', numbers)
    .bolt('flood', flood, (from) => from.shuffle('numbers'))
    .bolt('seen', seen, (from) => from.shuffle('flood'));
