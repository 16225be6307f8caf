/** What a task is told of itself. */
import { captureBolt, runLocal } from '../../core/testing/index.js';
import { defineBolt } from '../../core/topology/bolt.js';
import { topology } from '../../core/topology/builder.js';
import type { TaskContext } from '../../core/topology/definition.js';
import { N, numbers, source } from './storm-shows.js';

/** The context of the bolt in the middle. */
export async function contextIn(): Promise<TaskContext> {
  let seen: TaskContext | undefined;
  const middle = defineBolt({
    input: N,
    output: N,
    prepare(context) {
      if (context.index === 1) seen = context;
      return { execute: ({ values }, out) => out.emit(values) };
    },
  });
  await runLocal(
    topology('context')
      .spout('numbers', source())
      .bolt('middle', middle, (from) => from.shuffle('numbers'), { tasks: 2, config: { messageTimeoutMs: 5000 } })
      .bolt('last', captureBolt(), (from) => from.shuffle('middle'), { tasks: 3 }),
    { spouts: { numbers: numbers(1) }, startAt: new Date('2024-01-01') },
  );
  if (seen === undefined) throw new Error('not prepared');
  return seen;
}
