/** `intervalSpout`: a tuple at certain times. */
import { Cron } from 'croner';
import { shown } from '../core/errors.js';
import { localOf, waitsForNothingReal } from '../core/testing/local-handle.js';
import type { SpoutComponent } from '../core/topology/component.js';
import type { SpoutInstance, SpoutOut, TaskContext } from '../core/topology/definition.js';
import { t } from '../core/topology/fields.js';
import { checkInteger, checkOptions, MAX_TIMER_MS } from '../core/topology/options.js';
import type { RetryOptions } from '../core/topology/retry.js';
import { makeSpout } from '../core/topology/spout.js';
import { Arrivals } from './arrivals.js';

export interface IntervalSpoutOptions {
  /** every so many milliseconds, from 1970 on: with 60 000 at each full minute. Or `cron`. */
  readonly everyMs?: number;
  /** a cron expression of five fields, or six with seconds first: '0 9 * * MON-FRI' */
  readonly cron?: string;
  /** of `cron`: such as 'Europe/Berlin'; default: that of the machine */
  readonly timezone?: string;
  /**
   * What becomes of times that passed while nobody was there, or the topology was behind: `skip` (default): the next tuple
   * says how many; `all`: each has its tuple, late.
   */
  readonly missed?: 'skip' | 'all';
  readonly retry?: RetryOptions;
}

const OPTIONS = [
  'everyMs',
  'cron',
  'timezone',
  'missed',
  'retry',
] as const satisfies readonly (keyof IntervalSpoutOptions)[];
/** Counting what passed in years of silence, second by second, would take longer than anybody waits. */
const MAX_MISSED = 100_000;

/** When the next time after `after` is, in ms since 1970; undefined: never. */
type Schedule = (after: number) => number | undefined;

/**
 * A source of tuples `{ at, missed }` without end: `at` is the time for which it is due, `missed` how many times were
 * skipped before it. Tracked; `at` is its id and its position, so a restarted task goes on behind the last time that is
 * complete. Of several tasks only the first ticks.
 */
export function intervalSpout(
  options: IntervalSpoutOptions,
): SpoutComponent<{ readonly default: { at: Date; missed: number } }> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`intervalSpout: ${mistake}`);
  const { everyMs, cron, timezone, missed = 'skip', retry } = checkOptions(options, OPTIONS, 'options', report);
  if ((everyMs === undefined) === (cron === undefined)) report('expected either everyMs or cron');
  if (missed !== 'skip' && missed !== 'all') report(`missed: expected 'skip' or 'all', found ${shown(missed)}`);
  if (timezone !== undefined && cron === undefined) report('timezone: stands with cron only');
  const every = checkInteger(everyMs, { min: 1, max: MAX_TIMER_MS }, undefined, 'everyMs', report);
  let schedule: Schedule = (after) => (Math.floor(after / (every ?? 1)) + 1) * (every ?? 1);
  if (cron !== undefined) schedule = cronSchedule(cron, timezone, report) ?? schedule;
  return makeSpout(
    { output: { at: t.date, missed: t.number }, retry },
    (context) => (context.index === 0 ? new Ticker(schedule, missed === 'all', context) : IDLE),
    mistakes,
  );
}

function cronSchedule(cron: unknown, timezone: unknown, report: (mistake: string) => void): Schedule | undefined {
  try {
    const times = new Cron(cron as string, {
      paused: true,
      ...(timezone === undefined ? {} : { timezone: String(timezone) }),
    });
    times.nextRun();
    return (after) => times.nextRun(new Date(after))?.getTime();
  } catch (error) {
    const zone = timezone === undefined ? '' : ` with timezone ${shown(timezone)}`;
    report(
      `cron: expected an expression such as '*/5 * * * *', found ${shown(cron)}${zone}: ${(error as Error).message}`,
    );
    return undefined;
  }
}

const IDLE: SpoutInstance = { next: () => 'done' };

class Ticker implements SpoutInstance {
  readonly #schedule: Schedule;
  readonly #all: boolean;
  readonly #context: TaskContext;
  readonly #arrivals: Arrivals;
  /** the last time that was emitted or passed over */
  #last: number;

  constructor(schedule: Schedule, all: boolean, context: TaskContext) {
    this.#schedule = schedule;
    this.#all = all;
    this.#context = context;
    this.#arrivals = new Arrivals(context.signal);
    this.#last = typeof context.position === 'number' ? context.position : context.now();
  }

  next(out: SpoutOut): Promise<undefined> | 'done' | undefined {
    const due = this.#schedule(this.#last);
    if (due === undefined) return 'done';
    const now = this.#context.now();
    if (now < due) return this.#sleep(due - now);
    let at = due;
    let missed = 0;
    if (!this.#all) {
      // of all that have passed, the latest
      for (let later = this.#schedule(at); later !== undefined && later <= now && missed < MAX_MISSED; missed++) {
        at = later;
        later = this.#schedule(at);
      }
    }
    this.#last = at;
    out.emit({ at: new Date(at), missed }, { id: at, position: at });
    return undefined;
  }

  close(): void {
    this.#arrivals.stop();
  }

  /** Until then, or the end of the run; timers may be early by a millisecond, and then it sleeps again. */
  #sleep(ms: number): Promise<undefined> {
    const local = localOf(this.#context);
    if (local === undefined) return this.#arrivals.wait(Math.min(ms, MAX_TIMER_MS)).then(() => undefined);
    return waitsForNothingReal(local.sleep(ms).then(() => undefined));
  }
}
