/** The suites for sources and sinks: on Squall's own connectors, and on ones that break a promise each. */

import { isSquallError } from '../../core/errors.js';
import { checkSink, checkSource, type SinkCheckOptions, type SourceCheckOptions } from '../../core/testing/index.js';
import { ofLines, ofStream, toFile, toFolder, toListener, toStream } from '../testing/conformance/cases.js';
import type { Drill, DrillScope, Row } from './drill.js';

const WITHIN_MS = 300_000;
const COUNT = 3000;

const log = (line: string): void => console.error(line);

function source(name: string, options: SourceCheckOptions): Drill {
  return {
    name: `source ${name}`,
    async run(): Promise<Row> {
      const { rounds, seed } = await checkSource({ count: COUNT, timeoutMs: WITHIN_MS, log, ...options });
      const [{ emitted, repeats, repeatsAfterDrain, idleShare }] = rounds;
      return {
        seed: String(seed),
        emitted: String(emitted),
        repeats: String(repeats),
        'after drain': String(repeatsAfterDrain),
        idle: idleShare === undefined ? 'over' : `${Math.round(idleShare * 100)} %`,
      };
    },
  };
}

function sink(name: string, options: SinkCheckOptions): Drill {
  return {
    name: `sink ${name}`,
    async run(): Promise<Row> {
      const { rounds, seed } = await checkSink({ count: COUNT, timeoutMs: WITHIN_MS, log, ...options });
      const [{ stored, duplicates, replays, ackedAtKill }] = rounds;
      return {
        seed: String(seed),
        stored: String(stored),
        duplicates: String(duplicates),
        replayed: String(replays),
        'acked at kill': String(ackedAtKill),
      };
    },
  };
}

/** The check must blame just this promise, or this one among others. */
function caught(name: string, promise: string, check: () => Promise<unknown>): Drill {
  return {
    name: `catch ${name}`,
    async run(scope: DrillScope): Promise<Row> {
      const error = await check().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const message = error instanceof Error ? error.message : 'nothing was thrown';
      scope.true(
        isSquallError(error) && message.includes(promise),
        `expected ${promise} to be blamed, found ${message}`,
      );
      return { blamed: promise };
    },
  };
}

const settings = { count: 600, timeoutMs: WITHIN_MS, log };
const badSource = (spout: string, promise: string): Drill =>
  caught(`source ${spout}`, promise, () => checkSource({ ...ofLines(spout), ...settings }));
const badSink = (options: SinkCheckOptions, promise: string): Drill =>
  caught(`sink ${options.sink}`, promise, () => checkSink({ ...options, ...settings }));

export const conformanceDrills: readonly Drill[] = [
  source('fileSpout', ofLines('lines', 5)),
  source('fileSpout, 3 tasks', { ...ofLines('lines', 5), tasks: 3 }),
  source('with pages', ofLines('good')),
  source('jetStreamSpout', ofStream('squall')),
  source('jetStreamSpout, replay by the stream', ofStream('source')),
  source('jetStreamSpout, 2 tasks', { ...ofStream('squall'), tasks: 2 }),
  sink('linesSink', { ...toFile('linesOut'), ordered: true }),
  sink('files', toFolder('files')),
  sink('jetStreamSink', toStream()),
  {
    name: 'sink natsSink',
    async run(scope) {
      const listener = toListener();
      scope.teardown(() => listener.close());
      const { close: _, ...options } = listener;
      return sink('natsSink', options).run(scope);
    },
  },
  sink('rows of its own', { ...toFile('rows'), values: 'rowOf', keyOf: ({ id }) => String(id) }),
  badSource('hasty', 'nothing-lost'),
  badSource('forgetful', 'nothing-lost'),
  badSource('newIds', 'stable-ids'),
  badSource('spins', 'quiet-when-empty'),
  badSource('falls', 'lives-on'),
  badSource('untracked', 'tracked'),
  badSink(toFile('early'), 'stored-before-ack'),
  badSink({ ...toFile('linesOut'), idempotent: true }, 'exactly-once'),
  badSink(toFolder('silent'), 'at-least-once'),
  badSink({ ...toFile('overtaking'), ordered: true }, 'ordered'),
];
