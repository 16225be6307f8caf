/** `printBolt`: tuples to standard output, a line each. */
import { SquallError, shown } from '../core/errors.js';
import { defineBolt } from '../core/topology/bolt.js';
import type { BoltComponent } from '../core/topology/component.js';
import { checkOptions } from '../core/topology/options.js';
import { type LineFormat, lineFormatter } from './line-format.js';
import { withMistakes } from './mistakes.js';

export interface PrintBoltOptions<V> {
  /** put before each line; default none */
  readonly prefix?: string;
  /** default `tsv` */
  readonly format?: LineFormat<V>;
}

const OPTIONS = ['prefix', 'format'] as const satisfies readonly (keyof PrintBoltOptions<object>)[];

/**
 * Prints one line per tuple of any stream: see `LineFormat`. Only whole lines are written. A tuple is acked when
 * standard output has taken its line, so a slow reader slows the topology down.
 */
export function printBolt<V extends object = Record<string, unknown>>(
  options: PrintBoltOptions<V> = {},
): BoltComponent<V, Record<never, never>> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`printBolt: ${mistake}`);
  const { prefix = '', format } = checkOptions(options, OPTIONS, 'options', report);
  if (typeof prefix !== 'string') report(`prefix: expected a string, found ${shown(prefix)}`);
  const formatted = lineFormatter(format, report);

  const bolt = defineBolt({
    keepsState: false,
    prepare() {
      let lines = '';
      return {
        execute({ values }) {
          lines += `${prefix}${formatted(values)}\n`;
        },
        flush() {
          if (lines === '') return undefined;
          const batch = lines;
          lines = '';
          return printed(batch);
        },
      };
    },
  });
  return withMistakes(bolt, mistakes) as BoltComponent<V, Record<never, never>>;
}

function printed(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (cause) => {
      if (!cause) resolve();
      else reject(new SquallError('ERR_SQUALL_FILE', `cannot write to standard output: ${cause.message}`, { cause }));
    });
  });
}
