/** What a person sees while a run goes on, on stderr. */
import type { Run } from '../core/cluster/run.js';
import type { RunSnapshot } from '../core/cluster/run-types.js';
import { clean, cut } from './format.js';
import type { Io } from './io.js';
import { progressLine, progressTable, rateCounts } from './progress-lines.js';
import { Rates } from './rates.js';
import { type Screen, screenOf } from './screen.js';
import { type Style, styleOf } from './style.js';

/** Fast enough to look alive, slow enough to read. */
const REPAINT_MS = 250;
/** Where stderr is no terminal: enough to see in a log that it goes on, and how fast. */
const LINE_MS = 5_000;
/** Of dead letters and replays so many are told one by one; all of them are counted, and dead letters are kept. */
const TOLD_ONE_BY_ONE = 10;
/** A process with many tasks has a long name. */
const TITLE_CHARS = 32;

export class Progress {
  readonly #run: Pick<Run, 'snapshot' | 'on'>;
  readonly #io: Io;
  readonly #screen: Screen;
  readonly #style: Style;
  readonly #rates = new Rates();
  readonly #releases: readonly (() => void)[];
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(run: Pick<Run, 'snapshot' | 'on'>, io: Io, { debug }: { readonly debug: boolean }) {
    this.#run = run;
    this.#io = io;
    this.#screen = screenOf(io.stderr);
    this.#style = styleOf(io.stderr);
    this.#listen(debug);
    this.#releases = [
      // The topology file is imported here too, and may print.
      io.captureConsole((line) => this.#screen.log(this.#foreign(line))),
      io.onExit(() => this.#screen.flush()),
    ];
    const { isTerminal } = io.stderr;
    this.#timers = [
      setInterval(() => this.#sample(), REPAINT_MS),
      ...(isTerminal ? [] : [setInterval(() => this.#line(), LINE_MS)]),
    ];
  }

  /** Something Squall has to say. */
  say(text: string): void {
    this.#screen.log(`squall: ${text}`);
  }

  /** Leaves the lines that were printed, and nothing of the table. Idempotent. */
  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const release of this.#releases) release();
    this.#screen.paint([]);
  }

  #listen(debug: boolean): void {
    const { yellow, dim } = this.#style;
    const run = this.#run;
    run.on('ready', ({ run: id, resumed }) => {
      this.say(resumed ? `run ${id} goes on where it was cut off` : `run ${id} has begun`);
    });
    run.on('paused', () => {
      this.say(`paused: no more input until squall resume ${run.snapshot().topology}; what is in flight is completed`);
    });
    run.on('resumed', () => this.say('resumed'));
    run.on('log', (text, from) => {
      const prefix = from === undefined ? 'squall: ' : `${cut(this.#short(from.title), TITLE_CHARS)} | `;
      // A stack is several: each line has the name.
      for (const line of text.split('\n')) this.#screen.log(dim(prefix) + this.#foreign(line));
    });
    run.on('warning', (message) => this.#screen.log(yellow('warning: ') + this.#foreign(message)));
    run.on('worker-lost', ({ title, pid, why }) => {
      this.#screen.log(`${yellow('lost: ')}${this.#short(title)} (process ${pid}): ${this.#foreign(why)}`);
    });
    run.on('worker-restarted', ({ title, pid }) => this.say(`${this.#short(title)} is back (process ${pid})`));
    const tellDead = upTo(TOLD_ONE_BY_ONE, 'dead letters are only counted', (text) => this.#screen.log(text));
    run.on('dead-letter', ({ component, id, reason, message }) => {
      tellDead(
        () => yellow('dead letter: ') + this.#foreign(`${component} ${id}: ${reason}: ${message.split('\n')[0]}`),
      );
    });
    if (!debug) return;
    const tellReplay = upTo(TOLD_ONE_BY_ONE, 'replays are only counted', (text) => this.#screen.log(text));
    run.on('replay', ({ component, id, attempt, failure }) => {
      const { reason, component: where, error } = failure;
      const by = `${where === undefined ? '' : ` in ${where}`}${error === undefined ? '' : `: ${error.message.split('\n')[0]}`}`;
      tellReplay(() => dim('replay: ') + this.#foreign(`${component} ${id}, attempt ${attempt}: ${reason}${by}`));
    });
  }

  /** What others wrote must not move the cursor; in a file it stays as it is. */
  #foreign(line: string): string {
    return this.#io.stderr.isTerminal ? clean(line) : line;
  }

  #sample(): void {
    const snapshot = this.#run.snapshot();
    if (isUnderWay(snapshot)) this.#rates.add(performance.now(), rateCounts(snapshot));
    if (!this.#io.stderr.isTerminal) return;
    // A line as wide as the terminal makes some of them begin another.
    this.#screen.paint(['', ...progressTable(snapshot, this.#rates, this.#style, this.#io.stderr.columns - 1)]);
  }

  #line(): void {
    this.#screen.log(progressLine(this.#run.snapshot(), this.#rates));
  }

  /** `split[0]` of `squall word-count split[0]`. */
  #short(title: string): string {
    const prefix = `squall ${this.#run.snapshot().topology} `;
    return title.startsWith(prefix) ? title.slice(prefix.length) : title;
  }
}

function isUnderWay({ phase }: RunSnapshot): boolean {
  return phase === 'running' || phase === 'paused' || phase === 'draining';
}

/** Prints the first `limit` of something, then once that there are more. */
function upTo(limit: number, more: string, print: (text: string) => void): (text: () => string) => void {
  let told = 0;
  return (text) => {
    told += 1;
    if (told <= limit) print(text());
    else if (told === limit + 1) print(`squall: further ${more}`);
  };
}
