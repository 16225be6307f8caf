// Numbers of a JetStream stream through two bolts of two tasks into another stream.
import { defineBolt, t, topology } from 'squall';
import { jetStreamSink } from 'squall/bolts';
import { jetStreamSpout } from 'squall/spouts';

const number = { n: t.number };

const pass = defineBolt({
  input: number,
  output: number,
  execute({ values }, out) {
    out.emit(values);
  },
});

export default ({ name = 'through-streams', tasks = '1' } = {}) =>
  topology(name)
    .spout('numbers', jetStreamSpout({ stream: 'IN', decode: 'json', output: number, untilEnd: true }), {
      tasks: Number(tasks),
    })
    .bolt('first', pass, (from) => from.shuffle('numbers'), { tasks: 2 })
    .bolt('second', pass, (from) => from.fields('first', ['n']), { tasks: 2 })
    .bolt('sink', jetStreamSink<{ n: number }>({ subject: 'out.n' }), (from) => from.shuffle('second'));
