import type { Output } from './io.js';

/** Emphasis that a terminal can show, and that is nothing elsewhere. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
}

const plain = (text: string): string => text;
const NO_STYLE: Style = { bold: plain, dim: plain, red: plain, yellow: plain, green: plain };

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`;
const COLOURS: Style = { bold: sgr(1, 22), dim: sgr(2, 22), red: sgr(31, 39), yellow: sgr(33, 39), green: sgr(32, 39) };

export function styleOf({ hasColours }: Pick<Output, 'hasColours'>): Style {
  return hasColours ? COLOURS : NO_STYLE;
}
