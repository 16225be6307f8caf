import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { type CycleReport, CycleWatch } from '../../core/cluster/cycle-watch.js';
import type { ComponentPlan } from '../../core/topology/definition.js';
import { holds } from '../support/property.js';

type Plan = ConstructorParameters<typeof CycleWatch>[0];

/** Components of one task each, all in cycle 0. */
function plan(tasks: number): Plan {
  const components = Array.from({ length: tasks }, (_, at) => ({ firstTask: at + 1, tasks: 1, cycle: 0 }));
  return { cycles: [['a']], components: components as unknown as ComponentPlan[] };
}

type Step = 'open' | 'over' | 'settling' | 'said';

function report(task: number, step: Step, quiet = true, executed = 0, epoch = 1, emitted = 0): CycleReport {
  return { task, epoch, bolt: { executed, emitted, acked: 0, failed: 0 }, cycle: { step, quiet } } as CycleReport;
}

const both = (step: Step) => [report(1, step), report(2, step)];

function round(watch: CycleWatch, reports: readonly CycleReport[]): unknown[] {
  const [{ round: number }] = watch.ask();
  return watch.report(reports, number);
}

test('a step is due after two rounds in which all tasks were there, quiet and unchanged; each step once', (t) => {
  const watch = new CycleWatch(plan(2));
  t.deepEqual(watch.report(both('over')), []);
  t.deepEqual(round(watch, both('over')), []);
  t.deepEqual(round(watch, both('over')), [{ cycle: 0, step: 'end' }]);
  t.deepEqual(watch.ask(), [], 'the next step is not near');
  t.deepEqual(watch.report(both('settling')), []);
  t.deepEqual(round(watch, both('settling')), []);
  t.deepEqual(round(watch, both('settling')), [{ cycle: 0, step: 'close' }]);
  watch.report(both('said'));
  t.deepEqual(watch.ask(), [], 'there is no further step');
  t.deepEqual(watch.taken, [
    { cycle: 0, step: 'end' },
    { cycle: 0, step: 'close' },
  ]);
});

for (const [what, changed] of [
  ['executed', report(2, 'over', true, 1)],
  ['emitted', report(2, 'over', true, 0, 1, 1)],
  ['died and came again', report(2, 'over', true, 0, 2)],
] as const) {
  test(`who ${what} between two rounds begins the proof anew`, (t) => {
    const watch = new CycleWatch(plan(2));
    watch.report(both('over'));
    t.deepEqual(round(watch, both('over')), []);
    t.deepEqual(round(watch, [report(1, 'over'), changed]), []);
    t.deepEqual(round(watch, [report(1, 'over'), changed]), [{ cycle: 0, step: 'end' }]);
  });
}

test('reports that nobody asked for, or that answer an earlier round, prove nothing', (t) => {
  const watch = new CycleWatch(plan(2));
  for (let times = 0; times < 5; times++) t.deepEqual(watch.report(both('over')), []);
  const [first] = watch.ask();
  watch.report([report(1, 'over')], first.round);
  const [second] = watch.ask(true);
  t.deepEqual(watch.report(both('over'), first.round), []);
  t.deepEqual(watch.report(both('over'), second.round), [], 'it is the first that all have answered');
  t.deepEqual(round(watch, both('over')), [{ cycle: 0, step: 'end' }]);
});

test('nobody is asked while a task is open or busy, or while a round is under way', (t) => {
  const watch = new CycleWatch(plan(2));
  t.deepEqual(watch.ask(), []);
  watch.report([report(1, 'over'), report(2, 'open')]);
  t.deepEqual(watch.ask(), []);
  watch.report([report(2, 'over', false)]);
  t.deepEqual(watch.ask(), []);
  watch.report([report(2, 'over')]);
  t.deepEqual(watch.ask(), [{ round: 1, tasks: [1, 2] }]);
  t.deepEqual(watch.ask(), []);
});

test('cycles of one topology take their steps apart', (t) => {
  const components = [
    { firstTask: 1, tasks: 2, cycle: 0 },
    { firstTask: 3, tasks: 1, cycle: undefined },
    { firstTask: 4, tasks: 1, cycle: 1 },
  ];
  const watch = new CycleWatch({ cycles: [['a'], ['c']], components: components as unknown as ComponentPlan[] });
  t.deepEqual(watch.tasksOf(0), [1, 2]);
  watch.report([...both('over'), report(3, 'open'), report(4, 'open')]);
  t.deepEqual(round(watch, both('over')), []);
  t.deepEqual(round(watch, both('over')), [{ cycle: 0, step: 'end' }]);
  watch.report([...both('settling'), report(4, 'over')]);
  const [one, other] = watch.ask();
  watch.report([report(4, 'over')], other.round);
  t.deepEqual(watch.report(both('settling'), one.round), []);
});

// ---- a model: tasks that pass tuples round, reports and questions that take their time -----------------------------

