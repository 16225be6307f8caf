/** What every terminal has, and a pull request shows without a scroll bar. */
export const TEXT_COLUMNS = 80;

/**
 * Lines of at most `columns`: the first begins with `first`, the others with as many spaces. Only a single word that is
 * longer by itself stands out: names are not cut.
 */
export function wrap(first: string, text: string, columns = TEXT_COLUMNS): string[] {
  const indent = ' '.repeat(first.length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each, at) => `${at === 0 ? first : indent}${each}`.trimEnd());
}
