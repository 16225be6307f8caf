/** What the sink under test is given: tuples that it declares, made by its author, or the suite's own. */
import { SquallError, shown } from '../../errors.js';
import type { BoltComponent } from '../../topology/component.js';
import { type Fields, t } from '../../topology/fields.js';
import { isRecord } from '../../topology/options.js';
import { loadFunction } from './load-component.js';

export interface SinkTuples {
  readonly fields: Fields;
  values(n: number): Record<string, unknown>;
}

/** `message-000017`: keys of the suite's own tuples, which sort by number. */
export function ownKey(n: number): string {
  return `message-${String(n).padStart(6, '0')}`;
}

export async function tupleOf(
  { module, component, values }: { readonly module: string; readonly component: string; readonly values?: string },
  sink: BoltComponent,
): Promise<SinkTuples> {
  const declared = sink.inputs.length === 1 ? sink.inputs[0].fields : undefined;
  if (sink.inputs.length > 1) {
    const names = sink.inputs.map(({ name }) => name).join(', ');
    throw wrong(`${component}: expected a sink with one input, found ${names}`);
  }
  if (values === undefined) {
    const unknown = declared?.filter(({ name }) => name !== 'key' && name !== 'n') ?? [];
    if (unknown.length > 0) {
      throw wrong(
        `${component} takes ${declared?.map(({ name }) => name).join(', ')}, and the check's own tuples have key (string) and n (number); export a function from a number to such values from ${module}, and name it: values: 'rowOf'`,
      );
    }
    return { fields: { key: t.string, n: t.number }, values: (n) => ({ key: ownKey(n), n }) };
  }
  const make = await loadFunction(module, values);
  const first = make(0);
  if (!isRecord(first))
    throw wrong(`${module}: expected ${values}(0) to return the values of a tuple, found ${shown(first)}`);
  const fields: Fields =
    declared === undefined
      ? Object.fromEntries(Object.keys(first).map((name) => [name, t.any]))
      : Object.fromEntries(declared.map(({ name, type }) => [name, type]));
  return { fields, values: (n) => make(n) as Record<string, unknown> };
}

function wrong(message: string): SquallError {
  return new SquallError('ERR_SQUALL_USAGE', message);
}
