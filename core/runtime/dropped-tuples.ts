/** Finds tuples that an author was given to ack or fail, and has lost: nobody ever can. */
import { SquallError } from '../errors.js';
import { StableId } from '../tuple/stable-ids.js';
import type { TaskEnv } from './env.js';
import type { Held } from './held.js';
import type { Output } from './output.js';
import type { Settler } from './settler.js';

export class DroppedTuples {
  readonly #env: TaskEnv;
  readonly #held: Held;
  readonly #output: Output;
  readonly #settler: Settler;
  #collectedAt = 0;

  constructor(env: TaskEnv, held: Held, output: Output, settler: Settler) {
    this.#env = env;
    this.#held = held;
    this.#output = output;
    this.#settler = settler;
  }

  /**
   * Fails them at once, instead of letting them time out. One that is held for `longMs` may be forgotten, which only a
   * collection of garbage tells: it costs some ms.
   */
  find(longMs: number): void {
    const now = this.#env.clock.now();
    if (this.#held.oldestAt + longMs <= now && this.#collectedAt + longMs <= now) {
      this.#collectedAt = now;
      this.#env.collectGarbage?.();
    }
    for (const hold of this.#held.takeDropped()) {
      const { where } = this.#output;
      const what = `a tuple from "${hold.batch.edge.source}" was dropped without ack or fail`;
      const id = this.#env.debug ? ` (tuple ${hold.batch.stableId(hold.row, new StableId()).toString()})` : '';
      this.#output.count('dropped-unsettled');
      this.#env.report.warn(
        `${where}: ${what}${id}; it fails and is replayed. Call out.ack(tuple) or out.fail(tuple) for each.`,
      );
      hold.state = 'failed';
      this.#settler.failedHold(hold, new SquallError('ERR_SQUALL_MISUSE', `${where}: ${what}`));
      this.#env.wake();
    }
  }
}
