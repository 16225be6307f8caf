/** `intervalSpout`: a tuple at each tick of a clock. */
import { SquallError, shown } from '../core/errors.js';
import { localOf, waitsForNothingReal } from '../core/testing/local-handle.js';
import type { SpoutComponent } from '../core/topology/component.js';
import type { NextResult, Position, SpoutInstance, SpoutOut, TaskContext } from '../core/topology/definition.js';
import { type Fields, t, type Values } from '../core/topology/fields.js';
import { checkInteger, checkOptions, MAX_TIMER_MS } from '../core/topology/options.js';
import type { RetryOptions } from '../core/topology/retry.js';
import { makeSpout } from '../core/topology/spout.js';
import { Arrivals } from './arrivals.js';
import { type Schedule, scheduleOf } from './schedule.js';

export interface Tick {
  /** when it was due */
  readonly at: Date;
  /** how many were emitted before it */
  readonly n: number;
}

export interface IntervalSpoutOptions {
  /** ticks at the multiples of this since 1970: with 60 000 at each full minute */
  readonly everyMs?: number;
  /** in its place a cron expression: five fields, or six with seconds first */
  readonly cron?: string;
  /** of the cron expression, such as `Europe/Berlin`; default the machine's */
  readonly timezone?: string;
  /**
   * What becomes of ticks that were due while the spout was down, paused or held up: `last` (default): of several the
   * last is emitted, late. `all`: all are, one after the other.
   */
  readonly missed?: 'last' | 'all';
  /** done after so many ticks; default never */
  readonly times?: number;
  readonly retry?: RetryOptions;
}

const OPTIONS = ['everyMs', 'cron', 'timezone', 'missed', 'times', 'retry', 'values', 'output'] as const;

/**
 * Emits `{ at, n }` at each tick, or what `values` makes of it. Tracked; a tick's id is its time, so it is the same after a
 * restart. What has not been complete when the process died is emitted again, as far as `missed` says.
 *
 * The clock is that of the run: in a test it goes as fast as the test lets it. Of several tasks the first ticks.
 */
export function intervalSpout(
  options: IntervalSpoutOptions & { readonly values?: undefined; readonly output?: undefined },
): SpoutComponent<{ readonly default: { at: Date; n: number } }>;
export function intervalSpout<O extends Fields>(
  options: IntervalSpoutOptions & { readonly values: (tick: Tick) => Values<O>; readonly output: O },
): SpoutComponent<{ readonly default: Values<O> }>;
export function intervalSpout(options: object): SpoutComponent<never> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`intervalSpout: ${mistake}`);
  const given = checkOptions(options, OPTIONS, 'options', report);
  const { missed = 'last', values, output, retry } = given;
  const schedule = scheduleOf(given, report);
  if (missed !== 'last' && missed !== 'all') report(`missed: expected 'last' or 'all', found ${shown(missed)}`);
  const range = { min: 1, max: Number.MAX_SAFE_INTEGER };
  const times = checkInteger(given.times, range, Number.POSITIVE_INFINITY, 'times', report);
  if (values !== undefined && typeof values !== 'function')
    report(`values: expected a function from { at, n } to values, found ${shown(values)}`);
  if ((values === undefined) !== (output === undefined))
    report('output: stands with values: expected both, the fields and what makes them, or neither');
  const make = typeof values === 'function' ? (values as Settings['make']) : ({ at, n }: Tick) => ({ at, n });
  const settings: Settings = { schedule, all: missed === 'all', times, make };
  const declared = { output: output ?? { at: t.date, n: t.number }, retry };
  return makeSpout(declared, (context) => new Ticker(settings, context), mistakes) as SpoutComponent<never>;
}

interface Settings {
  readonly schedule: Schedule;
  readonly all: boolean;
  readonly times: number;
  make(tick: Tick): Record<string, unknown>;
}

class Ticker implements SpoutInstance {
  readonly #settings: Settings;
  readonly #context: TaskContext;
  readonly #arrivals: Arrivals;
  #n: number;
  /** the last tick that was emitted, or the beginning */
  #atMs: number;

  constructor(settings: Settings, context: TaskContext) {
    const { n, atMs } = placeIn(context.position, context) ?? { n: 0, atMs: context.now() };
    this.#settings = settings;
    this.#context = context;
    this.#arrivals = new Arrivals(context.signal);
    this.#n = n;
    this.#atMs = atMs;
  }

  next(out: SpoutOut): NextResult | Promise<NextResult> {
    const { schedule, times } = this.#settings;
    const dueMs = this.#n < times && this.#context.index === 0 ? schedule.after(this.#atMs) : undefined;
    if (dueMs === undefined) return 'done';
    const waitMs = dueMs - this.#context.now();
    if (waitMs <= 0) {
      this.#emit(dueMs, out);
      return undefined;
    }
    return this.#wait(Math.min(waitMs, MAX_TIMER_MS), () => {
      // a timer may come a little early, and a clock be set
      if (!this.#context.signal.aborted && this.#context.now() >= dueMs) this.#emit(dueMs, out);
      return undefined;
    });
  }

  close(): void {
    this.#arrivals.stop();
  }

  #emit(dueMs: number, out: SpoutOut): void {
    const { schedule, all, make } = this.#settings;
    const atMs = all ? dueMs : schedule.lastUntil(dueMs, this.#context.now());
    const values = make({ at: new Date(atMs), n: this.#n });
    this.#n += 1;
    this.#atMs = atMs;
    out.emit(values, { id: atMs, position: { n: this.#n, atMs } });
  }

  #wait(ms: number, then: () => undefined): Promise<undefined> {
    const local = localOf(this.#context);
    if (local === undefined) return this.#arrivals.wait(ms).then(then);
    void local.sleep(ms).then(() => this.#arrivals.came());
    return waitsForNothingReal(this.#arrivals.wait().then(then));
  }
}

function placeIn(position: Position | undefined, { component }: TaskContext): { n: number; atMs: number } | undefined {
  if (position === undefined) return undefined;
  const { n, atMs } = (position ?? {}) as Partial<Record<string, unknown>>;
  if (Number.isSafeInteger(n) && Number.isFinite(atMs)) return { n: n as number, atMs: atMs as number };
  throw new SquallError(
    'ERR_SQUALL_POSITION',
    `'${component}' expected a position of intervalSpout { n, atMs }, found ${shown(position)}; if its source was ` +
      'exchanged, begin anew with --fresh',
    { facts: { position } },
  );
}
