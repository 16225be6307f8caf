import { cut } from './format.js';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** where the width is short, the column with the smallest goes first */
  readonly keep: number;
}

const GAP = '  ';
/** A left column may be narrowed to this, before any column goes. */
const NARROWEST = 12;

/**
 * Title line and rows, aligned. No line is wider than `width`: columns on the left are narrowed, then columns go, by
 * `keep`.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  let shown = columns.map((_, at) => at);
  const natural = columns.map(({ title }, at) => Math.max(title.length, ...rows.map((row) => row[at].length)));
  const least = columns.map(({ align }, at) => (align === 'left' ? Math.min(natural[at], NARROWEST) : natural[at]));
  const total = (widths: readonly number[]) =>
    shown.reduce((sum, at) => sum + widths[at], 0) + GAP.length * (shown.length - 1);
  while (total(least) > width && shown.length > 1) {
    const weakest = shown.reduce((a, b) => (columns[b].keep < columns[a].keep ? b : a));
    shown = shown.filter((at) => at !== weakest);
  }

  const widths = [...natural];
  // The widest gives first, and only what has to be given.
  for (let over = total(widths) - width; over > 0; over = total(widths) - width) {
    const widest = shown
      .filter((at) => widths[at] > least[at])
      .sort((a, b) => widths[b] - widths[a])
      .at(0);
    if (widest === undefined) break;
    widths[widest] -= Math.min(over, widths[widest] - least[widest]);
  }

  const line = (cells: readonly string[]) =>
    shown
      .map((at) => {
        const text = cut(cells[at], widths[at]);
        return columns[at].align === 'left' ? text.padEnd(widths[at]) : text.padStart(widths[at]);
      })
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].map((text) => cut(text, width));
}
