/** Rows of Storm's groupings, and what shows their counterparts. */
import { runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import { N, numbers, shows, source } from './storm-shows.js';

/** How often each task of a bolt of three executes a tuple of twelve. */
async function executedBy(kind: 'all' | 'global' | 'none'): Promise<readonly number[]> {
  const executed = [0, 0, 0];
  const seen = defineBolt({
    input: N,
    prepare: ({ index }) => ({
      execute() {
        executed[index] += 1;
      },
    }),
  });
  const built = topology('grouped')
    .spout('numbers', source())
    .bolt('seen', seen, (from) => from[kind]('numbers'), { tasks: 3 });
  const { acked } = await runLocal(built, { spouts: { numbers: numbers(12) } });
  if (acked !== 12) throw new Error(`${acked} acked`);
  return executed;
}

shows('all', 'every task executes each tuple, and it is acked once', async (t) => {
  t.deepEqual(await executedBy('all'), [12, 12, 12]);
});

shows('global', 'the first task executes all', async (t) => {
  t.deepEqual(await executedBy('global'), [12, 0, 0]);
});

shows('none', 'some task executes each', async (t) => {
  const executed = await executedBy('none');
  t.is(executed[0] + executed[1] + executed[2], 12);
});

shows(
  'custom',
  'the function chooses tasks by their index, also several and none, and the tree has just those',
  async (t) => {
    const places: string[] = [];
    const seen = defineBolt({
      input: N,
      prepare: ({ index }) => ({
        execute({ values: { n } }) {
          places.push(`${n} at ${index}`);
        },
      }),
    });
    const built = topology('custom')
      .spout('numbers', source())
      .bolt('seen', seen, (from) => from.custom('numbers', ({ n }, tasks) => [[], tasks - 1, [0, 1]][n]), { tasks: 3 });
    const { acked } = await runLocal(built, { spouts: { numbers: numbers(3) } });
    t.is(acked, 3);
    t.deepEqual(places.sort(), ['1 at 2', '2 at 0', '2 at 1']);
  },
);
