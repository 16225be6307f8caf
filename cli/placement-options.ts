/** Where the tasks of a run go: `--workers` and `--ackers`. */
import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from './options.js';

/** As `run()` has them. */
const MAX_WORKERS = 1024;
const MAX_ACKERS = 64;

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
