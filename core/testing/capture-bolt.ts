/** `captureBolt`: a bolt that keeps what it gets. */
import { defineBolt } from '../topology/bolt.js';
import type { BoltComponent } from '../topology/component.js';
import type { NoStreams } from '../topology/streams.js';

export interface CapturedTuple<V = Record<string, unknown>> {
  readonly values: V;
  readonly input: string;
  /** component, stream and task that emitted it */
  readonly source: string;
  readonly stream: string;
  readonly task: number;
  /** stable id: the same on every attempt of a deterministic topology */
  readonly id: string;
  readonly attempt: number;
}

/** Takes any stream, acks what it gets, and keeps it. One topology at a time. */
export interface CaptureBolt<V> extends BoltComponent<V, NoStreams> {
  /** of all its tasks, in the order of execution */
  readonly tuples: readonly CapturedTuple<V>[];
  /** their values */
  readonly values: readonly V[];
  /** forgets them */
  clear(): void;
}

/** `V`: the values that it expects, where they are to be typed: `captureBolt<{ word: string }>()`. */
export function captureBolt<V extends object = Record<string, unknown>>(): CaptureBolt<V> {
  const tuples: CapturedTuple<V>[] = [];
  const bolt = defineBolt({
    execute({ values, input, source, stream, task, id, attempt }) {
      tuples.push({ values: values as V, input, source, stream, task, id, attempt });
    },
  });
  const own = {
    get tuples() {
      return [...tuples];
    },
    get values() {
      return tuples.map(({ values }) => values);
    },
    clear: () => void tuples.splice(0),
  };
  return Object.freeze(Object.defineProperties({ ...bolt }, Object.getOwnPropertyDescriptors(own))) as CaptureBolt<V>;
}
