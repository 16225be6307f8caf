import { wrap } from '../graph/wrap.js';

/** What is said of an edge or a component: a word or two, and sentences. */
export type Fact = readonly [name: string, text: string];

/** A heading, and the facts below it, in 80 columns. */
export function section(heading: string, facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = facts.flatMap(([name, text]) => wrap(`  ${name.padEnd(width)}`, text));
  return [...wrap('', heading), ...lines].join('\n');
}

/** `'a'`, `'a' and 'b'`, `'a', 'b' and 'c'` */
export function quotedList(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted[quoted.length - 1]}`;
}
