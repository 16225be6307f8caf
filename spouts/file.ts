/** `fileSpout`: the lines of files. */
import { shown } from '../core/errors.js';
import type { SpoutComponent } from '../core/topology/component.js';
import { t } from '../core/topology/fields.js';
import { checkOptions } from '../core/topology/options.js';
import type { RetryOptions } from '../core/topology/retry.js';
import { makeSpout } from '../core/topology/spout.js';
import { FileReader } from './file-reader.js';

export interface FileSpoutOptions {
  /**
   * A file, a glob pattern, or several of them; relative to the folder that the run was started in. `*` and `**` pass
   * over names that begin with a dot, and over nothing else; `!pattern` takes away from what the patterns found.
   */
  readonly path: string | readonly string[];
  readonly retry?: RetryOptions;
}

const OPTIONS = ['path', 'retry'] as const satisfies readonly (keyof FileSpoutOptions)[];

/**
 * A finite source: `{ line }` for each line of the files, in the order of their names. Several tasks deal the files
 * among them: the i-th belongs to task i modulo their number, so one file is read by one task.
 *
 * - LF and CR LF end a line; a byte order mark, and a missing ending of the last line, make no difference; an empty
 *   line is a line. Files named `*.gz` are unpacked.
 * - Every line is tracked. A restarted task goes on behind the last line up to which all are complete (a gzip file is
 *   unpacked again up to there). Files must not change meanwhile: where that can be seen, it is an error.
 * - A line over 1 MiB and one that is not UTF-8 are skipped and become dead letters with their file and place
 *   (ERR_SQUALL_LINE_TOO_LONG, ERR_SQUALL_NOT_UTF8).
 * - ERR_SQUALL_NO_INPUT: no file matches. ERR_SQUALL_FILE: a file that is gone, may not be read, was cut while it was
 *   read, or whose gzip data is corrupt or ends too early; the lines before the damage are emitted first.
 */
export function fileSpout(options: FileSpoutOptions): SpoutComponent<{ readonly default: { line: string } }> {
  const mistakes: string[] = [];
  const { path, retry } = checkOptions(options, OPTIONS, 'fileSpout', (mistake) => mistakes.push(mistake));
  const paths: unknown = typeof path === 'string' ? [path] : path;
  const right = Array.isArray(paths) && paths.length > 0 && paths.every((one) => typeof one === 'string' && one !== '');
  if (!right) mistakes.push(`fileSpout: path: expected a file, a pattern or an array of them, found ${shown(path)}`);
  const files: readonly string[] = right ? Object.freeze([...paths]) : [];
  return makeSpout({ output: { line: t.string }, retry }, (context) => FileReader.open(files, context), mistakes);
}
