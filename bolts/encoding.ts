/** How sinks turn a tuple into the bytes of a message. */
import { shown } from '../core/errors.js';
import type { Report } from '../core/topology/options.js';
import { lineFormatter } from './line-format.js';

/**
 * `json` (default): an object of the values, as `linesSink` writes it with `jsonl`. A function gives bytes or text.
 */
export type Encoding<V> = 'json' | ((values: V) => Uint8Array | string);

export type Encoder = (values: Readonly<Record<string, unknown>>) => Uint8Array;

/** The encoder that `encode` means; a wrong one is reported. */
export function encoderOf(encode: unknown, report: Report): Encoder {
  const json = lineFormatter('jsonl', report);
  const asJson: Encoder = (values) => Buffer.from(json(values));
  if (encode === undefined || encode === 'json') return asJson;
  if (typeof encode !== 'function') {
    report(`encode: expected 'json' or a function from values to bytes or text, found ${shown(encode)}`);
    return asJson;
  }
  return (values) => {
    const message: unknown = encode(values);
    if (message instanceof Uint8Array) return message;
    if (typeof message === 'string') return Buffer.from(message);
    throw new TypeError(`encode returned ${shown(message)}; expected bytes or text`);
  };
}
