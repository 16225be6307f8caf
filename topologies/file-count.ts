/**
 * Counts the words of files, each file in one place: a tuple per file, and not one per word.
 *
 *     squall run topologies/file-count.ts --set input='books/*.txt' --set output=counts.tsv
 *
 * `count` reads a whole file and sends what it has counted in parts, one for each task of `merge`: by a hash of the word,
 * so that one task has all of a word. `merge` takes each part of a file once, so a file that is counted again, because a
 * process died, changes nothing.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { defineBolt, spoutFrom, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';
import { glob } from 'tinyglobby';

const MERGE_TASKS = 2;
/** A word is some ten bytes: such a part stays well below the 1 MiB that NATS takes. */
const WORDS_PER_PART = 10_000;

type Counted = readonly [word: string, count: number];
const PART = { file: t.string, part: t.number, task: t.number, counts: t.json<readonly Counted[]>() };

const files = (pattern: string) =>
  spoutFrom({ output: { file: t.string } }, async function* () {
    for (const file of (await glob(pattern)).sort()) yield { file };
  });

/** FNV-1a */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

const count = defineBolt({
  input: { file: t.string },
  output: PART,
  concurrency: 4,
  async execute({ values: { file } }, out) {
    const counts = new Map<string, number>();
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      for (const word of line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [])
        counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const shares: Counted[][] = Array.from({ length: MERGE_TASKS }, () => []);
    for (const counted of counts) shares[hashOf(counted[0]) % MERGE_TASKS].push(counted);
    for (const [task, share] of shares.entries()) {
      for (let part = 0; part * WORDS_PER_PART < share.length; part++) {
        await out.ready();
        out.emit({ file, part, task, counts: share.slice(part * WORDS_PER_PART, (part + 1) * WORDS_PER_PART) });
      }
    }
  },
});

const merge = defineBolt({
  input: PART,
  output: { word: t.string, count: t.number },
  prepare() {
    const totals = new Map<string, number>();
    const taken = new Set<string>();
    return {
      execute({ values: { file, part, counts } }) {
        const key = `${part} ${file}`;
        if (taken.has(key)) return;
        taken.add(key);
        for (const [word, count] of counts) totals.set(word, (totals.get(word) ?? 0) + count);
      },
      end(out) {
        for (const [word, count] of totals) out.emit({ word, count });
      },
    };
  },
});

export default ({ input = 'node_modules/**/*.md', output = 'counts.tsv' } = {}) =>
  topology('file-count')
    .spout('files', files(input))
    .bolt('count', count, (from) => from.shuffle('files'), { tasks: 2 })
    .bolt('merge', merge, (from) => from.custom('count', ({ task }) => task), { tasks: MERGE_TASKS })
    .bolt('sink', linesSink({ path: output }), (from) => from.global('merge'));
