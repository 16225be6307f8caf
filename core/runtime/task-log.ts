import type { Logger } from '../topology/definition.js';

/**
 * A component's `context.log`: whole lines on stderr, where people read. The supervisor puts the worker's
 * name before each.
 */
export function taskLog(): Logger {
  const write = (level: string, message: string, facts?: Readonly<Record<string, unknown>>): void => {
    const details =
      facts === undefined
        ? ''
        : ` ${JSON.stringify(facts, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))}`;
    process.stderr.write(`${level === 'info' ? '' : `${level}: `}${message.replaceAll('\n', ' ')}${details}\n`);
  };
  return {
    debug: (message, facts) => write('debug', message, facts),
    info: (message, facts) => write('info', message, facts),
    warn: (message, facts) => write('warn', message, facts),
    error: (message, facts) => write('error', message, facts),
  };
}
