import fc from 'fast-check';

export interface ReferenceLine {
  /** undefined: the line cannot be text */
  readonly text: string | undefined;
  readonly fault: 'too-long' | 'not-utf8' | undefined;
  /** length without ending and byte order mark */
  readonly bytes: number;
  readonly offset: number;
  readonly number: number;
}

/** Lines the slow and plain way: byte by byte, all of it in memory. */
export function referenceLines(content: Uint8Array, limitBytes: number): ReferenceLine[] {
  const lines: ReferenceLine[] = [];
  let line: number[] = [];
  const push = (offset: number) => {
    const bytes = Uint8Array.from(line);
    let text: string | undefined;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      text = undefined;
    }
    const fault = bytes.length > limitBytes ? 'too-long' : text === undefined ? 'not-utf8' : undefined;
    lines.push({ text: fault ? undefined : text, fault, bytes: bytes.length, offset, number: lines.length + 1 });
    line = [];
  };
  const marked = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf;
  for (let at = marked ? 3 : 0; at < content.length; at += 1) {
    if (content[at] === 10) {
      if (line.at(-1) === 13) line.pop();
      push(at + 1);
    } else {
      line.push(content[at]);
    }
  }
  if (line.length > 0) push(content.length);
  return lines;
}

const PIECES = ['\n', '\n', '\r\n', '\r', '\0', 'a', 'line', 'é', '€', '😀', '\ufeff', '\ud7ff'].map((text) =>
  Buffer.from(text),
);
/** Not UTF-8: a lone continuation, a cut sequence, an overlong one, a surrogate. */
const BROKEN = ['80', 'e282', 'c0af', 'eda080', 'ff'].map((hex) => Buffer.from(hex, 'hex'));

/** Contents of files with everything that a splitter may trip over, and any bytes at all. */
export const fileContents: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.oneof(
        { weight: 10, arbitrary: fc.constantFrom(...PIECES) },
        { weight: 1, arbitrary: fc.constantFrom(...BROKEN) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
      ),
      { maxLength: 40 },
    ),
  )
  .map(([marked, parts]) => Buffer.concat([Buffer.from(marked ? '\ufeff' : ''), ...parts]));
