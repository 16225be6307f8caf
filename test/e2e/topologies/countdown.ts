// Each number goes round in a cycle of two bolts, one less each time; at the end each tells what it has seen.
import { appendFileSync } from 'node:fs';
import { defineBolt, spoutFrom, t, topology } from 'squall';

export default ({
  name = 'countdown',
  numbers = '50',
  rounds = '20',
  output = 'sums',
  /** 'end': a process dies in its first `end` */
  dies = '',
} = {}) => {
  const source = spoutFrom({ output: { left: t.number } }, async function* () {
    for (let number = 0; number < Number(numbers); number++) yield { left: Number(rounds) };
  });

  /** tuples that `end` emits have none left, and go round once more */
  const step = defineBolt({
    input: { left: t.number },
    output: { left: t.number },
    prepare({ component, task, index, epoch }) {
      let executed = 0;
      let late = 0;
      let ended = false;
      return {
        execute({ values: { left } }, out) {
          if (ended || left < 0) late += 1;
          else executed += 1;
          if (left > 0) out.emit({ left: left - 1 });
        },
        end(out) {
          if (dies === 'end' && component === 'second' && index === 0 && epoch === 1) process.exit(7);
          ended = true;
          out.emit({ left: -1 });
        },
        cleanup: () => appendFileSync(output, `${component} ${task} ${executed} ${late}\n`),
      };
    },
  });

  return topology(name)
    .spout('source', source)
    .bolt('first', step, (from) => from.shuffle('source'), { tasks: 2 })
    .bolt('second', step, (from) => from.shuffle('first'), { tasks: 2 })
    .feedback('first', (from) => from.shuffle('second'));
};
