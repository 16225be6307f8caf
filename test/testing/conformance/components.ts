/** Sources and sinks for the suites: those of Squall, good ones, and for each promise one that breaks it. */
import { appendFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { jetStreamSink, linesSink, natsSink } from '../../../bolts/index.js';
import { defineBolt, defineSpout, t } from '../../../core/index.js';
import { fileSpout, jetStreamSpout } from '../../../spouts/index.js';

type Parameters = Readonly<Record<string, string>>;

export const lines = ({ path }: Parameters) => fileSpout({ path });
export const linesOut = ({ path }: Parameters) => linesSink({ path });
export const stream = ({ stream, replay = 'squall' }: Parameters) =>
  jetStreamSpout({ stream, decode: 'text', replay: replay as 'squall' | 'source', nakDelayMs: 50 });
export const streamOut = ({ subject }: Parameters) => jetStreamSink({ subject });
export const subjectOut = ({ subject }: Parameters) => natsSink({ subject });

const PAGE = 40;
const read = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

/** How a source of numbered lines goes wrong. */
interface Flaws {
  /** the position of each line is the end of its page */
  readonly hasty?: boolean;
  /** other ids in each life */
  readonly newIds?: boolean;
  /** waits for more in a loop */
  readonly spins?: boolean;
  /** throws once in a while */
  readonly falls?: boolean;
  /** no ids */
  readonly untracked?: boolean;
}

function pages({ path }: Parameters, flaws: Flaws) {
  return defineSpout({
    output: { line: t.string },
    open({ position, epoch }) {
      const all = read(path);
      let at = Number(position ?? 0);
      return {
        async next(out) {
          if (at === all.length) {
            for (const until = performance.now() + 50; flaws.spins && performance.now() < until; ) await turn();
            return 'idle' as const;
          }
          if (flaws.falls && epoch === 1 && at === 50) throw new Error('fell');
          const id = flaws.untracked ? undefined : flaws.newIds ? `${process.pid}.${at}` : at;
          const end = Math.min(all.length, (Math.floor(at / PAGE) + 1) * PAGE);
          out.emit({ line: all[at] }, { id, position: flaws.hasty ? end : at + 1 });
          at += 1;
          return undefined;
        },
      };
    },
  });
}

export const good = (parameters: Parameters) => pages(parameters, {});
export const hasty = (parameters: Parameters) => pages(parameters, { hasty: true });
export const newIds = (parameters: Parameters) => pages(parameters, { newIds: true });
export const spins = (parameters: Parameters) => pages(parameters, { spins: true });
export const falls = (parameters: Parameters) => pages(parameters, { falls: true });
export const untracked = (parameters: Parameters) => pages(parameters, { untracked: true });

/** Takes a message out of its queue when it reads it, and not when it is complete. */
export const forgetful = ({ path }: Parameters) =>
  defineSpout({
    output: { line: t.string },
    open: () => ({
      next(out) {
        const left = read(path);
        const line = left.shift();
        if (line === undefined) return 'idle';
        writeFileSync(`${path}.new`, left.map((one) => `${one}\n`).join(''));
        renameSync(`${path}.new`, path);
        out.emit({ line }, { id: line });
        return undefined;
      },
    }),
  });

// ---- sinks -----------------------------------------------------------------------------------------------------

/** A file for each message: what comes again takes the place of what is there. */
export const files = ({ folder }: Parameters) =>
  defineBolt({
    input: { key: t.string, n: t.number },
    execute({ values: { key, n } }) {
      writeFileSync(join(folder, key), String(n));
    },
  });
export const filesIn = (folder: string): string[] => readdirSync(folder);

/** Acks at once, and writes later. */
export const early = ({ path }: Parameters) =>
  defineBolt({
    input: { key: t.string },
    keepsState: false,
    prepare() {
      let waiting = '';
      const timer = setInterval(() => {
        appendFileSync(path, waiting);
        waiting = '';
      }, 1000);
      return {
        execute({ values: { key } }) {
          waiting += `${key}\n`;
        },
        cleanup() {
          clearInterval(timer);
          appendFileSync(path, waiting);
        },
      };
    },
  });

/** Swallows what its store says. */
export const silent = ({ folder }: Parameters) =>
  defineBolt({
    input: { key: t.string },
    execute({ values: { key } }) {
      try {
        writeFileSync(join(folder, key), '');
      } catch {
        // lost
      }
    },
  });

/** Each takes another time, and nobody waits for the one before. */
export const overtaking = ({ path }: Parameters) =>
  defineBolt({
    input: { key: t.string, n: t.number },
    concurrency: 8,
    async execute({ values: { key, n } }) {
      await delay((n * 7) % 11);
      appendFileSync(path, `${key}\n`);
    },
  });

/** Fields of its own. */
export const rows = ({ path }: Parameters) =>
  defineBolt({
    input: { id: t.bigint, at: t.date, name: t.string },
    execute({ values: { id } }) {
      appendFileSync(path, `${id}\n`);
    },
  });
export const rowOf = (n: number) => ({ id: BigInt(n), at: new Date(n * 1000), name: `row ${n}` });

export const noComponent = 42;
