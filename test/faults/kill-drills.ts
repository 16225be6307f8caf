/** 1 000 000 numbers at full speed, while one process after the other is killed; and everything that is killed for good. */
import { until, Workspace } from '../support/e2e.js';
import { allPresent, balanceCloses } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { startRun } from '../support/e2e-run.js';
import {
  type Drill,
  type DrillScope,
  megabytes,
  NUMBERS,
  progressIn,
  replaysText,
  watchMemory,
  whole,
} from './drill.js';

const COUNT = 1_000_000;
const GONE_WITHIN_MS = 5000;
const WITHIN_MS = 120_000;

function killed(
  names: readonly string[],
  options: { readonly workers?: number; readonly ackers?: number } = {},
): Drill {
  const packed = options.workers === undefined ? '' : `, ${options.workers} processes`;
  return {
    name: `kill ${names.join(', ')}${packed}`,
    async run(scope) {
      const place = await Workspace.create(scope);
      const output = place.path('numbers.tsv');
      const set = { count: String(COUNT), output, progress: place.path('progress') };
      const watched = startRun(scope, place, NUMBERS, { ...options, set });
      const memory = watchMemory(place);
      for (const [index, name] of names.entries()) {
        const share = ((index + 0.5) / (names.length + 0.5)) * COUNT;
        await until(() => watched.acked >= share, `${share} acked`, WITHIN_MS);
        if (name === 'nats-server') process.kill(place.serverPid, 'SIGKILL');
        else await watched.killAndAwait(name);
      }
      const result = await watched.run.result;
      const most = memory.stop();
      scope.is(result.status, 'completed');
      scope.is(result.workers.restarts, names.filter((name) => name !== 'nats-server').length, 'restarts');
      const { replays, deadLettered, emitted } = result.spouts.numbers;
      scope.is(replays.failed + replays.timeout + deadLettered, 0, 'replays as failed or timeout, and dead letters');
      if (!names.includes('nats-server')) scope.is(replays['link-lost'], 0, 'replays as link-lost');
      if (options.workers === undefined && !names.includes('__acker[7]'))
        scope.is(replays['acker-lost'], 0, 'acker-lost');
      balanceCloses(scope, result);
      const repeats = allPresent(scope, output, COUNT);
      return {
        emitted: whole(emitted),
        replays: replaysText(replays),
        repeats: whole(repeats),
        time: `${(result.durationMs / 1000).toFixed(1)} s`,
        'most memory': megabytes(most.bytes),
      };
    },
  };
}

/** `victims`: who is killed of the processes of `squall run`. */
function cutOff(name: string, victims: (command: Command, place: Workspace) => readonly number[]): Drill {
  return {
    name,
    async run(scope: DrillScope) {
      const place = await Workspace.create(scope);
      const output = place.path('numbers.tsv');
      const set = { count: String(COUNT), output, progress: place.path('progress') };
      const command = await Command.run(scope, place, NUMBERS, set);
      const completed = () => progressIn(place).at(-1)?.at(-1)?.completed ?? 0;
      await command.until(() => completed() >= COUNT / 3, 'a third to be completed', WITHIN_MS);
      const killedAt = performance.now();
      for (const pid of victims(command, place)) process.kill(pid, 'SIGKILL');
      await place.allGone(GONE_WITHIN_MS);
      const goneAfterMs = performance.now() - killedAt;
      await command.ended();
      const { code, result } = await (await Command.run(scope, place, NUMBERS, set)).result(WITHIN_MS);
      scope.is(code, 0, 'exit code of the resumed run');
      balanceCloses(scope, result);
      const repeats = allPresent(scope, output, COUNT);
      scope.true(result.spouts.numbers.emitted < COUNT, 'the next run has begun at the beginning');
      return {
        'all gone after': `${(goneAfterMs / 1000).toFixed(1)} s`,
        emitted: `${whole(result.spouts.numbers.emitted)} again`,
        repeats: whole(repeats),
        replays: replaysText(result.spouts.numbers.replays),
      };
    },
  };
}

export const killDrills: readonly Drill[] = [
  killed(['second[4]', '__acker[7]', 'numbers[1]', 'sink[6]']),
  killed(['nats-server']),
  killed(['first[2]', 'first[3]'], { workers: 2, ackers: 2 }),
  cutOff('kill the supervisor', (command) => [command.pid]),
  cutOff('kill everything', (_command, place) => place.processes().map(({ pid }) => pid)),
];
