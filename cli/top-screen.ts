/** `squall top` as lines: head, what needs attention, a table of components, and one of tasks. Pure. */
import { type Attention, attentionOf } from './attention.js';
import { cut } from './format.js';
import { latencyLine, loadTable, taskTable } from './load-table.js';
import { progressTable } from './progress-lines.js';
import type { Style } from './style.js';
import type { RunHistory } from './top-history.js';

export interface TopView {
  readonly width: number;
  readonly style: Style;
  /** a line for each task, too */
  readonly tasks: boolean;
  /** ms since 1970, for how long ago things were; default: now */
  readonly wallMs?: number;
  /** below the table */
  readonly hint?: string;
}

/** Worth knowing, and no failure. */
const MILD: ReadonlySet<Attention['kind']> = new Set([
  'starting',
  'paused',
  'draining',
  'restarts',
  'dead-letters',
  'pending-grows',
  'busy',
]);

export function topScreen(
  history: RunHistory,
  nowMs: number,
  { width, style, tasks, hint, wallMs = Date.now() }: TopView,
): string[] {
  const { latest } = history;
  if (latest === undefined) return [];
  const [head] = progressTable(latest, history.rates, style, width);
  const attention = attentionOf(history, nowMs).flatMap(({ kind, text }) =>
    wrapped(text, width - 2).map((line, at) => {
      const shown = `${at === 0 ? '! ' : '  '}${line}`;
      return MILD.has(kind) ? style.yellow(shown) : style.red(shown);
    }),
  );
  const [names, ...components] = loadTable(latest, width);
  const [titles, ...each] = tasks ? taskTable(latest, wallMs, width) : [];
  const latency = latencyLine(latest);
  return [
    head,
    ...attention,
    '',
    style.dim(names),
    ...components,
    ...(latency === undefined ? [] : ['', ...wrapped(latency, width)]),
    ...(titles === undefined ? [] : ['', style.dim(titles), ...each]),
    ...(hint === undefined ? [] : ['', style.dim(cut(hint, width))]),
  ];
}

/** At spaces. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => cut(each, width));
}
