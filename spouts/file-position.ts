import { createHash } from 'node:crypto';
import { SquallError, shown } from '../core/errors.js';
import type { Position, TaskContext } from '../core/topology/definition.js';

/** Where a task of `fileSpout` goes on: behind a line. */
export type FilePosition = {
  readonly file: string;
  /** bytes of the file's text (unpacked, where it is gzip) and lines before this place */
  readonly offset: number;
  readonly line: number;
  /** lines of all files of this task before this place */
  readonly n: number;
  /** the `listMarks` of the file */
  readonly list: string;
};

/**
 * For each file: what must still hold when a task goes on in it. With one task, that the files up to it are the same;
 * with several, that all are, since they are dealt by number.
 */
export function listMarks(files: readonly string[], tasks: number): string[] {
  let digest = '';
  const marks = files.map((file) => {
    digest = createHash('sha256').update(`${digest}\0${file}`).digest('hex').slice(0, 16);
    return `${tasks}:${digest}`;
  });
  return tasks === 1 ? marks : marks.fill(marks[marks.length - 1]);
}

/**
 * The position that the task is to go on at, checked against the files that are there now.
 *
 * @throws SquallError ERR_SQUALL_POSITION, ERR_SQUALL_FILE (the file is gone), ERR_SQUALL_INPUT_CHANGED
 */
export function startPosition(
  context: TaskContext,
  files: readonly string[],
  marks: readonly string[],
): FilePosition | undefined {
  if (context.position === undefined) return undefined;
  const position = checked(context.position, context.component);
  const { file, offset, line, list } = position;
  const facts = { file, line: line + 1, offset };
  const index = files.indexOf(file);
  if (index < 0) {
    throw new SquallError(
      'ERR_SQUALL_FILE',
      `'${context.component}' is to go on in ${file} at line ${line + 1}, but that is not among its files any more; ` +
        'put it back, or begin anew with --fresh',
      { facts },
    );
  }
  if (list === marks[index]) return position;
  if (context.tasks > 1 || !list.startsWith('1:')) {
    throw new SquallError(
      'ERR_SQUALL_INPUT_CHANGED',
      `'${context.component}' is to go on in ${file} at line ${line + 1}, but its files are not the same any more, so ` +
        'its tasks would read some twice and others never; restore them, or begin anew with --fresh',
      { facts: { ...facts, files: files.length } },
    );
  }
  context.log.warn(
    `the files before ${file}, where '${context.component}' goes on, are not the same any more: what is new there is ` +
      'not read; begin anew with --fresh to read it',
    facts,
  );
  return position;
}

function checked(position: Position, component: string): FilePosition {
  const found = (typeof position === 'object' && position !== null ? position : {}) as Partial<FilePosition>;
  const { file, offset, line, n, list } = found;
  const texts = typeof file === 'string' && typeof list === 'string';
  if (texts && isCount(offset) && isCount(line) && isCount(n)) return { file, offset, line, n, list };
  throw new SquallError(
    'ERR_SQUALL_POSITION',
    `'${component}' expected a position of fileSpout { file, offset, line, n, list }, found ${shown(position)}; ` +
      'if its source was exchanged, begin anew with --fresh',
    { facts: { position } },
  );
}

function isCount(value: number | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
