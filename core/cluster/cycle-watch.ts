/**
 * Tells when the components of a cycle may take their next step together: run `end` once nothing comes from outside any
 * more and nothing goes round in the cycle; then, when what `end` had emitted has gone round too, say END. Pure.
 *
 * That nothing goes round is proven by two rounds of reports (double counting: Mattern, "Algorithms for distributed
 * termination detection", 1987). A round asks each task of the cycle for a report, and the next one is begun only after
 * all of them have come; so every report of the second round was taken later than every report of the first. In both
 * all tasks are quiet, and each has the same incarnation and the same counts of executed and emitted tuples. Take a
 * moment between the rounds. Nobody executed or emitted anything from its first report until then, nor from then until
 * its second: its counts would differ. A tuple on its way at that moment had therefore been sent before its sender's
 * first report, and was not confirmed there: that sender was not quiet. One that waited to be executed would still wait
 * at its receiver's second report, which then was not quiet. So at that moment there was no tuple within the cycle, and
 * from outside comes none: nothing is left that could make one. A single round proves nothing: a tuple may always be
 * with those who have reported already or have yet to report.
 */
import type { TaskStats } from '../runtime/protocol.js';
import type { TopologyPlan } from '../topology/definition.js';

export interface CycleStep {
  readonly cycle: number;
  readonly step: 'end' | 'close';
}

/** To be asked of each of the tasks: a report that is an answer to this round. */
export interface CycleRound {
  readonly round: number;
  readonly tasks: readonly number[];
}

export type CycleReport = Pick<TaskStats, 'task' | 'epoch' | 'bolt' | 'cycle'>;

interface Cycle {
  readonly cycle: number;
  readonly tasks: readonly number[];
  /** the step that is to be taken next */
  next: CycleStep['step'] | undefined;
  /** each task's last report, asked for or not */
  readonly last: Map<number, CycleReport>;
  /** the round under way, or the last one; 0: none yet */
  round: number;
  /** answers to it */
  answers: Map<number, CycleReport>;
  /** answers to the last round before it that all tasks had answered */
  before: ReadonlyMap<number, CycleReport> | undefined;
}

export class CycleWatch {
  readonly #cycles: readonly Cycle[];
  readonly #taken: CycleStep[] = [];
  #rounds = 0;

  constructor({ cycles, components }: Pick<TopologyPlan, 'cycles' | 'components'>) {
    this.#cycles = cycles.map((_names, cycle): Cycle => {
      const tasks = components
        .filter((component) => component.cycle === cycle)
        .flatMap(({ firstTask, tasks }) => Array.from({ length: tasks }, (_, index) => firstTask + index));
      return { cycle, tasks, next: 'end', last: new Map(), round: 0, answers: new Map(), before: undefined };
    });
  }

  /** Steps taken so far, in order: for a task that starts again. */
  get taken(): readonly CycleStep[] {
    return this.#taken;
  }

  tasksOf(cycle: number): readonly number[] {
    return this.#cycles[cycle].tasks;
  }

  /**
   * Rounds to begin now: for each cycle that looks ready by what its tasks said last and has no round under way.
   * `anew`: also where one is under way, because a process died that will not answer.
   */
  ask(anew = false): CycleRound[] {
    return this.#cycles
      .filter((cycle) => cycle.next !== undefined && allReady(cycle, cycle.last))
      .filter(({ round, answers, tasks }) => anew || round === 0 || answers.size === tasks.length)
      .map((cycle) => {
        if (cycle.answers.size === cycle.tasks.length) cycle.before = cycle.answers;
        cycle.round = ++this.#rounds;
        cycle.answers = new Map();
        return { round: cycle.round, tasks: cycle.tasks };
      });
  }

  /** Takes reports, answers to a round or others. Returns the steps that are to be taken now, each once. */
  report(reports: readonly CycleReport[], round?: number): CycleStep[] {
    const due: CycleStep[] = [];
    for (const report of reports) {
      const cycle = this.#cycles.find(({ tasks }) => tasks.includes(report.task));
      if (cycle === undefined) continue;
      cycle.last.set(report.task, report);
      if (cycle.round !== round) continue;
      cycle.answers.set(report.task, report);
      const { next } = cycle;
      if (next === undefined || !proven(cycle)) continue;
      due.push({ cycle: cycle.cycle, step: next });
      cycle.next = next === 'end' ? 'close' : undefined;
    }
    this.#taken.push(...due);
    return due;
  }
}

/** Both rounds are answered by all, all were ready in both, and nobody has done anything meanwhile. */
function proven(cycle: Cycle): boolean {
  const { before, answers } = cycle;
  if (before === undefined || !allReady(cycle, before) || !allReady(cycle, answers)) return false;
  return cycle.tasks.every((task) => {
    const [one, other] = [before.get(task), answers.get(task)];
    return (
      one?.epoch === other?.epoch &&
      one?.bolt?.executed === other?.bolt?.executed &&
      one?.bolt?.emitted === other?.bolt?.emitted
    );
  });
}

/** All tasks have come to the point where the next step is theirs, and are quiet. */
function allReady({ tasks, next }: Cycle, reports: ReadonlyMap<number, CycleReport>): boolean {
  return tasks.every((task) => {
    const state = reports.get(task)?.cycle;
    if (state?.quiet !== true) return false;
    return state.step === 'settling' || state.step === 'said' || (next === 'end' && state.step === 'over');
  });
}
