import type { Failure } from '../topology/definition.js';

/** A failed tuple carries this much of a stack on its way to the dead letters. */
const MAX_STACK_CHARS = 4096;
const MAX_MESSAGE_CHARS = 2048;

/** What was thrown, as plain data that can travel. */
export function errorFacts(thrown: unknown): NonNullable<Failure['error']> {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown).slice(0, MAX_MESSAGE_CHARS) };
  return {
    name: thrown.name,
    message: thrown.message.slice(0, MAX_MESSAGE_CHARS),
    ...(thrown.stack === undefined ? {} : { stack: thrown.stack.slice(0, MAX_STACK_CHARS) }),
  };
}
