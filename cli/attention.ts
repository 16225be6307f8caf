/** What is wrong with a run, in words, the worst first. Pure. */
import type { RunSnapshot } from '../core/cluster/run-types.js';
import { clean, count, duration, plural } from './format.js';
import type { RunHistory } from './top-history.js';

export interface Attention {
  readonly kind:
    | 'silent'
    | 'down'
    | 'crash-loop'
    | 'starting'
    | 'paused'
    | 'draining'
    | 'stalled'
    | 'full'
    | 'busy'
    | 'nats-away'
    | 'pending-grows'
    | 'restarts'
    | 'dead-letters';
  /** component, or component[task], that it is about; missing: the whole run */
  readonly where?: string;
  readonly text: string;
}

/** A run tells how it is four times a second: what is missing for so long is no hiccup. */
const SILENT_MS = 1_500;
/** Workers report a few times a second; so long without one tuple is a stall where there is work. */
const STALLED_MS = 1_000;
/** So many deaths, and the last within so long: it will not stay up by itself. */
const LOOP_RESTARTS = 2;
const LOOP_MS = 30_000;
/** Pending tuples that became so many times more, and are at least so many, grow. */
const GROWTH = 1.5;
/** Without room for so long. At full speed a window is empty now and then. */
const BLOCKED_MS = 1_000;
const SETTLED_MS = 3_000;
/** So much of the time, with so many waiting: it is what the others wait for. */
const BUSY = 0.8;
const BUSY_QUEUE = 32;
/** Further tasks are only counted. */
const NAMED = 4;
const GROWTH_LEAST = 1_000;

export function attentionOf(history: RunHistory, nowMs: number): Attention[] {
  const { latest } = history;
  if (latest === undefined) return [];
  const down = processes(history, latest);
  return [
    ...silence(history, nowMs),
    ...down,
    ...phase(latest),
    // A process that is down is the reason.
    ...(down.some(({ where }) => where !== undefined) ? [] : stalls(history, latest)),
    ...(down.some(({ where }) => where !== undefined) ? [] : bottlenecks(latest)),
    ...links(latest),
    ...growth(history),
    ...deadLetters(latest),
  ];
}

function silence(history: RunHistory, nowMs: number): Attention[] {
  const ms = history.silentMs(nowMs);
  if (ms < SILENT_MS) return [];
  const text = `no word from the run for ${duration(ms)}: NATS or the run's own process is away; figures are old`;
  return [{ kind: 'silent', text }];
}

function processes(history: RunHistory, { tasks, topology, phase: now }: RunSnapshot): Attention[] {
  if (now === 'ended') return [];
  const down: Attention[] = [];
  for (const { component: name, state, restarts, restartInMs, death } of tasks) {
    const where = clean(name);
    const isDown = state === 'gone' || state === 'starting';
    const lately = death !== undefined && Date.now() - death.at < LOOP_MS;
    if (restarts >= LOOP_RESTARTS && (isDown || lately)) {
      const next = restartInMs === undefined ? '' : `; again in ${duration(restartInMs)}`;
      const why = death === undefined ? '' : `; the last time of: ${clean(death.message.split('\n')[0])}`;
      down.push({
        kind: 'crash-loop',
        where,
        text: `${where} CRASH-LOOPS: its process died ${plural(restarts, 'time')}${next}${why}`,
      });
    } else if (isDown && now !== 'starting') {
      const what = state === 'gone' ? 'its process died and waits to be started again' : 'its process is starting';
      down.push({ kind: 'down', where, text: `${where} is down: ${what}` });
    }
  }
  if (down.length > 0) return down;
  const lately = history.restartsLately();
  if (lately === 0) return [];
  return [
    { kind: 'restarts', text: `${plural(lately, 'restart')} of ${topology}'s processes while you watch; all are up` },
  ];
}

function phase({ phase: now, topology, workers, tasks }: RunSnapshot): Attention[] {
  if (now === 'paused') {
    const text = `PAUSED: the spouts emit nothing until squall resume ${topology}`;
    return [{ kind: 'paused', text }];
  }
  if (now === 'starting' && workers.up < workers.all) {
    const missing = tasks.filter(({ state }) => state !== 'ready').map(({ component }) => clean(component));
    const names = missing.length <= NAMED ? missing : [...missing.slice(0, NAMED), `${missing.length - NAMED} more`];
    return [{ kind: 'starting', text: `starting: waiting for ${names.join(', ') || 'its processes'}` }];
  }
  if (now === 'draining') {
    return [{ kind: 'draining', text: 'draining: no more input; it ends when what is in flight is completed' }];
  }
  return [];
}

