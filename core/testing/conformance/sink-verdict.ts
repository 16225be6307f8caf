/** Which promises of a sink a round has seen broken. Pure: evidence in, violations out. */
import type { SinkEvidence } from './sink-evidence.js';
import { examples, type Violation } from './violations.js';

type Judge = (evidence: SinkEvidence) => string | undefined;

/** In the order in which they are told: what explains the others first. */
const PROMISES = {
  'lives-on': ({ deaths, errors }) => {
    const found = [...deaths, ...errors];
    if (found.length === 0) return undefined;
    return `expected a sink whose process ends only when it is killed; found ${found.join('; ')}`;
  },
  'stored-before-ack': ({ readings }) => {
    const lost = [...new Set(readings.flatMap(({ unreadable }) => unreadable))];
    if (lost.length === 0) return undefined;
    const acked = Math.max(...readings.map((reading) => reading.acked));
    return `expected that what is acked can be read, also when the sink is killed right after the ack; of ${acked} acked messages ${lost.length} could not: ${examples(lost)}`;
  },
  'at-least-once': ({ keys, stored, errors, stuck, cut }) => {
    const found = new Set(stored);
    const lost = keys.filter((key) => !found.has(key));
    // a round that hung or failed says nothing of those that are still to come
    if (lost.length === 0 || stuck !== undefined || cut || errors.length > 0) return undefined;
    return `expected all ${keys.length} messages in the store; ${lost.length} are not: ${examples(lost)}`;
  },
  'nothing-invented': ({ keys, stored, order }) => {
    const sent = new Set([...keys, ...(order?.sent ?? [])]);
    const strange = [...new Set(stored)].filter((key) => !sent.has(key));
    if (strange.length === 0) return undefined;
    return `expected only messages that the sink was given; found ${strange.length} others, or read() and keyOf() give other keys: ${examples(strange)}`;
  },
  'exactly-once': ({ idempotent, stored }) => {
    const twice = idempotent ? repeated(stored) : [];
    if (twice.length === 0) return undefined;
    return `expected each message once, because the sink is said to be idempotent; ${twice.length} are there more often: ${examples(twice)}`;
  },
  ordered: ({ order }) => {
    if (order === undefined) return undefined;
    const sent = new Map(order.sent.map((key, at) => [key, at]));
    const stored = order.stored.filter((key) => sent.has(key));
    const wrong = stored.filter((key, at) => at > 0 && (sent.get(key) ?? 0) < (sent.get(stored[at - 1]) ?? 0));
    if (wrong.length === 0) return undefined;
    return `expected messages of one sender in the order they were sent, while nothing fails; ${wrong.length} are behind later ones: ${examples(wrong)}`;
  },
  'failing-store': ({ outage }) => {
    if (outage === undefined) return undefined;
    const { errors, deaths } = outage;
    if (deaths > 0)
      return `expected a sink that fails its tuples while the store is broken; its process ended ${deaths} times`;
    if (errors.some((message) => message.trim() === ''))
      return 'expected tuples to fail with the error of the store; found errors without a message';
    return undefined;
  },
  closes: ({ warnings }) => {
    const late = warnings.find((warning) => /"squall \S+ sink\[.*did not stop/.test(warning));
    return late === undefined ? undefined : `expected cleanup() to return soon after an orderly stop; found: ${late}`;
  },
  ends: ({ stuck, keys, stored }) => {
    if (stuck === undefined) return undefined;
    const there = new Set(stored).size;
    return `expected a round to end in time; ${there} of ${keys.length} messages are stored, and then: ${stuck}. Raise timeoutMs where the machine is slow`;
  },
} as const satisfies Readonly<Record<string, Judge>>;

/** A promise of `checkSink`: see docs/own-connectors.md. */
export type SinkPromise = keyof typeof PROMISES;

export function sinkVerdict(evidence: SinkEvidence, round: number): Violation[] {
  const violations: Violation[] = [];
  for (const [promise, judge] of Object.entries(PROMISES)) {
    const message = (judge as Judge)(evidence);
    if (message !== undefined) violations.push({ promise, round, message });
  }
  return violations;
}

/** Keys that are there more than once. */
export function repeated(keys: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const key of keys) (seen.has(key) ? twice : seen).add(key);
  return [...twice];
}
