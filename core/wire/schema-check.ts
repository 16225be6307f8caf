/** Standard Schemas as field types: they only check, and only under --debug. https://standardschema.dev */
import { isDeepStrictEqual } from 'node:util';
import { shown } from '../errors.js';
import { isPromise } from '../topology/component.js';
import type { FieldType } from '../topology/fields.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[];
}

/** Why a field of this type does not take `value`; undefined: it does, or has no schema. */
export function schemaRefusal(type: FieldType, value: unknown): string | undefined {
  if (type.kind === 'nullable') return value === null ? undefined : schemaRefusal(type.inner as FieldType, value);
  if (type.schema === undefined) return undefined;
  const { vendor, validate } = type.schema['~standard'];
  let result: { readonly value?: unknown; readonly issues?: readonly Issue[] };
  try {
    result = validate(value) as typeof result;
  } catch (error) {
    return `has a schema (${vendor}) that threw, instead of returning issues: ${error instanceof Error ? error.message : shown(error)}`;
  }
  if (isPromise(result)) {
    // nobody waits for it, so nobody may trip over its rejection
    (result as unknown as Promise<unknown>).then(undefined, () => {});
    return `has a schema (${vendor}) that checks asynchronously, which an emit cannot wait for; use a synchronous one`;
  }
  if (result.issues !== undefined) {
    const issues = result.issues.map(({ message, path }) => (path?.length ? `${pathText(path)}: ${message}` : message));
    return `is refused by its schema (${vendor}): ${issues.join('; ')}; got ${shown(value)}`;
  }
  if (isDeepStrictEqual(result.value, value)) return undefined;
  return (
    `has a schema (${vendor}) that makes ${shown(value)} into ${shown(result.value)}; a schema only checks here, ` +
    'so let it transform nothing and emit the value as it is to be'
  );
}

function pathText(path: readonly unknown[]): string {
  return path
    .map((part) => String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part))
    .join('.');
}
