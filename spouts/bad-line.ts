/** The error of a line that becomes a dead letter instead of a tuple. */
import { SquallError } from '../core/errors.js';
import { LINE_LIMIT_BYTES } from './file-lines.js';
import type { LineFault } from './line-splitter.js';

export function badLine(file: string, line: number, { kind, bytes }: LineFault): SquallError {
  const facts = { file, line, bytes, limitBytes: LINE_LIMIT_BYTES };
  if (kind === 'too-long') {
    const message = `line ${line} of ${file} has ${bytes} bytes; a line may have ${LINE_LIMIT_BYTES}: it is skipped`;
    return new SquallError('ERR_SQUALL_LINE_TOO_LONG', message, { facts });
  }
  const message = `line ${line} of ${file} is not UTF-8: it is skipped; convert the file (iconv -t utf-8), then run again`;
  return new SquallError('ERR_SQUALL_NOT_UTF8', message, { facts });
}
