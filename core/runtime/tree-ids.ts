/** The lineage of the first tuples of trees: each is the child of its task, numbered by its message id. */
import { hashString, hashValues } from '../grouping/hash.js';
import type { MessageId } from '../topology/definition.js';
import { StableId } from '../tuple/stable-ids.js';
import { Lineage, newStamp } from '../wire/batch.js';
import type { TaskEnv } from './env.js';
import { siteOf } from './outbox.js';

export class TreeIds {
  readonly #env: TaskEnv;
  readonly #base = new StableId();
  readonly #lineage = new Lineage();

  /** `perEpoch`: numbers begin again with each incarnation, so ids must differ: those of ticks. */
  constructor(env: TaskEnv, perEpoch: boolean) {
    this.#env = env;
    const identity: unknown[] = [env.run, env.component, env.index];
    if (perEpoch) identity.push(env.epoch);
    this.#base.set(hashValues(identity, 1), hashValues(identity, 2), hashValues(identity, 3), hashValues(identity, 4));
  }

  /** Valid until the next call. Both halves of a message id go in. */
  lineage(id: MessageId, hi: number, lo: number, meta: number): Lineage {
    const base = this.#base;
    let low: number;
    let high: number;
    if (typeof id === 'number') {
      low = id | 0;
      high = Number.isSafeInteger(id) ? Math.floor(id / 0x100000000) | 0 : hashValues([id]);
    } else if (typeof id === 'string') {
      low = hashString(id, 5);
      high = hashString(id, 6);
    } else {
      low = hashValues([id], 5);
      high = hashValues([id], 6);
    }
    const lineage = this.#lineage;
    lineage.keep = hi !== 0;
    lineage.rootHi = hi;
    lineage.rootLo = lo;
    lineage.a = (base.a ^ high) >>> 0;
    lineage.b = base.b;
    lineage.c = base.c;
    lineage.d = base.d;
    lineage.meta = meta;
    lineage.number = low >>> 0;
    lineage.stamp = newStamp();
    return lineage;
  }

  /** The stable id of the first tuple of a tree. */
  stable(stream: string, id: MessageId): StableId {
    const component = this.#env.plan.components.find(({ name }) => name === this.#env.component);
    const index = component?.definition.streams.findIndex(({ name }) => name === stream) ?? 0;
    const { a, b, c, d, number } = this.lineage(id, 0, 0, 0);
    const stable = new StableId();
    stable.child(a, b, c, d, siteOf(component?.index ?? 0, Math.max(0, index)), number);
    return stable;
  }
}
