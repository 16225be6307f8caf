// Words for about two seconds, counted by two tasks; says in a file when the second of them has counted some.
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineBolt, spoutFrom, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

const ROUNDS = 200;
const WORDS_A_ROUND = 50;

const words = spoutFrom({ output: { word: t.string } }, async function* () {
  for (let round = 0; round < ROUNDS; round++) {
    await delay(10);
    for (let number = 0; number < WORDS_A_ROUND; number++) yield { word: `word${number}` };
  }
});

const count = (started: string) =>
  defineBolt({
    input: { word: t.string },
    output: { word: t.string, count: t.number },
    prepare({ index }) {
      const counts = new Map<string, number>();
      let executed = 0;
      return {
        execute({ values: { word } }) {
          counts.set(word, (counts.get(word) ?? 0) + 1);
          if (index === 1 && ++executed === 500) writeFileSync(started, 'yes');
        },
        end(out) {
          for (const [word, count] of counts) out.emit({ word, count });
        },
      };
    },
  });

export default ({ name = 'words-slow', output = 'counts.tsv', started = 'started' } = {}) =>
  topology(name)
    .spout('words', words)
    .bolt('count', count(started), (from) => from.fields('words', ['word']), { tasks: 2 })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('count'));
