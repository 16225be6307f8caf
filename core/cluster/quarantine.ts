/** Tuples that kill the processes which execute them: after two announced deaths nobody executes them any more. */
import type { ToWorker } from '../runtime/protocol.js';
import { takeSuspect } from '../runtime/suspect-file.js';
import type { WorkerPlace } from './assignment.js';

/** A tuple that was being executed at so many announced deaths is kept from killing more. */
export const DEATHS_BEFORE_QUARANTINE = 2;

type Order = Extract<ToWorker, { type: 'quarantine' }>;

export class Quarantine {
  /** stable ids of tuples that nobody executes any more */
  readonly poison: string[] = [];
  readonly #deaths = new Map<string, number>();

  /** A worker has died. The order to all workers, if it was executing a tuple that had killed its executor before. */
  died(suspectFile: string, place: WorkerPlace): Order | undefined {
    const suspect = takeSuspect(suspectFile);
    if (suspect === undefined) return undefined;
    const { id, hi, lo } = suspect;
    const deaths = (this.#deaths.get(id) ?? 0) + 1;
    this.#deaths.set(id, deaths);
    if (deaths < DEATHS_BEFORE_QUARANTINE) return undefined;
    this.poison.push(id);
    const at = place.tasks.find(({ task }) => task === suspect.task);
    const where = at === undefined ? {} : { component: at.component, task: at.task };
    return { type: 'quarantine', id, hi, lo, failure: { reason: 'kills-worker', attempts: deaths + 1, ...where } };
  }
}
