/** When the ticks of `intervalSpout` are due. */
import { Cron } from 'croner';
import { shown } from '../core/errors.js';
import { checkInteger, MAX_TIMER_MS, type Report } from '../core/topology/options.js';

export interface Schedule {
  /** The first tick after this time, both in ms since 1970; undefined: none comes any more. */
  after(timeMs: number): number | undefined;
  /** The last tick that is not after `nowMs`, of which `dueMs` is one. */
  lastUntil(dueMs: number, nowMs: number): number;
}

/** Multiples since 1970: the same in every process, whenever it was started. */
function every(everyMs: number): Schedule {
  const floor = (timeMs: number): number => Math.floor(timeMs / everyMs) * everyMs;
  return {
    after: (timeMs) => floor(timeMs) + everyMs,
    lastUntil: (dueMs, nowMs) => Math.max(dueMs, floor(nowMs)),
  };
}

function by(cron: Cron): Schedule {
  const after = (timeMs: number): number | undefined => cron.nextRun(new Date(timeMs))?.getTime();
  return {
    after,
    lastUntil(dueMs, nowMs) {
      let last = dueMs;
      for (let next = after(last); next !== undefined && next <= nowMs; next = after(next)) last = next;
      return last;
    },
  };
}

/** The schedule that the options mean; what is wrong is reported. */
export function scheduleOf(options: Readonly<Record<string, unknown>>, report: Report): Schedule {
  const { everyMs, cron, timezone } = options;
  const never: Schedule = { after: () => undefined, lastUntil: (dueMs) => dueMs };
  if ((everyMs === undefined) === (cron === undefined)) {
    report(`expected either everyMs or cron, found ${everyMs === undefined ? 'neither' : 'both'}`);
    return never;
  }
  if (cron === undefined) {
    if (timezone !== undefined) report('timezone: stands with cron only');
    const found = checkInteger(everyMs, { min: 1, max: MAX_TIMER_MS }, undefined, 'everyMs', report);
    return found === undefined ? never : every(found);
  }
  if (typeof cron !== 'string' || (timezone !== undefined && typeof timezone !== 'string')) {
    if (typeof cron !== 'string') report(`cron: expected an expression such as '*/5 * * * *', found ${shown(cron)}`);
    else report(`timezone: expected a name such as 'Europe/Berlin', found ${shown(timezone)}`);
    return never;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    report(`timezone: expected a name such as 'Europe/Berlin', found ${shown(timezone)}`);
    return never;
  }
  try {
    const parsed = new Cron(cron, { paused: true, timezone });
    if (parsed.nextRun(new Date(0)) === null) report(`cron: '${cron}' never comes`);
    return by(parsed);
  } catch (error) {
    report(`cron: expected an expression such as '*/5 * * * *', found ${shown(cron)}: ${(error as Error).message}`);
    return never;
  }
}
