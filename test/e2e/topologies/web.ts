/** PageRank over a made-up web, by tuples that go round a cycle: each page's weight is passed on until little is left. */

import { defineBolt, spoutFrom, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';

const LINKS = 3;
const DAMPING = 0.85;
const PAGE = { page: t.number, weight: t.number };

/** Where page `from` links to: the same in every process. */
function linked(from: number, pages: number): number[] {
  return Array.from({ length: LINKS }, (_, at) => (Math.imul(from + 1, 0x9e3779b1 + at * 0x85ebca6b) >>> 0) % pages);
}

const rank = (pages: number, least: number) =>
  defineBolt({
    input: PAGE,
    output: PAGE,
    streams: { passed: PAGE },
    prepare() {
      const ranks = new Map<number, number>();
      return {
        execute({ values: { page, weight } }, out) {
          const each = (weight * DAMPING) / LINKS;
          const passes = each >= least;
          ranks.set(page, (ranks.get(page) ?? 0) + (passes ? weight * (1 - DAMPING) : weight));
          if (passes) for (const to of linked(page, pages)) out.emit({ page: to, weight: each }, { stream: 'passed' });
        },
        end(out) {
          for (const [page, weight] of ranks) out.emit({ page, weight });
        },
      };
    },
  });

export default ({ name = 'web', pages = '320', depth = '7', output = 'ranks.tsv', pending = '16' } = {}) =>
  topology(name)
    .spout(
      'pages',
      spoutFrom({ output: PAGE }, function* () {
        for (let page = 0; page < Number(pages); page++) yield { page, weight: 1 };
      }),
    )
    .bolt(
      'rank',
      rank(Number(pages), (DAMPING / LINKS) ** Number(depth) * 0.999),
      (from) => from.fields('pages', ['page']),
      {
        tasks: 2,
      },
    )
    .feedback('rank', (from) => from.fields('rank', ['page'], { stream: 'passed' }))
    .bolt('sink', linesSink({ path: output }), (from) => from.global('rank'))
    .config({ maxSpoutPending: Number(pending) });
