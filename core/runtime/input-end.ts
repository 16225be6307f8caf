/**
 * When the input of a bolt task is over, and what comes after that: run `end`, wait until what it emitted is complete, say
 * END. The components of a cycle wait for each other in vain, so they look only at what comes from outside of it, and
 * take each further step when all of them have come so far: the supervisor, who hears them all, says when.
 */
import type { TopologyPlan } from '../topology/definition.js';

/** over: of a cycle, until it may run `end`. settling: until its own trees are complete. said: until that is confirmed. */
export type EndState = 'open' | 'over' | 'ending' | 'settling' | 'said' | 'ended';

export class InputEnd {
  state: EndState = 'open';
  readonly inCycle: boolean;
  /** tasks that have to say END */
  readonly #awaited = new Set<number>();
  #mayRun: boolean;
  #mayClose: boolean;

  constructor({ components }: TopologyPlan, component: string) {
    const own = components.find(({ name }) => name === component);
    this.inCycle = own?.cycle !== undefined;
    this.#mayRun = !this.inCycle;
    this.#mayClose = !this.inCycle;
    for (const { source } of own?.inputs ?? []) {
      const sender = components.find(({ name }) => name === source);
      if (sender === undefined || (this.inCycle && sender.cycle === own?.cycle)) continue;
      for (let index = 0; index < sender.tasks; index++) this.#awaited.add(sender.firstTask + index);
    }
  }

  /** This task has said END. */
  heard(task: number): void {
    this.#awaited.delete(task);
  }

  /** All that comes from outside of the cycle, if there is one, has ended. */
  get inputOver(): boolean {
    return this.#awaited.size === 0;
  }
  get mayRun(): boolean {
    return this.#mayRun;
  }
  get maySay(): boolean {
    return this.#mayClose;
  }

  /** All components of the cycle are ready for this step. */
  step(step: 'end' | 'close'): void {
    this.#mayRun = true;
    if (step === 'close') this.#mayClose = true;
  }
}
