// Counts the words of text files: `squall run topologies/word-count.ts --set input='books/**/*.txt'`
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
    const counts = new Map<string, number>(); // this task's own
    return {
      execute({ values: { word } }) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
      },
      end(out) {
        // the input is over
        for (const [word, count] of counts) out.emit({ word, count });
      },
    };
  },
});

export default ({ input = 'node_modules/**/*.md', output = 'counts.tsv' } = {}) =>
  topology('word-count')
    .spout('lines', fileSpout({ path: input }))
    .bolt('split', split, (from) => from.shuffle('lines'), { tasks: 2 })
    .bolt('count', count, (from) => from.fields('split', ['word']), { tasks: 2 })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('count'))
    .config({ maxSpoutPending: 8192, messageTimeoutMs: 30_000 });
