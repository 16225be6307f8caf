import type { Benchmark } from './benchmark.js';
import { limitWordCount } from './sides/limit.js';
import { squallWordCount } from './sides/squall.js';

/** Every benchmark by its name on the command line; all of them run when none is named. */
export const benchmarks: readonly Benchmark[] = [
  {
    name: 'wordcount',
    title: 'acked word count, a process per task: 1 task per component, 1 acker, 8192 pending',
    unit: 'sentences',
    sides: [squallWordCount, limitWordCount],
  },
];
