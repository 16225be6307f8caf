/**
 * Is what a document shows what a program prints? Figures, times and run ids differ from run to run, and how often a
 * run tells its progress; nothing else may.
 */

/** `squares  running  1,088 acked …`, which comes every few seconds. */
const PROGRESS = /^[\w-]+ {2}(?:starting|running|paused|draining|ending)(?: {2}|$)/;

/**
 * `undefined`, or the first line of the transcript that does not come where it should: behind the one before it, or
 * somewhere behind, where a line `…` stands between them.
 */
export function missingLine(transcript: string, printed: string): string | undefined {
  const lines = comparable(printed);
  let at = 0;
  let anywhere = true;
  for (const wanted of comparable(transcript)) {
    if (wanted === '…') {
      anywhere = true;
      continue;
    }
    const found = anywhere ? lines.indexOf(wanted, at) : lines[at] === wanted ? at : -1;
    if (found < 0) return wanted;
    at = found + 1;
    anywhere = false;
  }
  return undefined;
}

/** Lines without figures: a length of time is `<time>`, whatever its unit. */
export function comparable(text: string): string[] {
  const lines = text
    .split('\n')
    .filter((line) => !PROGRESS.test(line))
    .map((line) =>
      line
        .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<run>')
        .replaceAll(/\d[\d,.]*/g, '<n>')
        .replaceAll(/<n> (?:ms|s|min|h)(?: <n> (?:s|min))?\b/g, '<time>')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    );
  return lines.filter((line) => line !== '');
}

/**
 * Where two JSON values differ in shape, or undefined: same keys, same types, at any depth. An object that is empty in
 * `shown` is a table whose entries differ from run to run; of arrays the first elements are compared, where both have any.
 */
export function shapeDifference(shown: unknown, found: unknown, path = '$'): string | undefined {
  const [a, b] = [kindOf(shown), kindOf(found)];
  if (a !== b) return `${path} is shown as ${a}, and is ${b}`;
  if (Array.isArray(shown) && Array.isArray(found)) {
    return shown.length === 0 || found.length === 0 ? undefined : shapeDifference(shown[0], found[0], `${path}[0]`);
  }
  if (a !== 'object' || Object.keys(shown as object).length === 0) return undefined;
  const [left, right] = [shown, found] as Record<string, unknown>[];
  for (const key of Object.keys(right)) if (!Object.hasOwn(left, key)) return `${path}.${key} is not shown`;
  for (const key of Object.keys(left)) {
    if (!Object.hasOwn(right, key)) return `${path}.${key} is shown, and is not there`;
    const difference = shapeDifference(left[key], right[key], `${path}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
