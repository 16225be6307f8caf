/** An `out` that notes what is emitted. What a ledger sends again later is no emit of the component's, and is not noted. */
import type { BoltOut, SpoutOut } from '../topology/definition.js';
import type { Recorder } from './recorder.js';

/** Where a task's emits are noted. */
export interface Place {
  readonly component: string;
  readonly task: number;
  /** false: its worker has died, so nothing of it gets out any more */
  alive(): boolean;
  /** it waits for room in its output */
  forRoom(ready: Promise<void>): Promise<void>;
}

type Row = Readonly<Record<string, unknown>>;

/** Makes an emit, and notes it once it has been taken. */
function noting(recorder: Recorder, place: Place, attempt: number) {
  return (values: Row, stream: string | undefined, emit: () => void): void => {
    if (!place.alive()) return;
    const kept = recorder.copy(values);
    emit();
    recorder.emitted(place, stream, kept, attempt);
  };
}

/** Returns one and the same `out` round all that it is given: a spout has one for its whole life. */
export function notingSpoutOut(recorder: Recorder, place: Place): (inner: SpoutOut) => SpoutOut {
  const note = noting(recorder, place, 1);
  let inner: SpoutOut;
  const outer: SpoutOut = {
    emit: (values, options) => note(values, options?.stream, () => inner.emit(values, options)),
    emitDirect: (task, values, options) => note(values, options?.stream, () => inner.emitDirect(task, values, options)),
    ready: () => place.forRoom(inner.ready()),
    reject: (id, error, options) => {
      if (place.alive()) inner.reject(id, error, options);
    },
  };
  return (out) => {
    inner = out;
    return outer;
  };
}

export function notingBoltOut(recorder: Recorder, place: Place, inner: BoltOut, attempt: number): BoltOut {
  const note = noting(recorder, place, attempt);
  return {
    emit: (values, options) => note(values, options?.stream, () => inner.emit(values, options)),
    emitDirect: (task, values, options) => note(values, options?.stream, () => inner.emitDirect(task, values, options)),
    ready: () => place.forRoom(inner.ready()),
    ack: (tuple) => {
      if (place.alive()) inner.ack(tuple);
    },
    fail: (tuple, reason) => {
      if (place.alive()) inner.fail(tuple, reason);
    },
  };
}
