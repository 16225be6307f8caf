/**
 * Which words are said most just now? The first ten of the last minute, again every five seconds:
 *
 *     squall run topologies/trending.ts --set output=trending.tsv
 *
 * The words come from a generated chatter, or from a text: `--set input='books/*.txt'`. A word that everybody says would
 * keep one counting task busy and the others idle, so each word has two (`partialKey`), and `total` adds up what they say.
 */
import { defineBolt, defineSpout, t, topology } from 'squall';
import { linesSink } from 'squall/bolts';
import { fileSpout } from 'squall/spouts';

const COMMON = 'the of and to in a is that it was for on are with as at be this have from'.split(' ');
const TOPICS = ['rain', 'train', 'coffee', 'election', 'goal', 'holiday'];
const WORDS_PER_LINE = 8;
/** lines until people talk of something else */
const TOPIC_LINES = 2000;

/** Line `n` of the chatter: always the same, so that a restarted spout says again what it had said. */
export function lineOf(n: number): string {
  // Mulberry32 (Tommy Ettinger, 2017)
  let state = Math.imul(n + 1, 0x9e3779b9);
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const topic = TOPICS[Math.floor(n / TOPIC_LINES) % TOPICS.length];
  const words = Array.from({ length: WORDS_PER_LINE }, () =>
    random() < 0.1 ? topic : COMMON[Math.floor(COMMON.length ** random()) - 1],
  );
  return words.join(' ');
}

const chatter = (linesPerSecond: number, limit: number) =>
  defineSpout({
    output: { line: t.string },
    open({ position, now }) {
      let n = Number(position ?? 0);
      const first = n;
      const startMs = now();
      return {
        next(out) {
          if (n >= limit) return 'done';
          const due = first + Math.floor(((now() - startMs) / 1000) * linesPerSecond);
          if (n >= due) return 'idle';
          out.emit({ line: lineOf(n) }, { id: n, position: n + 1 });
          n += 1;
          return undefined;
        },
      };
    },
  });

const split = defineBolt({
  input: { line: t.string },
  output: { word: t.string },
  execute({ values }, out) {
    for (const word of values.line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) out.emit({ word });
  },
});

/** How often each word came in the slots of the window, the newest first. */
export class RollingCounts {
  readonly #slots: Map<string, number>[] = [new Map()];
  readonly #totals = new Map<string, number>();
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  add(word: string): void {
    this.#slots[0].set(word, (this.#slots[0].get(word) ?? 0) + 1);
    this.#totals.set(word, (this.#totals.get(word) ?? 0) + 1);
  }
  totals(): ReadonlyMap<string, number> {
    return this.#totals;
  }

  /** Begins a new slot; returns the words whose last one has left the window. */
  advance(): string[] {
    this.#slots.unshift(new Map());
    if (this.#slots.length <= this.#length) return [];
    const gone: string[] = [];
    for (const [word, count] of this.#slots.pop() ?? []) {
      const left = (this.#totals.get(word) ?? 0) - count;
      if (left > 0) this.#totals.set(word, left);
      else if (this.#totals.delete(word)) gone.push(word);
    }
    return gone;
  }
}

/** Says at each tick what it has of every word: the whole count, not what was added, so that a repeat does no harm. */
const count = (slotMs: number, slots: number) =>
  defineBolt({
    input: { word: t.string },
    output: { word: t.string, count: t.number, at: t.number },
    tickEveryMs: slotMs,
    prepare({ now }) {
      const counts = new RollingCounts(slots);
      return {
        execute({ values: { word } }) {
          counts.add(word);
        },
        tick(out) {
          const at = now();
          for (const [word, count] of counts.totals()) out.emit({ word, count, at });
          for (const word of counts.advance()) out.emit({ word, count: 0, at });
        },
        end(out) {
          for (const [word, count] of counts.totals()) out.emit({ word, count, at: now() });
        },
      };
    },
  });

type Ranked = readonly [word: string, count: number];
const byCount = (a: Ranked, b: Ranked): number => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);

/** Adds up the parts of its own words; says its own first ones at each tick. */
const total = (slotMs: number, slots: number, top: number) =>
  defineBolt({
    input: { word: t.string, count: t.number, at: t.number },
    output: { first: t.json<readonly Ranked[]>(), at: t.number },
    tickEveryMs: slotMs,
    prepare({ now }) {
      const parts = new Map<string, Map<number, { count: number; at: number }>>();
      const first = (): Ranked[] => {
        const ranked: Ranked[] = [];
        for (const [word, ofTasks] of parts) {
          let sum = 0;
          for (const [task, { count, at }] of ofTasks) {
            // a counting task that died has forgotten the word, and does not say so
            if (now() - at > slots * slotMs) ofTasks.delete(task);
            else sum += count;
          }
          if (ofTasks.size === 0) parts.delete(word);
          if (sum > 0) ranked.push([word, sum]);
        }
        return ranked.sort(byCount).slice(0, top);
      };
      return {
        execute({ values: { word, count, at }, task }) {
          const ofTasks = parts.get(word) ?? new Map<number, { count: number; at: number }>();
          parts.set(word, ofTasks);
          // one that was sent again is older than what has come since
          if (at >= (ofTasks.get(task)?.at ?? 0)) ofTasks.set(task, { count, at });
        },
        tick(out) {
          out.emit({ first: first(), at: now() });
        },
        end(out) {
          out.emit({ first: first(), at: now() });
        },
      };
    },
  });

/** Of the first words of all tasks the first ones. */
const merge = (slotMs: number, top: number) =>
  defineBolt({
    input: { first: t.json<readonly Ranked[]>(), at: t.number },
    output: { at: t.date, rank: t.number, word: t.string, count: t.number },
    tickEveryMs: slotMs,
    prepare({ now, log }) {
      const latest = new Map<number, { first: readonly Ranked[]; at: number }>();
      const ranking = (): Ranked[] =>
        [...latest.values()]
          .flatMap(({ first }) => first)
          .sort(byCount)
          .slice(0, top);
      return {
        execute({ values, task }) {
          if (values.at >= (latest.get(task)?.at ?? 0)) latest.set(task, values);
        },
        tick(out) {
          const at = new Date(now());
          for (const [index, [word, count]] of ranking().entries()) out.emit({ at, rank: index + 1, word, count });
        },
        end(out) {
          const at = new Date(now());
          const last = ranking();
          for (const [index, [word, count]] of last.entries()) out.emit({ at, rank: index + 1, word, count });
          log.info(`at the end: ${last.map(([word, count]) => `${word} ${count}`).join(', ')}`);
        },
      };
    },
  });

export default ({
  name = 'trending',
  input = '',
  output = 'trending.tsv',
  linesPerSecond = '1000',
  lines = 'Infinity',
  slotMs = '5000',
  slots = '12',
  top = '10',
} = {}) => {
  const slot = Number(slotMs);
  return topology(name)
    .spout('lines', input === '' ? chatter(Number(linesPerSecond), Number(lines)) : fileSpout({ path: input }))
    .bolt('split', split, (from) => from.shuffle('lines'))
    .bolt('count', count(slot, Number(slots)), (from) => from.partialKey('split', ['word']), { tasks: 2 })
    .bolt('total', total(slot, Number(slots), Number(top)), (from) => from.fields('count', ['word']), { tasks: 2 })
    .bolt('merge', merge(slot, Number(top)), (from) => from.global('total'))
    .bolt('sink', linesSink({ path: output }), (from) => from.global('merge'));
};
