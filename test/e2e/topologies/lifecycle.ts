// Numbered tuples through a bolt; each hook that is called is a line in a file.
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineBolt, defineSpout, t, topology } from 'squall';

const POLL_MS = 5;

export default ({
  name = 'lifecycle',
  calls = 'calls',
  count = '1000',
  /** while there is such a file, no execute returns */
  hold = '',
  /** as soon as there is such a file, `next` throws */
  broken = '',
} = {}) => {
  const log = ({ component, epoch }: { component: string; epoch: number }) => {
    return (hook: string): void => appendFileSync(calls, `${component} ${epoch} ${hook}\n`);
  };

  const numbers = defineSpout({
    output: { n: t.number },
    open(context) {
      const called = log(context);
      called('open');
      const emitted = context.metrics.counter('emitted');
      let n = Number(context.position ?? 0);
      return {
        async next(out) {
          if (broken !== '' && existsSync(broken)) throw new Error('the source is broken');
          if (n >= Number(count)) return 'done';
          out.emit({ n }, { id: n, position: n + 1 });
          n += 1;
          emitted.add();
          if (n % 100 === 0) await delay(1);
          return;
        },
        activate: () => called('activate'),
        deactivate: () => called('deactivate'),
        close: () => called('close'),
      };
    },
  });

  const work = defineBolt({
    input: { n: t.number },
    prepare(context) {
      const called = log(context);
      called('prepare');
      const sizes = context.metrics.histogram('n');
      const last = context.metrics.gauge('last');
      return {
        async execute({ values: { n } }) {
          sizes.record(n);
          last.set(n);
          while (hold !== '' && existsSync(hold)) await delay(POLL_MS);
        },
        cleanup: () => called('cleanup'),
      };
    },
  });

  return topology(name)
    .spout('numbers', numbers)
    .bolt('work', work, (from) => from.shuffle('numbers'));
};
