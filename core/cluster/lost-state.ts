/** What a component keeps in its own memory dies with its process. It is said, and where it matters the run is incomplete. */
import type { TaskStats } from '../runtime/protocol.js';
import type { ComponentPlan, TopologyPlan } from '../topology/definition.js';
import type { Accounts } from './accounts.js';
import type { WorkerPlace } from './assignment.js';
import type { RunJournal } from './run-journal.js';

export interface Loss {
  readonly place: WorkerPlace;
  readonly epoch: number;
  readonly why: string;
  /** last reports of its tasks */
  readonly reports: readonly (TaskStats | undefined)[];
}

export interface LostStateOptions {
  readonly plan: TopologyPlan;
  readonly accounts: Accounts;
  readonly journal: RunJournal;
  /** tasks that had said END */
  readonly ended: ReadonlySet<number>;
  warn(message: string): void;
}

export class LostState {
  readonly #options: LostStateOptions;
  /** tasks of bolts that emit something at the end */
  readonly #hasEnd = new Set<number>();
  /** deaths whose consequences are still to be told */
  readonly #losses: Loss[] = [];
  #incomplete = false;

  constructor(options: LostStateOptions) {
    this.#options = options;
  }

  /** What a bolt emits at the end lacks something. */
  get incomplete(): boolean {
    return this.#incomplete;
  }

  hasEnd(tasks: readonly number[]): void {
    for (const task of tasks) this.#hasEnd.add(task);
  }

  died(loss: Loss): void {
    this.#losses.push(loss);
  }

  /** To be called when the senders have told what they had sent to the dead. */
  assess(): void {
    for (const loss of this.#losses.splice(0)) this.#assess(loss);
  }

  #assess({ place, epoch, why, reports }: Loss): void {
    const { accounts, journal, ended, warn } = this.#options;
    for (const [at, { task, component, index }] of place.tasks.entries()) {
      const known = this.#componentOf(component);
      if (known === undefined || ended.has(task)) continue;
      const { definition } = known;
      if (definition.kind === 'spout') {
        warn(
          journal.position(component, index) === undefined
            ? `${component}[${task}] died (${why}) and had stored no position: it begins again, so its tuples may repeat`
            : `${component}[${task}] died (${why}): it goes on from its stored position, what was pending is emitted again, and its counts lack its last moments`,
        );
        continue;
      }
      // of what was handed over within the process nobody is left to tell
      const fedWithin = known.inputs.some(({ source }) => place.tasks.some((own) => own.component === source));
      if (!definition.keepsState || !(fedWithin || accounts.everExecuted(task, epoch, reports[at]))) continue;
      const hasEnd = this.#hasEnd.has(task);
      if (hasEnd) this.#incomplete = true;
      warn(
        `${component}[${task}] died (${why}): what it had kept in memory is lost` +
          (hasEnd ? '; what it emits at the end is incomplete' : ''),
      );
    }
  }

  /** A run that was cut off goes on, but not with what its bolts had in memory. */
  resumedWithout({ tasks }: WorkerPlace): void {
    for (const { task, component } of tasks) {
      const definition = this.#componentOf(component)?.definition;
      if (definition?.kind !== 'bolt' || !definition.keepsState) continue;
      if (this.#hasEnd.has(task)) this.#incomplete = true;
      this.#options.warn(
        `this run goes on where an earlier one was cut off: what ${component}[${task}] had kept in memory is lost. ` +
          'To begin again from the start: --fresh',
      );
    }
  }

  #componentOf(component: string): ComponentPlan | undefined {
    return this.#options.plan.components.find(({ name }) => name === component);
  }
}
