/**
 * From stream to stream, while processes are killed and the server restarts: every message's result is there, the consumer
 * has nothing pending, and results are there twice only where docs/connectors.md says they can be.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until, Workspace } from '../support/e2e.js';
import { balanceCloses } from '../support/e2e-checks.js';
import { startRun, type WatchedRun } from '../support/e2e-run.js';
import { TestNats } from '../support/nats.js';
import { TestStreams } from '../support/streams.js';
import { type Drill, type DrillScope, megabytes, replaysText, watchMemory, whole } from './drill.js';

const TOPOLOGY = fileURLToPath(new URL('./through-streams.js', import.meta.url));
const SERVER = 'nats-server';
const WITHIN_MS = 900_000;
/** So many more results say that it goes on. */
const GOES_ON = 1000;
const LOOK_EVERY_MS = 50;

interface Form {
  readonly name: string;
  readonly count: number;
  /** tasks of the spout */
  readonly tasks: number;
  /** who is killed, one after the other, spread over the run */
  readonly victims: readonly string[];
  /** whether results may be there twice: another task of the spout gives its messages other ids */
  readonly twice: boolean;
}

/** `count`: messages of the long drill. */
export function streamDrills(count: number): readonly Drill[] {
  const forms: readonly Form[] = [
    {
      name: 'jetstream, one spout',
      count,
      tasks: 1,
      victims: ['numbers[1]', 'second[4]', SERVER, 'sink[6]'],
      twice: false,
    },
    {
      name: 'jetstream, two spouts',
      count: count / 4,
      tasks: 2,
      victims: ['numbers[2]', '__acker[8]', SERVER, 'numbers[1]'],
      twice: true,
    },
  ];
  return forms.map(drillOf);
}

function drillOf({ name, count, tasks, victims, twice }: Form): Drill {
  return {
    name,
    async run(scope) {
      const place = await Workspace.create(scope);
      const nats = await TestNats.start();
      scope.teardown(() => nats.stop());
      const streams = await TestStreams.connect(scope, nats.options);
      await streams.make('IN', 'in.n');
      await streams.make('OUT', 'out.n');
      await streams.fill('in.n', 0, count);

      const set = { tasks: String(tasks) };
      const watched = startRun(scope, place, TOPOLOGY, { nats: nats.options, set });
      const memory = watchMemory(place);
      const recoveries: string[] = [];
      for (const [index, victim] of victims.entries()) {
        const share = ((index + 0.5) / (victims.length + 0.5)) * count;
        await until(() => watched.acked >= share, `${share} acked`, WITHIN_MS);
        const tookMs = await killed(victim, watched, nats, streams);
        recoveries.push(`${victim} ${(tookMs / 1000).toFixed(1)} s`);
      }
      const result = await watched.run.result;
      const most = memory.stop();

      scope.is(result.status, 'completed');
      scope.is(result.workers.restarts, victims.filter((one) => one !== SERVER).length, 'restarts');
      const { replays, deadLettered, emitted } = result.spouts.numbers;
      scope.is(replays.failed + replays.timeout + deadLettered, 0, 'replays as failed or timeout, and dead letters');
      balanceCloses(scope, result);
      const { ackedSeq } = await streams.settled('IN', `squall-${place.name}-numbers`.slice(0, 64));
      scope.is(ackedSeq, count, 'the message up to which the consumer has all acked');
      const repeats = await everyNumber(scope, streams, count);
      if (!twice) scope.is(repeats, 0, 'results that are there twice');
      return {
        messages: whole(count),
        time: `${(result.durationMs / 1000).toFixed(1)} s`,
        rate: `${whole((count / result.durationMs) * 1000)}/s`,
        'stored again after': recoveries.join(', '),
        emitted: whole(emitted),
        replays: replaysText(replays),
        twice: whole(repeats),
        'most memory': megabytes(most.bytes),
      };
    },
  };
}

/** Kills it; resolves, when new results are stored again, to the time that this took. */
async function killed(victim: string, watched: WatchedRun, nats: TestNats, streams: TestStreams): Promise<number> {
  const stored = async () => (await streams.transport.jetstream().info('OUT'))?.lastSeq ?? 0;
  const restart = victim === SERVER;
  if (!restart) process.kill(watched.pidOf(victim), 'SIGKILL');
  else await nats.kill9();
  const killedAt = performance.now();
  if (restart) await nats.restart();
  // what was on its way at the death may still be stored; what is behind that shows that it goes on
  const before = (await stored()) + GOES_ON;
  while ((await stored()) < before) {
    if (performance.now() - killedAt > WITHIN_MS) throw new Error(`nothing is stored after ${victim} was killed`);
    await delay(LOOK_EVERY_MS);
  }
  const tookMs = performance.now() - killedAt;
  if (!restart) await until(() => watched.lost.items.length > 0, `the loss of ${victim} to be told`);
  return tookMs;
}

/** Every number is in OUT; returns how many results there were too many. */
async function everyNumber(scope: DrillScope, streams: TestStreams, count: number): Promise<number> {
  const found = await streams.numbers('OUT');
  let total = 0;
  let missing = 0;
  for (let n = 0; n < count; n++) {
    const times = found.get(n) ?? 0;
    total += times;
    if (times === 0) missing += 1;
  }
  scope.is(missing, 0, 'missing results');
  scope.is(found.size, count, 'different results');
  return total - count;
}
