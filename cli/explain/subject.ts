import { Subjects } from '../../core/wire/subjects.js';

/** Stands for what is known at run time only. No name of a topology may have this form. */
const RUN = 'run';

/** What carries tuples to these tasks: `squall.word-count.<run>.t.{2,3}.<epoch>`. */
export function dataSubject(topology: string, tasks: readonly number[]): string {
  return withNumbers(new Subjects(topology, RUN).data(tasks[0], 1), tasks);
}

/** What carries records to the ackers. */
export function ackSubject(topology: string, ackers: readonly number[]): string {
  return withNumbers(new Subjects(topology, RUN).acks(ackers[0], 1), ackers);
}

/** What hears all runs of the topology: `squall.word-count.>`. */
export function everySubject(topology: string): string {
  const [prefix, name] = new Subjects(topology, RUN).everything.split('.');
  return `${prefix}.${name}.>`;
}

function withNumbers(subject: string, tasks: readonly number[]): string {
  const [prefix, topology, , kind] = subject.split('.');
  return [prefix, topology, '<run>', kind, numbers(tasks), '<epoch>'].join('.');
}

/** More than this are told as a range. */
const MAX_LISTED = 4;

/** `tasks` follow each other. */
function numbers(tasks: readonly number[]): string {
  if (tasks.length === 1) return String(tasks[0]);
  return tasks.length > MAX_LISTED ? `{${tasks[0]}…${tasks[tasks.length - 1]}}` : `{${tasks.join(',')}}`;
}
