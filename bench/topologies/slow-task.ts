/** Shuffle to some tasks that wait `ms` for each tuple, and, with `slow`, to one more that waits ten times as long. */
import { setTimeout as delay } from 'node:timers/promises';
import { defineBolt, spoutFrom, t, topology } from 'squall';

const numbers = spoutFrom({ output: { n: t.number } }, function* () {
  for (let n = 0; ; n++) yield { n };
});

const work = (ms: number, slow: boolean) =>
  defineBolt({
    input: { n: t.number },
    keepsState: false,
    prepare({ index, metrics }) {
      const executed = metrics.gauge('executed');
      const waitMs = slow && index === 0 ? ms * 10 : ms;
      let count = 0;
      return {
        async execute() {
          await delay(waitMs);
          count += 1;
          executed.set(count);
        },
      };
    },
  });

export default ({ ms = '5', quick = '4', slow = 'no', pending = '1000' } = {}) =>
  topology('slow-task')
    .spout('numbers', numbers)
    .bolt('work', work(Number(ms), slow === 'yes'), (from) => from.shuffle('numbers'), {
      tasks: Number(quick) + (slow === 'yes' ? 1 : 0),
    })
    .config({ maxSpoutPending: Number(pending) });
