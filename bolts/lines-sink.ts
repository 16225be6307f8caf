/** `linesSink`: tuples into a file, a line each. */
import { join, parse } from 'node:path';
import { shown } from '../core/errors.js';
import { defineBolt } from '../core/topology/bolt.js';
import type { BoltComponent } from '../core/topology/component.js';
import { checkOptions } from '../core/topology/options.js';
import { AppendedFile } from './appended-file.js';
import { type LineFormat, lineFormatter } from './line-format.js';
import { withMistakes } from './mistakes.js';

export interface LinesSinkOptions<V> {
  /**
   * Relative to the folder that the run was started in; missing folders are created. With several tasks each writes a
   * file of its own, with its index before the extension: counts.0.tsv, counts.1.tsv …
   */
  readonly path: string;
  /** default `tsv` */
  readonly format?: LineFormat<V>;
  /** acks after the disk has the lines, not only the operating system; default false */
  readonly fsync?: boolean;
}

const OPTIONS = ['path', 'format', 'fsync'] as const satisfies readonly (keyof LinesSinkOptions<object>)[];

/**
 * Writes one line per tuple of any stream: see `LineFormat`. A new run truncates the file; a restarted task or a
 * resumed run appends, after cutting a torn last line. A tuple is acked when the write that has it returned, many
 * tuples by one write; when it fails they all do, with ERR_SQUALL_FILE, and are replayed. So a line may be there twice
 * after a crash, but none is missing.
 */
export function linesSink<V extends object = Record<string, unknown>>(
  options: LinesSinkOptions<V>,
): BoltComponent<V, Record<never, never>> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`linesSink: ${mistake}`);
  const { path, format, fsync = false } = checkOptions(options, OPTIONS, 'options', report);
  if (typeof path !== 'string' || path === '') report(`path: expected the name of a file, found ${shown(path)}`);
  if (typeof fsync !== 'boolean') report(`fsync: expected true or false, found ${shown(fsync)}`);
  const formatted = lineFormatter(format, report);

  const bolt = defineBolt({
    keepsState: false,
    async prepare({ index, tasks, resumed }) {
      const file = await AppendedFile.open(taskPath(path as string, index, tasks), {
        resume: resumed,
        fsync: fsync === true,
      });
      let lines = '';
      return {
        execute({ values }) {
          lines += `${formatted(values)}\n`;
        },
        flush() {
          if (lines === '') return undefined;
          const batch = lines;
          lines = '';
          return file.append(batch);
        },
        // lines that were not flushed were not acked either: they come again
        cleanup: () => file.close(),
      };
    },
  });
  return withMistakes(bolt, mistakes) as BoltComponent<V, Record<never, never>>;
}

function taskPath(path: string, index: number, tasks: number): string {
  if (tasks === 1) return path;
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${index}${ext}`);
}
