/** Topologies as JavaScript sees them: without types, so that every mistake can be made. */
import test from 'ava';
import {
  defineBolt,
  defineSpout,
  SquallError,
  spoutFrom,
  type Topology,
  topology,
  t as type,
} from '../../core/index.js';
import { planOf } from '../../core/topology/plan.js';

export interface AnyBuilder extends Topology {
  spout(...args: unknown[]): AnyBuilder;
  bolt(...args: unknown[]): AnyBuilder;
  feedback(...args: unknown[]): AnyBuilder;
  config(...args: unknown[]): AnyBuilder;
}
export interface AnyFrom {
  readonly [grouping: string]: (...args: unknown[]) => unknown;
}
export type Connect = (from: AnyFrom) => unknown;
export const begin = topology as unknown as (name?: unknown) => AnyBuilder;
export const anySpout = defineSpout as unknown as (options?: unknown) => unknown;
export const anyBolt = defineBolt as unknown as (options?: unknown) => unknown;
export const anySpoutFrom = spoutFrom as unknown as (...args: unknown[]) => unknown;

export const lines = spoutFrom({ output: { line: type.string, n: type.nullable(type.number) } }, () => []);
export const split = defineBolt({ input: { line: type.string }, output: { word: type.string }, execute() {} });
export const sink = defineBolt({ execute() {} });
/** Takes whatever comes, and has an output. */
export const pass = defineBolt({ output: { n: type.number }, execute() {} });
/** One spout, `lines`, free of mistakes. */
export const base = begin('test').spout('lines', lines);

export const shuffle: Connect = (from) => from.shuffle('lines');
/** A connection by shuffle grouping of whatever is given. */
export function shuffled(...args: unknown[]): Connect {
  return (from) => from.shuffle(...args);
}

export function mistakesOf(wrong: Topology): readonly string[] {
  try {
    planOf(wrong);
  } catch (error) {
    if (error instanceof SquallError && error.code === 'ERR_SQUALL_TOPOLOGY') return error.facts.mistakes as string[];
    throw error;
  }
  return [];
}

/** The one mistake of `wrong` matches `expected`. */
export const oneMistake = test.macro({
  exec(t, wrong: () => Topology, expected: RegExp) {
    const mistakes = mistakesOf(wrong());
    t.is(mistakes.length, 1, mistakes.join('\n'));
    t.regex(mistakes[0], expected);
  },
  title: (title = '') => `refused: ${title}`,
});
