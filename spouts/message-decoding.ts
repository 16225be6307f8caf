/** How spouts that read messages turn one into the values of a tuple. */
import { shown } from '../core/errors.js';
import { type Fields, t } from '../core/topology/fields.js';
import type { Report } from '../core/topology/options.js';

/** A message as it came. */
export interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
}

/**
 * `bytes` (default): `{ subject, data }`. `text`: `{ subject, text }`, UTF-8. `json`: the fields of a JSON object, as
 * `output` declares them. A function gives the values of `output`; what it throws says that the message cannot be read.
 */
export type Decoding = 'bytes' | 'text' | 'json' | ((message: Message) => object);

export interface Decoder {
  readonly output: Fields;
  decode(message: Message): Record<string, unknown>;
}

const BYTES: Decoder = {
  output: { subject: t.string, data: t.bytes },
  decode: ({ subject, data }) => ({ subject, data }),
};
const utf8 = new TextDecoder('utf-8', { fatal: true });
const TEXT: Decoder = {
  output: { subject: t.string, text: t.string },
  decode: ({ subject, data }) => ({ subject, text: utf8.decode(data) }),
};

/** The decoder that `decode` and `output` mean; what is wrong is reported. */
export function decoderOf(decode: unknown, output: unknown, report: Report): Decoder {
  const own = decode === 'json' || typeof decode === 'function';
  if (own) {
    if (output === undefined)
      report('output: expected the fields of the tuples, such as { n: t.number }, beside decode');
    const fields = (output ?? {}) as Fields;
    return { output: fields, decode: decode === 'json' ? jsonOf(Object.keys(fields)) : made(decode as never) };
  }
  if (output !== undefined)
    report("output: stands with decode: 'json' or a function only; remove it, or say how to decode");
  if (decode === undefined || decode === 'bytes') return BYTES;
  if (decode === 'text') return TEXT;
  report(`decode: expected 'bytes', 'text', 'json' or a function from a message to values, found ${shown(decode)}`);
  return BYTES;
}

/** Fields that are not declared are left out; one that is missing is refused where it is emitted. */
function jsonOf(names: readonly string[]): Decoder['decode'] {
  return ({ data }) => {
    const found: unknown = JSON.parse(utf8.decode(data));
    if (typeof found !== 'object' || found === null || Array.isArray(found))
      throw new TypeError(`expected a JSON object, found ${shown(found)}`);
    const values: Record<string, unknown> = {};
    const fields = found as Record<string, unknown>;
    // every object has a "constructor"; this one's own are meant
    for (const name of names) values[name] = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return values;
  };
}

function made(decode: (message: Message) => unknown): Decoder['decode'] {
  return (message) => {
    const values = decode(message);
    if (typeof values !== 'object' || values === null)
      throw new TypeError(`decode returned ${shown(values)}; expected values`);
    return values as Record<string, unknown>;
  };
}
