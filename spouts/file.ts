/** `fileSpout`: the lines of files. */
import { shown } from '../core/errors.js';
import type { SpoutComponent } from '../core/topology/component.js';
import type { SpoutDefinition } from '../core/topology/definition.js';
import { t } from '../core/topology/fields.js';
import { checkOptions } from '../core/topology/options.js';
import type { RetryOptions } from '../core/topology/retry.js';
import { makeSpout } from '../core/topology/spout.js';
import { FileReader } from './file-reader.js';
import { FileTail } from './file-tail.js';

export interface FileSpoutOptions {
  /**
   * A file, a glob pattern, or several of them; relative to the folder that the run was started in. `*` and `**` pass
   * over names that begin with a dot, and over nothing else; `!pattern` takes away from what the patterns found.
   */
  readonly path: string | readonly string[];
  /**
   * Stay, and emit new lines as they come, as `tail -F` does. `path` is then a file's name or several, no patterns; a file
   * that is not there yet is waited for. Default false.
   */
  readonly follow?: boolean;
  readonly retry?: RetryOptions;
}

const OPTIONS = ['path', 'follow', 'retry'] as const satisfies readonly (keyof FileSpoutOptions)[];

/**
 * `{ line }` for each line of the files, in the order of their names: a finite source, unless it is to `follow` them.
 * Several tasks deal the files among them: the i-th belongs to task i modulo their number, so one file is read by one task.
 *
 * - LF and CR LF end a line; a byte order mark, and a missing ending of the last line, make no difference; an empty
 *   line is a line. Files named `*.gz` are unpacked.
 * - Every line is tracked. A restarted task goes on behind the last line up to which all are complete (a gzip file is
 *   unpacked again up to there). Files must not change meanwhile: where that can be seen, it is an error.
 * - A line over 1 MiB and one that is not UTF-8 are skipped and become dead letters with their file and place
 *   (ERR_SQUALL_LINE_TOO_LONG, ERR_SQUALL_NOT_UTF8).
 * - ERR_SQUALL_NO_INPUT: no file matches. ERR_SQUALL_FILE: a file that is gone, may not be read, was cut while it was
 *   read, or whose gzip data is corrupt or ends too early; the lines before the damage are emitted first.
 *
 * With `follow` it begins with what the files have, and is never done. A last line waits for its ending. When a file is
 * renamed and another takes its name, the rest of the old one comes first. When it is copied and cut, what was not read
 * before is read from the copy. A restarted task finds the file it had read again, by its inode and its first bytes, also
 * under the name that it was given meanwhile; what cannot be found is a warning. Not gzip.
 */
export function fileSpout(options: FileSpoutOptions): SpoutComponent<{ readonly default: { line: string } }> {
  const mistakes: string[] = [];
  const { path, follow, retry } = checkOptions(options, OPTIONS, 'fileSpout', (mistake) => mistakes.push(mistake));
  const paths: unknown = typeof path === 'string' ? [path] : path;
  const right = Array.isArray(paths) && paths.length > 0 && paths.every((one) => typeof one === 'string' && one !== '');
  if (!right) mistakes.push(`fileSpout: path: expected a file, a pattern or an array of them, found ${shown(path)}`);
  const files: readonly string[] = right ? Object.freeze([...paths]) : [];
  if (follow !== undefined && typeof follow !== 'boolean')
    mistakes.push(`fileSpout: follow: expected true or false, found ${shown(follow)}`);
  if (follow === true) mistakes.push(...files.flatMap(cannotFollow));
  const open: SpoutDefinition['open'] = (context) =>
    follow === true ? new FileTail(files, context) : FileReader.open(files, context);
  return makeSpout({ output: { line: t.string }, retry }, open, mistakes);
}

/** Patterns would find a file again under the name that rotation gives it, and read it twice. */
function cannotFollow(name: string): string[] {
  if (/[*!]/.test(name))
    return [`fileSpout: path: with follow each path is the name of one file, found the pattern ${shown(name)}`];
  if (/\.gz$/i.test(name)) return [`fileSpout: path: a gzip file cannot be followed, found ${shown(name)}`];
  return [];
}
