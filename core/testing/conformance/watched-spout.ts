/** A spout as it is, that writes down what it emits and what it is told. */

import type { SpoutComponent } from '../../topology/component.js';
import { isPromise, whenMade } from '../../topology/component.js';
import type { MessageId, SpoutInstance, SpoutOut, TaskContext } from '../../topology/definition.js';
import { Journal } from './journal.js';

/** How often the process says how much of the processor it has used: a second of idling gives ten samples. */
const USAGE_EVERY_MS = 100;

/** Entries: `[what, start, life, …]`; a life is a task and its epoch. */
export function watchedSpout(spout: SpoutComponent, file: string, start: number): SpoutComponent {
  return Object.freeze({
    ...spout,
    open: (context: TaskContext) => {
      const journal = new Journal(file);
      const life = `${context.index}.${context.epoch}`;
      const note = (what: string, ...facts: (string | number | boolean | null)[]): void =>
        journal.write(what, start, life, ...facts);
      note('open', JSON.stringify(context.position ?? null));
      return whenMade(spout.open(context), (inner) => watched(inner, note));
    },
  });
}

export function idText(id: MessageId): string {
  return `${typeof id} ${id}`;
}

type Note = (what: string, ...facts: (string | number | boolean | null)[]) => void;

function watched(inner: SpoutInstance, note: Note): SpoutInstance {
  /** since the last sample it was asked for more, or still has not answered */
  let asked = false;
  let open = false;
  const usage = setInterval(() => {
    const { user, system } = process.cpuUsage();
    note('usage', (user + system) / 1000, performance.now(), asked || open);
    asked = false;
  }, USAGE_EVERY_MS).unref();
  const settled = (): void => {
    open = false;
  };
  let known: SpoutOut | undefined;
  let noting: SpoutOut;
  const outOf = (out: SpoutOut): SpoutOut => {
    if (out !== known) {
      known = out;
      noting = notingOut(out, note);
    }
    return noting;
  };
  return {
    next(out) {
      asked = true;
      const result = inner.next(outOf(out));
      if (!isPromise(result)) return result;
      open = true;
      const promise = Promise.resolve(result);
      promise.then(settled, settled);
      return promise;
    },
    ack: (id) => {
      note('ack', idText(id));
      inner.ack?.(id);
    },
    fail: (id, failure) => {
      note('fail', idText(id), failure.reason);
      inner.fail?.(id, failure);
    },
    activate: inner.activate && (() => inner.activate?.()),
    deactivate: inner.deactivate && (() => inner.deactivate?.()),
    close: async () => {
      clearInterval(usage);
      await inner.close?.();
      note('close');
    },
  };
}

function notingOut(out: SpoutOut, note: Note): SpoutOut {
  const emitted = (options: Parameters<SpoutOut['emit']>[1]): void =>
    note('emit', options?.id === undefined ? null : idText(options.id), options?.position !== undefined);
  return {
    // noted first: a kill between the two makes an emit too many in the journal, and not one too few
    emit(values, options) {
      emitted(options);
      out.emit(values, options);
    },
    emitDirect(task, values, options) {
      emitted(options);
      out.emitDirect(task, values, options);
    },
    ready: () => out.ready(),
    reject(id, error, options) {
      note('reject', idText(id), error.message);
      out.reject(id, error, options);
    },
  };
}
