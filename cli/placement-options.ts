/** Where the tasks of a run go: `--workers` and `--ackers`. */
import { type Command, InvalidArgumentError } from 'commander';
import { MAX_ACKERS, MAX_WORKERS } from '../core/cluster/assignment.js';
import { wholeNumber } from './options.js';

export interface PlacementFlags {
  readonly workers: 'task' | number;
  readonly ackers: number;
}

export function addPlacementOptions(command: Command): Command {
  return command
    .option('--workers <n>', "processes to pack the tasks into; 'task' for one each", parseWorkers, 'task')
    .option('--ackers <n>', 'acker tasks; 0 tracks nothing', wholeNumber(0, MAX_ACKERS), 1);
}

function parseWorkers(text: string): 'task' | number {
  if (text === 'task') return text;
  try {
    return wholeNumber(1, MAX_WORKERS)(text);
  } catch {
    throw new InvalidArgumentError(`Expected 'task' or a whole number from 1 to ${MAX_WORKERS}.`);
  }
}
