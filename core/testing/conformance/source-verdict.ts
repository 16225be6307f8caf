/** Which promises of a source a round has seen broken. Pure: evidence in, violations out. */
import type { SourceAct, SourceEvidence } from './source-evidence.js';
import { examples, type Violation } from './violations.js';

/** An idle task of Squall takes a few hundredths of a processor; one that asks its source in a loop takes a whole one. */
const MAX_IDLE_SHARE = 0.5;

type Judge = (evidence: SourceEvidence) => string | undefined;

/** In the order in which they are told: what explains the others first. */
const PROMISES = {
  'lives-on': ({ deaths, starts }) => {
    const failed = starts.map(({ error }) => error).filter((error) => error !== undefined);
    if (deaths.length === 0 && failed.length === 0) return undefined;
    return `expected a source whose process ends only when it is killed; found ${[...deaths, ...failed].join('; ')}`;
  },
  tracked: ({ acts }) => {
    const count = acts.filter(({ what, id }) => what === 'emit' && id === null).length;
    if (count === 0) return undefined;
    return `expected an id with each emit; found ${count} emits without one: such a tuple is lost with whoever holds it`;
  },
  'nothing-lost': ({ keys, arrivals, starts, stuck }) => {
    const arrived = new Set(arrivals.map(({ key }) => key));
    const lost = keys.filter((key) => !arrived.has(key));
    // a round that hung or failed says nothing of those that are still to come
    if (lost.length === 0 || stuck !== undefined || starts.some(({ error }) => error !== undefined)) return undefined;
    return `expected all ${keys.length} messages at the end; ${lost.length} never came: ${examples(lost)}`;
  },
  'nothing-invented': ({ keys, arrivals }) => {
    const filled = new Set(keys);
    const strange = [...new Set(arrivals.map(({ key }) => key))].filter((key) => !filled.has(key));
    if (strange.length === 0) return undefined;
    return `expected only messages that fill() put there; found ${strange.length} others, or keyOf() gives other keys: ${examples(strange)}`;
  },
  'stable-ids': ({ arrivals, tasks }) => {
    // a shared source gives a message to another task after a restart, and the task is part of the id
    if (tasks > 1) return undefined;
    const ids = new Map<string, string>();
    const changed = new Set<string>();
    for (const { key, id } of arrivals) if ((ids.get(key) ?? ids.set(key, id).get(key)) !== id) changed.add(key);
    if (changed.size === 0) return undefined;
    return `expected the same id for a message whenever it is emitted; ${changed.size} messages came under several: ${examples([...changed])}`;
  },
  'settled-once': ({ acts }) => {
    const open = balances(acts);
    const twice = [...open].filter(([, count]) => count < 0).map(([id]) => id);
    if (twice.length === 0) return undefined;
    return `expected ack or fail at most once for each emit; more than that for ${twice.length} ids: ${examples(twice)}`;
  },
  'resumes-after-drain': (evidence) => {
    const { acts, starts, replay } = evidence;
    const drained = starts.findIndex(({ how, status }) => how === 'drained' && status === 'drained');
    const resumes = replay === 'source' || acts.some(({ positioned }) => positioned);
    if (drained < 0 || !resumes) return undefined;
    const again = repeatedAfter(acts, drained);
    if (again.length === 0) return undefined;
    return `expected that what was complete when the run was drained is not emitted again; ${again.length} messages were: ${examples(again)}`;
  },
  rejects: ({ rejects, acts, letters }) => {
    const rejected = new Set(acts.filter(({ what }) => what === 'reject').map(({ id }) => id));
    const dead = new Set(letters);
    if (rejected.size === rejects && dead.size === rejects) return undefined;
    return `expected ${rejects} messages to be rejected and kept as dead letters; ${rejected.size} were rejected, ${dead.size} are dead letters${dead.size > 0 ? `: ${examples([...dead])}` : ''}`;
  },
  'quiet-when-empty': ({ idleShare }) => {
    if (idleShare === undefined || idleShare <= MAX_IDLE_SHARE) return undefined;
    return `expected a source that waits when it has nothing; it took ${Math.round(idleShare * 100)} % of a processor. Return 'idle', or a promise that resolves when there is more`;
  },
  closes: ({ starts }) => {
    const late = starts.flatMap(({ warnings }) =>
      warnings.filter((warning) => /"squall \S+ source\[.*did not stop/.test(warning)),
    );
    const undrained = starts.filter(({ how, status }) => how !== 'cut-off' && status === 'undrained');
    if (late.length === 0 && undrained.length === 0) return undefined;
    const found = late.length > 0 ? late[0] : 'a run that could not be drained';
    return `expected close() to return soon after an orderly stop, and a waiting next() to end with context.signal; found: ${found}`;
  },
  ends: ({ stuck, keys, arrivals }) => {
    if (stuck === undefined) return undefined;
    const arrived = new Set(arrivals.map(({ key }) => key)).size;
    return `expected a round to end in time; ${arrived} of ${keys.length} messages came, and then: ${stuck}. Raise timeoutMs where the machine is slow`;
  },
} as const satisfies Readonly<Record<string, Judge>>;

/** A promise of `checkSource`: see docs/own-connectors.md. */
export type SourcePromise = keyof typeof PROMISES;

export function sourceVerdict(evidence: SourceEvidence, round: number): Violation[] {
  const violations: Violation[] = [];
  for (const [promise, judge] of Object.entries(PROMISES)) {
    const message = (judge as Judge)(evidence);
    if (message !== undefined) violations.push({ promise, round, message });
  }
  return violations;
}

/** By start, life and id: emits and rejects that are not settled; below zero: settled too often. */
function balances(acts: readonly SourceAct[]): Map<string, number> {
  const open = new Map<string, number>();
  for (const { what, start, life, id } of acts) {
    if (id === null) continue;
    const of = `${id} (start ${start}, life ${life})`;
    const by = what === 'emit' || what === 'reject' ? 1 : what === 'ack' || what === 'fail' ? -1 : 0;
    open.set(of, (open.get(of) ?? 0) + by);
  }
  return open;
}

/** Ids that were complete in the lives that drained, and were emitted by a later start. */
export function repeatedAfter(acts: readonly SourceAct[], drained: number): string[] {
  const closed = new Set(
    acts.filter(({ what, start }) => what === 'close' && start === drained).map(({ life }) => life),
  );
  const complete = new Set<string | null>();
  const again = new Set<string>();
  for (const { what, start, life, id } of acts) {
    if (start === drained && what === 'ack' && closed.has(life)) complete.add(id);
    if (start > drained && what === 'emit' && id !== null && complete.has(id)) again.add(id);
  }
  return [...again];
}
