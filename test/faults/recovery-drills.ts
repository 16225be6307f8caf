/** Each process killed under full load, by itself: how soon is the rate back, and are the replays' reasons true? */
import { setTimeout as delay } from 'node:timers/promises';
import { until, Workspace } from '../support/e2e.js';
import { allPresent, balanceCloses, highestIn } from '../support/e2e-checks.js';
import { startRun } from '../support/e2e-run.js';
import { type Drill, NUMBERS, progressIn, replaysText, whole } from './drill.js';
import { BEFORE_MS, recoveryOf } from './recovery.js';

/** Code is compiled and windows have found their sizes. */
const WARM_UP_MS = 1500;
const AFTER_MS = 5000;
const GOAL_MS = 2000;

interface Fault {
  readonly name: string;
  /** title of the task, or the run's own nats-server */
  readonly victim: string;
  /** what the replays may be attributed to; empty: there are none */
  readonly replays: readonly string[];
}

const FAULTS: readonly Fault[] = [
  { name: 'bolt, shuffle', victim: 'first[2]', replays: ['worker-lost first'] },
  { name: 'bolt, fields', victim: 'second[4]', replays: ['worker-lost second'] },
  { name: 'acker', victim: '__acker[7]', replays: ['acker-lost __acker'] },
  { name: 'spout', victim: 'numbers[1]', replays: [] },
  { name: 'sink', victim: 'sink[6]', replays: ['worker-lost sink'] },
  { name: 'nats-server', victim: 'nats-server', replays: ['link-lost *'] },
];

export const recoveryDrills: readonly Drill[] = FAULTS.map(({ name, victim, replays: allowed }) => ({
  name: `kill ${name}`,
  async run(scope) {
    const place = await Workspace.create(scope);
    const output = place.path('numbers.tsv');
    const watched = startRun(scope, place, NUMBERS, { set: { output, progress: place.path('progress') } });
    await until(() => watched.ready.items.length > 0, 'the run to begin');
    await delay(WARM_UP_MS + BEFORE_MS);
    const pid = victim === 'nats-server' ? place.serverPid : watched.pidOf(victim);
    const faultAt = Date.now();
    process.kill(pid, 'SIGKILL');
    await delay(AFTER_MS);
    const result = await watched.run.stop();

    scope.is(result.status, 'stopped');
    scope.is(result.drained, true, 'drained');
    balanceCloses(scope, result);
    const { replays } = result.spouts.numbers;
    const found = watched.replays.items.map(({ failure: { reason, component } }) =>
      reason === 'link-lost' ? 'link-lost *' : `${reason} ${component}`,
    );
    scope.deepEqual(
      [...new Set(found)].filter((cause) => !allowed.includes(cause)),
      [],
      'replays with another reason',
    );
    const repeats = allPresent(scope, output, highestIn(output) + 1);
    const { before, lowest, backAfterMs, buckets } = recoveryOf(progressIn(place), faultAt, faultAt + AFTER_MS);
    scope.true(
      backAfterMs !== undefined && backAfterMs <= GOAL_MS,
      `full rate after ${backAfterMs} ms, expected ${GOAL_MS}; ${whole(before)} before, then ${buckets.map(whole).join(' ')}`,
    );
    return {
      before: `${whole(before)}/s`,
      lowest: `${Math.round(lowest * 100)} %`,
      'full rate after': `${backAfterMs} ms`,
      replays: replaysText(replays),
      repeats: whole(repeats),
    };
  },
}));
