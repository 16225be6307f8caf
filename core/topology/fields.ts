/** Field types: what a stream declares about each of its values. */

import { shown } from '../errors.js';
import type { FieldDeclaration } from './definition.js';
import { isDirect } from './direct.js';
import { isRecord, type Report } from './options.js';

declare const TYPE: unique symbol;

export type FieldKind =
  | 'string'
  | 'number'
  | 'bigint'
  | 'boolean'
  | 'bytes'
  | 'date'
  | 'json'
  | 'any'
  | 'nullable'
  | 'standard';

/** `T` lives in the type only. */
export interface FieldType<T = unknown> {
  readonly kind: FieldKind;
  /** of `nullable` */
  readonly inner?: FieldType;
  /** of `standard`: checks values under `--debug`; its result is not used */
  readonly schema?: StandardSchema;
  readonly [TYPE]?: () => T;
}

/** The part of Standard Schema v1 (https://standardschema.dev) that Squall reads; zod, valibot, arktype … have it. */
export interface StandardSchema<Input = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: Input; readonly output: unknown } | undefined;
  };
}

/** What a declaration may say about a field. */
export type FieldTypeLike = FieldType | StandardSchema;

/** Declares fields: `{ word: t.string, count: t.number }`. The order is that of the tuple's values. */
export type Fields = Readonly<Record<string, FieldTypeLike>>;

/** The type of a field's values. */
export type ValueOf<F> = F extends StandardSchema<infer I> ? I : F extends FieldType<infer T> ? T : never;

/** The values of a tuple with these fields. (Conditional only so that error messages show the values, not this name.) */
export type Values<F> = F extends unknown ? { -readonly [K in keyof F]: ValueOf<F[K]> } : never;

const plain = <T>(kind: FieldKind): FieldType<T> => Object.freeze({ kind });

/** The field types. A Standard Schema (zod, valibot …) may stand wherever one of these may. */
export const t = Object.freeze({
  string: plain<string>('string'),
  number: plain<number>('number'),
  bigint: plain<bigint>('bigint'),
  boolean: plain<boolean>('boolean'),
  bytes: plain<Uint8Array>('bytes'),
  date: plain<Date>('date'),
  /** Whatever the frames can carry, unchecked in both directions. */
  // biome-ignore lint/suspicious/noExplicitAny: it is what the author asks for
  any: plain<any>('any'),
  /** What survives JSON; `T` is the author's word for its shape. */
  json: <T = unknown>(): FieldType<T> => plain<T>('json'),
  /** `type` or null. */
  nullable: <F extends FieldTypeLike>(type: F): FieldType<ValueOf<F> | null> =>
    Object.freeze({ kind: 'nullable', inner: isStandardSchema(type) ? standard(type) : (type as FieldType) }),
});

const PLAIN_KINDS: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'bigint',
  'boolean',
  'bytes',
  'date',
  'json',
  'any',
] satisfies FieldKind[]);

function standard(schema: StandardSchema): FieldType {
  return Object.freeze({ kind: 'standard', schema });
}

/** Some libraries' schemas are functions. */
function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const mark = (value as { '~standard'?: unknown })['~standard'];
  return isRecord(mark) && typeof mark.validate === 'function';
}

/** By looks, not by identity: a topology file may use another copy of this package. */
function isFieldType(value: unknown): value is FieldType {
  if (!isRecord(value)) return false;
  if (value.kind === 'nullable') return isFieldType(value.inner);
  if (value.kind === 'standard') return isStandardSchema(value.schema);
  return PLAIN_KINDS.has(value.kind);
}

function isTypeLike(value: unknown): value is FieldTypeLike {
  return isStandardSchema(value) || isFieldType(value);
}

/** The declared fields of `what` in declared order, frozen; what is wrong is reported. */
export function declareFields(declared: unknown, what: string, report: Report): readonly FieldDeclaration[] {
  // A literal `{ __proto__: t.string }` has no such key, it has that type for its prototype.
  const parent: unknown = isRecord(declared) ? Object.getPrototypeOf(declared) : undefined;
  if (isTypeLike(parent) || (isRecord(declared) && Object.hasOwn(declared, '__proto__'))) {
    report(`${what}: a field cannot be named '__proto__'; choose another name`);
  } else if (isDirect(declared)) {
    report(
      `${what}: direct(…) is not possible here; it stands around the fields of an output or of one of the streams`,
    );
    return Object.freeze([]);
  } else if (!isRecord(declared) || isTypeLike(declared)) {
    report(`${what}: expected fields such as { word: t.string }, found ${shown(declared)}`);
    return Object.freeze([]);
  }
  const fields: FieldDeclaration[] = [];
  for (const [name, type] of Object.entries(declared as object)) {
    if (name === '__proto__') continue;
    if (name === '') report(`${what}: a field has the empty name; give it one`);
    else if (isStandardSchema(type)) fields.push(Object.freeze({ name, type: standard(type) }));
    else if (isFieldType(type)) fields.push(Object.freeze({ name, type }));
    else {
      report(`${what}: field '${name}' has no type: ${expectedType(type)}`);
      // What takes this field elsewhere is not to blame for it.
      fields.push(Object.freeze({ name, type: t.any }));
    }
  }
  return Object.freeze(fields);
}

function expectedType(found: unknown): string {
  if (found === t.json) return 'found t.json itself; call it: t.json()';
  if (found === t.nullable) return 'found t.nullable itself; call it: t.nullable(t.string)';
  const known = 't.string, number, bigint, boolean, bytes, date, json(), any, nullable(…) or a Standard Schema';
  return `expected ${known}, found ${shown(found)}`;
}

/** `string`, `nullable(date)`, `standard(zod)`: for messages and for the topology's hash. */
export function typeName(type: FieldType): string {
  if (type.inner) return `nullable(${typeName(type.inner)})`;
  return type.schema ? `standard(${type.schema['~standard'].vendor})` : type.kind;
}

/**
 * Can a field of type `given` be taken as `taken`? As strict as can be told without the authors' type parameters:
 * `any` and schemas match everything, `json` everything that JSON has.
 */
export function carries(given: FieldType, taken: FieldType): boolean {
  if (isOpaque(given) || isOpaque(taken)) return true;
  if (taken.kind === 'nullable') return carries(given.inner ?? given, taken.inner as FieldType);
  if (given.kind === 'nullable') return taken.kind === 'json' && carries(given.inner as FieldType, taken);
  if (given.kind === taken.kind) return true;
  return (taken.kind === 'json' && JSON_KINDS.has(given.kind)) || (given.kind === 'json' && JSON_KINDS.has(taken.kind));
}

const JSON_KINDS: ReadonlySet<FieldKind> = new Set<FieldKind>(['string', 'number', 'boolean']);

function isOpaque(type: FieldType): boolean {
  return type.kind === 'any' || type.kind === 'standard';
}
