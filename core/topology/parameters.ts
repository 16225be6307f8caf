/** Parameters of a topology file: `--set key=value`, always strings. */

import { isSquallError, SquallError, shown } from '../errors.js';
import { isTopology, type Topology } from './draft.js';
import { nearest } from './names.js';
import { isRecord } from './options.js';

/** What a parameter function is given: the values of `--set`, by key; a key that was not set is undefined. */
export type TopologyParameters = Readonly<Record<string, string>>;

/** Nothing, or a message where `F` is no function from parameters, strings all of them, to a topology. */
export type StringParameters<F> = F extends (parameters: infer P) => infer R
  ? [R] extends [Topology | Promise<Topology>]
    ? [NotAString<NonNullable<P>>] extends [never]
      ? unknown
      : `✗ parameter "${NotAString<NonNullable<P>>}" must be a string: --set gives nothing else`
    : '✗ the function must return a topology'
  : unknown;
type NotAString<P> = { [K in keyof P]-?: [P[K]] extends [string | undefined] ? never : K }[keyof P] & string;

/**
 * Put around the function that a topology file exports, it makes a parameter that is no string a compile error; it does
 * nothing else. (No type can be written after the function for this: TypeScript takes a record of strings for
 * `{ limit?: number }`.)
 *
 *     export default withParameters(({ input = 'in.txt' } = {}) => topology('t')…);
 */
export function withParameters<F extends object>(build: F & StringParameters<F>): F {
  return build;
}

/**
 * The topology of a file's default export, made with `settings`.
 *
 * @throws SquallError ERR_SQUALL_TOPOLOGY_FILE where the export is neither a topology nor a function to one, or the
 * function throws; ERR_SQUALL_PARAMETERS where a setting is never read (`facts`: `unread`, `reads`)
 */
export async function loadTopology(exported: unknown, settings: TopologyParameters): Promise<Topology> {
  // What a CommonJS file exports as default comes with its namespace around it.
  const source = isRecord(exported) && exported.__esModule === true ? exported.default : exported;
  const reads = new Set<string>();
  const made = await make(source, recording(settings, reads));
  if (!isTopology(made)) throw notATopology(source, made);
  const unread = Object.keys(settings).filter((key) => !reads.has(key));
  if (unread.length > 0) throw neverRead(unread, [...reads]);
  return made;
}

async function make(source: unknown, parameters: TopologyParameters): Promise<unknown> {
  if (typeof source !== 'function') return source;
  try {
    return await source(parameters);
  } catch (error) {
    if (isSquallError(error)) throw error;
    const what = error instanceof Error ? String(error) : shown(error);
    throw new SquallError('ERR_SQUALL_TOPOLOGY_FILE', `the function that the topology file exports threw ${what}`, {
      cause: error,
    });
  }
}

/** `settings` as the function sees them: own keys only, and every key it asks for is noted, set or not. */
function recording(settings: TopologyParameters, reads: Set<string>): TopologyParameters {
  const own: Record<string, string> = Object.assign(Object.create(null), settings);
  const note = (key: string | symbol) => {
    if (typeof key === 'string') reads.add(key);
  };
  return new Proxy(Object.freeze(own), {
    get(target, key) {
      note(key);
      return Reflect.get(target, key);
    },
    has(target, key) {
      note(key);
      return Reflect.has(target, key);
    },
    // `{ ...parameters }` and `Object.keys(parameters)` take what there is.
    ownKeys(target) {
      for (const key of Object.keys(target)) note(key);
      return Reflect.ownKeys(target);
    },
  });
}

function notATopology(source: unknown, made: unknown): SquallError {
  const expected = 'expected a topology, or a function from parameters to one';
  const found =
    typeof source === 'function'
      ? `found a function that returned ${shown(made)}; let it return what topology('name')… makes`
      : `found ${shown(source)}; write export default topology('name')…`;
  return new SquallError('ERR_SQUALL_TOPOLOGY_FILE', `default export of the topology file: ${expected}, ${found}`);
}

function neverRead(unread: readonly string[], reads: readonly string[]): SquallError {
  const mistakes = unread.map((key) => `--set ${key}=…: the topology never reads '${key}'${nearest(key, reads)}`);
  const known = reads.length === 0 ? 'it takes no parameters' : `it reads ${reads.join(', ')}`;
  return new SquallError('ERR_SQUALL_PARAMETERS', [...mistakes, known].join('; '), { facts: { unread, reads } });
}
