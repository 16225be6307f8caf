/** The topology that tests of the test kit share. */
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { t } from '../../core/topology/fields.js';
import { spoutFrom } from '../../core/topology/spout-from.js';

export const split = defineBolt({
  input: { line: t.string },
  output: { word: t.string },
  streams: { errors: { text: t.string } },
  execute({ values: { line } }, out) {
    if (line === '') out.emit({ text: 'an empty line' }, { stream: 'errors' });
    for (const word of line.match(/\w+/g) ?? []) out.emit({ word });
  },
});

export const count = defineBolt({
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

export const endless = spoutFrom({ output: { line: t.string } }, async function* () {
  for (;;) yield { line: await new Promise<string>(() => {}) };
});

export const wordCount = () =>
  topology('words')
    .spout('lines', endless)
    .bolt('split', split, (from) => from.shuffle('lines'), { tasks: 2 })
    .bolt('count', count, (from) => from.fields('split', ['word']), { tasks: 2 });
