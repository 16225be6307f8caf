/** The inputs of a bolt: one, which `input` declares, or several with names, which `inputs` declares. */
import { shown } from '../errors.js';
import type { BoltDefinition, Tuple } from './definition.js';
import { isDirect } from './direct.js';
import { declareFields, type Values } from './fields.js';
import { checkName } from './names.js';
import { isRecord, type Report, within } from './options.js';

/** The input of a bolt that has one. */
export const DEFAULT_INPUT = 'default';

declare const NAMED: unique symbol;

/** In the place of a bolt's values where it has named inputs: the values of each, by its name. */
export interface NamedInputs<M = unknown> {
  readonly [NAMED]: M;
}

/**
 * The values that `input: I` takes, or those of each of `inputs: M`. Both are never where neither is given: the bolt takes
 * what the stream carries.
 */
export type InputOf<I, M = never> = [M] extends [never]
  ? [I] extends [never]
    ? Record<string, unknown>
    : Values<I>
  : NamedInputs<{ readonly [K in keyof M]: Values<M[K]> }>;

/** The tuples of a bolt that takes `I`: with named inputs a union that `tuple.input` tells apart. */
export type TupleOf<I> = [I] extends [NamedInputs<infer M>]
  ? { [K in keyof M & string]: Tuple<M[K], K> }[keyof M & string]
  : Tuple<I, typeof DEFAULT_INPUT>;

/** Nothing, or a message where `input` stands beside `inputs: M`. */
export type NotBeside<M> = [M] extends [never] ? unknown : '✗ input stands beside inputs: move it in there';

type Inputs = BoltDefinition['inputs'];

export function declareInputs(input: unknown, inputs: unknown, report: Report): Inputs {
  if (inputs === undefined) {
    const fields = input === undefined ? undefined : declareFields(input, 'input', report);
    return Object.freeze([Object.freeze({ name: DEFAULT_INPUT, fields })]);
  }
  if (input !== undefined) report('input: stands beside inputs; move it in there, or have one of them only');
  if (!isRecord(inputs) || isDirect(inputs) || Object.keys(inputs).length === 0) {
    const example = '{ orders: { id: t.string }, payments: { id: t.string } }';
    report(`inputs: expected inputs by name, such as ${example}, found ${shown(inputs)}`);
    return Object.freeze([]);
  }
  const declared: Inputs[number][] = [];
  for (const [name, fields] of Object.entries(inputs)) {
    if (name === DEFAULT_INPUT) report(`inputs: '${DEFAULT_INPUT}' is the name of what input declares; choose another`);
    else if (checkName(name, within('inputs', report)))
      declared.push(Object.freeze({ name, fields: declareFields(fields, `inputs.${name}`, report) }));
  }
  return Object.freeze(declared);
}

/** Has it named inputs? */
export function areNamed(inputs: Inputs): boolean {
  return inputs.length !== 1 || inputs[0].name !== DEFAULT_INPUT;
}
