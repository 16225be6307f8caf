// Word count as in topologies/, with as many tasks a bolt as wanted.
import { defineBolt, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';
import { fileSpout } from 'squall/spouts';

const split = defineBolt({
  input: { line: t.string },
  output: { word: t.string },
  execute({ values }, out) {
    for (const word of values.line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) out.emit({ word });
  },
});

const count = defineBolt({
  input: { word: t.string },
  output: { word: t.string, count: t.number },
  prepare() {
    const counts = new Map<string, number>();
    return {
      execute({ values: { word } }) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
      },
      end(out) {
        for (const [word, count] of counts) out.emit({ word, count });
      },
    };
  },
});

export default ({ name = 'words', input = 'text.txt', output = 'counts.tsv', tasks = '2' } = {}) =>
  topology(name)
    .spout('lines', fileSpout({ path: input }))
    .bolt('split', split, (from) => from.shuffle('lines'), { tasks: Number(tasks) })
    .bolt('count', count, (from) => from.fields('split', ['word']), { tasks: Number(tasks) })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('count'));