/** Tuples make tuples until their fuel is used up. Each is confirmed to its sender after it was executed. */
class Model {
  readonly tasks: number;
  readonly inboxes: { readonly from: number | undefined; readonly fuel: number }[][];
  /** tuples on their way, and the senders that confirmations are on their way to */
  readonly wires: { readonly to: number; readonly from: number; readonly fuel: number }[] = [];
  readonly confirmations: number[] = [];
  readonly unconfirmed: number[];
  readonly executed: number[];
  readonly emitted: number[];
  /** questions to a task, and its answers, in order */
  readonly questions: number[][];
  readonly answers: { readonly round: number; readonly report: CycleReport }[][];

  constructor(tasks: number, starts: readonly number[]) {
    this.tasks = tasks;
    const each = <T>(make: () => T): T[] => Array.from({ length: tasks }, make);
    this.inboxes = each(() => []);
    this.unconfirmed = each(() => 0);
    this.executed = each(() => 0);
    this.emitted = each(() => 0);
    this.questions = each(() => []);
    this.answers = each(() => []);
    for (const [at, fuel] of starts.entries()) this.inboxes[at % tasks].push({ from: undefined, fuel });
  }

  get quiet(): boolean {
    return (
      this.wires.length === 0 && this.confirmations.length === 0 && this.inboxes.every(({ length }) => length === 0)
    );
  }

  report(at: number): CycleReport {
    const quiet = this.inboxes[at].length === 0 && this.unconfirmed[at] === 0;
    return report(at + 1, 'over', quiet, this.executed[at], 1, this.emitted[at]);
  }

  /** One of the things that may happen now; which of them, `choice` says. */
  step(choice: number, watch: CycleWatch): unknown[] {
    const may: (() => unknown[] | void)[] = [];
    for (let at = 0; at < this.tasks; at++) {
      if (this.inboxes[at].length > 0) may.push(() => this.#execute(at, choice));
      if (this.questions[at].length > 0) {
        may.push(() => {
          this.answers[at].push({ round: this.questions[at].shift() as number, report: this.report(at) });
        });
      }
      if (this.answers[at].length > 0) {
        may.push(() => {
          const { round: number, report: said } = this.answers[at].shift() as { round: number; report: CycleReport };
          return watch.report([said], number);
        });
      }
    }
    // one that comes by itself
    may.push(() => watch.report([this.report(choice % this.tasks)]));
    if (this.wires.length > 0) {
      may.push(() => {
        const [{ to, from, fuel }] = this.wires.splice(choice % this.wires.length, 1);
        this.inboxes[to].push({ from, fuel });
      });
    }
    if (this.confirmations.length > 0) {
      may.push(() => {
        const [sender] = this.confirmations.splice(choice % this.confirmations.length, 1);
        this.unconfirmed[sender] -= 1;
      });
    }
    may.push(() => {
      for (const { round: number, tasks } of watch.ask())
        for (const task of tasks) this.questions[task - 1].push(number);
    });
    return may[choice % may.length]() ?? [];
  }

  #execute(at: number, choice: number): void {
    const [{ from, fuel }] = this.inboxes[at].splice(0, 1);
    this.executed[at] += 1;
    for (let copy = 0; copy < Math.min(fuel, choice % 19 === 0 ? 2 : 1); copy++) {
      this.emitted[at] += 1;
      this.unconfirmed[at] += 1;
      this.wires.push({ to: (at + choice + copy) % this.tasks, from: at, fuel: fuel - 1 });
    }
    if (from !== undefined) this.confirmations.push(from);
  }
}

test('no step is due while a tuple is anywhere in the cycle, and one is due when none is, in whatever order things happen', (t) => {
  let steps = 0;
  holds(
    t,
    fc.property(
      fc.integer({ min: 2, max: 3 }),
      fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 2 }),
      fc.noBias(fc.array(fc.nat(1_000_000), { minLength: 200, maxLength: 600 })),
      (tasks, starts, choices) => {
        const model = new Model(tasks, starts);
        const watch = new CycleWatch(plan(tasks));
        for (let at = 0; at < choices.length || !model.quiet; at++) {
          const due = model.step(choices[at % choices.length] + at, watch);
          if (due.length === 0) continue;
          steps += 1;
          assert.ok(model.quiet, 'a step was due while there was something to do');
          return;
        }
        // all has come to rest: two rounds more are enough
        let due: unknown[] = [];
        for (let rounds = 0; rounds < 4 && due.length === 0; rounds++) {
          for (let at = 0; at < tasks; at++) due = [...due, ...watch.report([model.report(at)])];
          for (const { round: number } of watch.ask(true)) {
            for (let at = 0; at < tasks; at++) due = [...due, ...watch.report([model.report(at)], number)];
          }
        }
        assert.deepEqual(due.slice(0, 1), [{ cycle: 0, step: 'end' }]);
      },
    ),
    { numRuns: 5000 },
  );
  t.true(steps > 100, 'enough of the orders lead to a step');
});
