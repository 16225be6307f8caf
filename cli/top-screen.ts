/** `squall top` as lines: head, what needs attention, a table of components, and one of tasks. Pure. */
import { type Attention, attentionOf } from './attention.js';
import { cut } from './format.js';
import { progressTable } from './progress-lines.js';
import type { Style } from './style.js';
import { type Column, table } from './table.js';
import type { RunHistory } from './top-history.js';

export interface TopView {
  readonly width: number;
  readonly style: Style;
  /** a line for each task, too */
  readonly tasks: boolean;
  /** below the table */
  readonly hint?: string;
}

const TASKS: readonly Column[] = [
  { title: 'task', align: 'left', keep: 9 },
  { title: 'state', align: 'left', keep: 8 },
  { title: 'pid', align: 'right', keep: 6 },
  { title: 'restarts seen', align: 'right', keep: 7 },
];

/** Worth knowing, and no failure. */
const MILD: ReadonlySet<Attention['kind']> = new Set([
  'starting',
  'paused',
  'draining',
  'restarts',
  'dead-letters',
  'pending-grows',
]);

export function topScreen(history: RunHistory, nowMs: number, { width, style, tasks, hint }: TopView): string[] {
  const { latest } = history;
  if (latest === undefined) return [];
  const [head, ...rows] = progressTable(latest, history.rates, style, width);
  const attention = attentionOf(history, nowMs).flatMap(({ kind, text }) =>
    wrapped(text, width - 2).map((line, at) => {
      const shown = `${at === 0 ? '! ' : '  '}${line}`;
      return MILD.has(kind) ? style.yellow(shown) : style.red(shown);
    }),
  );
  const lines = latest.tasks.map(({ component, state, pid }) => [
    component,
    state,
    pid === undefined ? '-' : String(pid),
    String(history.restartsOf(component)),
  ]);
  const [titles, ...each] = tasks ? table(TASKS, lines, width) : [];
  return [
    head,
    ...attention,
    '',
    ...rows,
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
