/**
 * Which of the packages under `node_modules` matter most? PageRank over who depends on whom: a package passes most of its
 * weight on to its dependencies, they to theirs, round and round until what is left is too little to count. A topology with
 * a cycle: `rank` feeds itself.
 *
 *     squall run topologies/package-rank.ts --set input=node_modules --set output=package-rank.tsv
 */
import { readFile } from 'node:fs/promises';
import { defineBolt, spoutFrom, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';
import { glob } from 'tinyglobby';

/** Share of its weight that a package passes on (Page, Brin, Motwani, Winograd: The PageRank Citation Ranking, 1998). */
const DAMPING = 0.85;
const LINK = { name: t.string, dependencies: t.json<readonly string[]>() };
const WEIGHT = { name: t.string, weight: t.number };

/** Every installed package, with those of its dependencies that are installed. */
const packages = (folder: string) =>
  spoutFrom({ output: LINK }, async function* () {
    const found = new Map<string, readonly string[]>();
    for (const file of await glob(['**/node_modules/*/package.json', '**/node_modules/@*/*/package.json'], {
      cwd: folder,
      absolute: true,
      dot: true,
    })) {
      const { name, dependencies = {} } = JSON.parse(await readFile(file, 'utf8')) as {
        name?: string;
        dependencies?: Record<string, string>;
      };
      if (name !== undefined) found.set(name, [...new Set([...(found.get(name) ?? []), ...Object.keys(dependencies)])]);
    }
    for (const [name, dependencies] of found) {
      yield { name, dependencies: dependencies.filter((one) => found.has(one)) };
    }
  });

/**
 * Forward push (Andersen, Chung, Lang: Local Graph Partitioning using PageRank Vectors, 2006), a part of the packages per
 * task. At least once: weight that is passed on again, after a loss, counts again.
 */
const rank = (least: number) =>
  defineBolt({
    inputs: { packages: LINK, weights: WEIGHT },
    output: { name: t.string, rank: t.number },
    streams: { passed: WEIGHT },
    prepare() {
      const ranks = new Map<string, { rank: number; waiting: number; to: readonly string[] | undefined }>();
      const entryOf = (name: string) => {
        const entry = ranks.get(name) ?? { rank: 0, waiting: 0, to: undefined };
        ranks.set(name, entry);
        return entry;
      };
      return {
        execute(tuple, out) {
          const entry = entryOf(tuple.values.name);
          if (tuple.input === 'packages') {
            entry.to = tuple.values.dependencies;
            entry.waiting += 1;
          } else entry.waiting += tuple.values.weight;
          // weight may come before the package itself: it waits here
          const { to, waiting } = entry;
          if (to === undefined || waiting < least) return;
          entry.waiting = 0;
          entry.rank += to.length === 0 ? waiting : waiting * (1 - DAMPING);
          for (const name of to) out.emit({ name, weight: (waiting * DAMPING) / to.length }, { stream: 'passed' });
        },
        end(out) {
          for (const [name, { rank, waiting }] of ranks) out.emit({ name, rank: rank + waiting });
        },
      };
    },
  });

/** The ten first, and all of them to the sink, the greatest first. */
const sorted = defineBolt({
  input: { name: t.string, rank: t.number },
  output: { name: t.string, rank: t.number },
  prepare({ log }) {
    const all: { name: string; rank: number }[] = [];
    return {
      execute({ values }) {
        all.push(values);
      },
      end(out) {
        all.sort((a, b) => b.rank - a.rank || (a.name < b.name ? -1 : 1));
        for (const { name, rank } of all.slice(0, 10)) log.info(`${rank.toFixed(2).padStart(8)}  ${name}`);
        for (const one of all) out.emit(one);
      },
    };
  },
});

export default ({ input = '.', output = 'package-rank.tsv', least = '0.001' } = {}) =>
  topology('package-rank')
    .spout('packages', packages(input))
    .bolt('rank', rank(Number(least)), (from) => ({ packages: from.fields('packages', ['name']), weights: [] }), {
      tasks: 2,
    })
    .feedback('rank', (from) => ({ weights: from.fields('rank', ['name'], { stream: 'passed' }) }))
    .bolt('sorted', sorted, (from) => from.global('rank'))
    .bolt('sink', linesSink({ path: output }), (from) => from.global('sorted'));
