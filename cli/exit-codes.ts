/** What the exit code of `squall` says. */
import { constants } from 'node:os';
import type { RunResult } from '../core/cluster/run-types.js';
import type { StopSignal } from './io.js';

export const EXIT = { ok: 0, failure: 1, usage: 2, deadLetters: 3, incomplete: 4 } as const;

/** To be put right on the command line, in the environment or in the topology file: to try again as it is helps nobody. */
const USAGE_CODES = new Set([
  'ERR_SQUALL_USAGE',
  'ERR_SQUALL_TOPOLOGY',
  'ERR_SQUALL_TOPOLOGY_FILE',
  'ERR_SQUALL_PARAMETERS',
  'ERR_SQUALL_NATS_OPTIONS',
  'ERR_SQUALL_LOGINS',
  'ERR_SQUALL_NO_RUN',
  'ERR_SQUALL_SEVERAL_RUNS',
]);

export function exitCodeOfError(code: unknown): number {
  return USAGE_CODES.has(code as string) ? EXIT.usage : EXIT.failure;
}

/** As a shell reports a process that the signal ended. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}

/**
 * `signal`: the first one that came, if any. A run that was over before the signal could stop it counts as what it was.
 * One that its `--duration` ended is a success when everything was settled, dead letters included, and a failure when
 * tuples were left: these are emitted again by the next run.
 */
export function exitCodeOfRun(result: RunResult, signal: StopSignal | undefined): number {
  switch (result.status) {
    case 'completed':
      return EXIT.ok;
    case 'dead-letters':
      return EXIT.deadLetters;
    case 'incomplete':
      return EXIT.incomplete;
    case 'stopped':
      if (signal !== undefined) return exitCodeOfSignal(signal);
      return result.drained === true ? EXIT.ok : EXIT.failure;
    case 'failed':
      return exitCodeOfError(result.error?.code);
  }
}
