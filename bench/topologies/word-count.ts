import { devNull } from 'node:os';
import { defineBolt, defineSpout, t, topology } from 'squall';
import { writeProgress } from '../progress.js';
import { SENTENCES } from '../sentences.js';

/** Storm's five sentences without end. `progress`: the file that learns every 100 ms how many are complete. */
const sentences = (progress: string) =>
  defineSpout({
    output: { sentence: t.string },
    open() {
      let emitted = 0;
      let acked = 0;
      const writer = writeProgress(progress, () => acked);
      return {
        next(out) {
          out.emit({ sentence: SENTENCES[emitted % SENTENCES.length] }, { id: emitted });
          emitted += 1;
        },
        ack() {
          acked += 1;
        },
        close: () => writer.stop(),
      };
    },
  });

const split = defineBolt({
  input: { sentence: t.string },
  output: { word: t.string },
  execute({ values }, out) {
    for (const word of values.sentence.split(' ')) out.emit({ word });
  },
});

const count = defineBolt({
  input: { word: t.string },
  prepare() {
    const counts = new Map<string, number>();
    return {
      execute({ values: { word } }) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
      },
    };
  },
});

/** The limit's counterpart: the same work and layout, 1 task per component, as a user of Squall writes it. */
export default ({ progress = devNull } = {}) =>
  topology('bench-word-count')
    .spout('sentences', sentences(progress))
    .bolt('split', split, (from) => from.shuffle('sentences'))
    .bolt('count', count, (from) => from.fields('split', ['word']))
    .config({ maxSpoutPending: 8192 });
