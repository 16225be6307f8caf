// Numbers from one JetStream stream through two bolts into another.
import { defineBolt, t, topology } from 'squall';
import { jetStreamSink } from 'squall/bolts';
import { jetStreamSpout } from 'squall/spouts';

const pass = defineBolt({
  input: { n: t.number },
  output: { n: t.number },
  execute({ values }, out) {
    out.emit(values);
  },
});

/** Fails each tuple whose number it is told, once. */
const shaky = (at: number) =>
  defineBolt({
    input: { n: t.number },
    output: { n: t.number },
    execute({ values, attempt }, out) {
      if (at > 0 && values.n % at === 0 && attempt === 1) throw new Error(`not yet ${values.n}`);
      out.emit(values);
    },
  });

export default ({
  name = 'through-streams',
  stream = 'IN',
  subject = 'out.n',
  tasks = '1',
  at = '0',
  replay = 'squall',
  untilEnd = 'true',
} = {}) =>
  topology(name)
    .spout(
      'numbers',
      jetStreamSpout({
        stream,
        decode: 'json',
        output: { n: t.number },
        replay: replay === 'source' ? 'source' : 'squall',
        untilEnd: untilEnd === 'true',
      }),
      { tasks: Number(tasks) },
    )
    .bolt('first', pass, (from) => from.shuffle('numbers'))
    .bolt('second', shaky(Number(at)), (from) => from.shuffle('first'))
    .bolt('sink', jetStreamSink<{ n: number }>({ subject }), (from) => from.shuffle('second'));
