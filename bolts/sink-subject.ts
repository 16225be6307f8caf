/** Where a sink publishes a tuple. */
import { shown } from '../core/errors.js';
import type { Report } from '../core/topology/options.js';
import { checkUserSubject } from '../core/transport/subject-check.js';

/** One subject for all tuples, or a function that says it for each. */
export type SinkSubject<V> = string | ((values: V) => string);

/** `fixed`: the one subject, where there is one. A subject that is none throws ERR_SQUALL_BAD_SUBJECT when it is used. */
export interface SubjectOf {
  readonly fixed: string | undefined;
  of(values: Readonly<Record<string, unknown>>): string;
}

export function subjectOf(subject: unknown, report: Report): SubjectOf {
  if (typeof subject === 'function') {
    return { fixed: undefined, of: (values) => subject(values) as string };
  }
  if (typeof subject !== 'string') {
    report(`subject: expected a subject or a function from values to one, found ${shown(subject)}`);
    return { fixed: undefined, of: () => '' };
  }
  try {
    checkUserSubject(subject);
  } catch (error) {
    report(`subject: ${(error as Error).message}`);
  }
  return { fixed: subject, of: () => subject };
}