/** Tuples are pending, and nothing completes. The bolts that stand still are named, those that hold a tuple first. */
function stalls(history: RunHistory, { spouts, bolts, phase: now }: RunSnapshot): Attention[] {
  if (now === 'starting' || now === 'ended') return [];
  const waiting = Object.entries(spouts).filter(([, { pending }]) => pending > 0);
  if (waiting.length === 0 || !waiting.every(([name]) => history.stillMs(name) >= STALLED_MS)) return [];
  const pending = waiting.reduce((sum, [, spout]) => sum + spout.pending, 0);
  const still = Object.entries(bolts).filter(([name]) => history.stillMs(name) >= STALLED_MS);
  const holding = still.filter(([, { executed, acked, failed }]) => executed > acked + failed);
  const idle = holding.length > 0 ? holding : still;
  const last = Math.max(...idle.map(([name]) => history.stillMs(name)), STALLED_MS);
  const names = idle.map(([name]) => name).join(', ');
  const who =
    holding.length > 0
      ? `${names} took a tuple and has not settled it for ${duration(last)} or more`
      : `nothing is executed by ${names} for ${duration(last)} or more`;
  const text = `STALLED: ${count(pending)} pending and nothing completes${idle.length === 0 ? '' : `; ${who}`}`;
  return [{ kind: 'stalled', ...(idle.length === 1 ? { where: names } : {}), text }];
}

/** Somebody waits for room: for whom, and how busy that one is. The last in the chain is the reason. */
function bottlenecks({ tasks, phase: now, elapsedMs, load = {} }: RunSnapshot): Attention[] {
  // before the first tuples nobody has said yet what he has room for
  if (now !== 'running' || elapsedMs < SETTLED_MS) return [];
  const waiters = new Map<string, { readonly who: Set<string>; ms: number }>();
  for (const { component, blockedOn = [] } of tasks) {
    for (const { component: target, task, ms } of blockedOn) {
      if (ms < BLOCKED_MS) continue;
      const name = `${target}[${task}]`;
      const known = waiters.get(name) ?? { who: new Set<string>(), ms: 0 };
      known.who.add(component);
      known.ms = Math.max(known.ms, ms);
      waiters.set(name, known);
    }
  }
  const found: Attention[] = [];
  for (const [name, { who, ms }] of waiters) {
    const task = tasks.find(({ component }) => component === name);
    // it waits itself
    if ((task?.blockedOn ?? []).some(({ ms }) => ms >= BLOCKED_MS)) continue;
    const busy = task?.load?.capacity ?? 0;
    const still = task?.process?.standsStillMs;
    const why =
      still !== undefined
        ? `its process has not turned for ${duration(still)}`
        : `it is busy ${Math.round(busy * 100)}% of the time`;
    const queued = count(task?.load?.queued ?? 0);
    const names = [...who].map(clean);
    found.push({
      kind: 'full',
      where: clean(name),
      text: `${clean(name)} is FULL: ${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ' …' : ''} waits for it, ${duration(ms)} so far; ${queued} tuples in its queue, and ${why}`,
    });
  }
  if (found.length > 0) return found;
  const [slowest] = Object.entries(load).toSorted(([, a], [, b]) => b.capacity - a.capacity);
  if (slowest === undefined) return [];
  const [name, { capacity, queued }] = slowest;
  if (capacity < BUSY || queued < BUSY_QUEUE) return [];
  const text = `${clean(name)} is the slowest: busy ${Math.round(capacity * 100)}% of the time, ${count(queued)} tuples wait for it; more tasks of it would help`;
  return [{ kind: 'busy', where: clean(name), text }];
}

function links({ linksDown = 0 }: RunSnapshot): Attention[] {
  if (linksDown === 0) return [];
  return [
    {
      kind: 'nats-away',
      text: `NATS is away: ${plural(linksDown, 'connection')} down; emission stops until it is back`,
    },
  ];
}

function growth(history: RunHistory): Attention[] {
  const grown = history.pendingGrowth();
  if (grown === undefined || grown.now < GROWTH_LEAST || grown.now < GROWTH * grown.before) return [];
  const text = `pending grows: ${count(grown.before)} ten seconds ago, ${count(grown.now)} now`;
  return [{ kind: 'pending-grows', text }];
}

function deadLetters({ spouts, topology }: RunSnapshot): Attention[] {
  const dead = Object.values(spouts).reduce((sum, spout) => sum + spout.deadLettered, 0);
  if (dead === 0) return [];
  return [{ kind: 'dead-letters', text: `${plural(dead, 'dead letter')}: squall dead ${topology} list` }];
}
