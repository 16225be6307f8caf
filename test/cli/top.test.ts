import test from 'ava';
import { attentionOf } from '../../cli/attention.js';
import { styleOf } from '../../cli/style.js';
import { RunHistory } from '../../cli/top-history.js';
import { topScreen } from '../../cli/top-screen.js';
import type { RunSnapshot } from '../../core/cluster/run-types.js';
import { FakeOutput } from './fake-io.js';
import { boltResult, runSnapshot, spoutResult } from './fake-run.js';

/** Looks at `snapshots`, a second apart, and at the screen at the moment of the last. */
function screen(snapshots: readonly RunSnapshot[], width = 79, laterMs = 0): string[] {
  const history = watched(snapshots);
  const now = (snapshots.length - 1) * 1000 + laterMs;
  return topScreen(history, now, { width, style: styleOf(new FakeOutput()), tasks: false });
}

function watched(snapshots: readonly RunSnapshot[]): RunHistory {
  const history = new RunHistory();
  snapshots.forEach((snapshot, at) => {
    history.add(at * 1000, snapshot);
  });
  return history;
}

function kinds(snapshots: readonly RunSnapshot[], laterMs = 0): string[] {
  return attentionOf(watched(snapshots), (snapshots.length - 1) * 1000 + laterMs).map(({ kind }) => kind);
}

const moving = (acked: number, pending = 10): RunSnapshot =>
  runSnapshot({
    spouts: { lines: spoutResult({ emitted: acked + pending, acked, pending }) },
    bolts: { split: boltResult({ executed: acked, acked }) },
  });

/** `sink` holds one tuple of the three that it was sent. */
const hanging = runSnapshot({
  spouts: { lines: spoutResult({ emitted: 30, acked: 2, pending: 28 }) },
  bolts: { split: boltResult({ executed: 30, acked: 30 }), sink: boltResult({ executed: 3, acked: 2 }) },
});

test('a run that is well has nothing under its head', (t) => {
  const lines = screen([moving(100), moving(200)]);
  t.regex(lines[0], /^word-count {2}running/);
  t.is(lines[1], '');
  t.deepEqual(kinds([moving(100), moving(200)]), []);
});

test('a sink that hangs is named within a second of looking', (t) => {
  const lines = screen([hanging, hanging]);
  t.is(
    lines.slice(1, 3).join(' '),
    '! STALLED: 28 pending and nothing completes; sink took a tuple and has not   settled it for 1.0 s or more',
  );
});

test('a paused run says so, how it goes on, and is not stalled', (t) => {
  const paused = { ...moving(100, 0), phase: 'paused' as const };
  t.is(screen([paused])[1], '! PAUSED: the spouts emit nothing until squall resume word-count');
  t.deepEqual(kinds([paused, paused, paused]), ['paused']);
});

test('a process that died twice and just now crash-loops at the first look, though it is up; the reason is said', (t) => {
  const life = (restarts: number, agoMs: number): RunSnapshot => {
    const death = { message: 'exit code 1: no such table\nat x.ts', at: Date.now() - agoMs };
    return { ...moving(1), tasks: [{ component: 'split[2]', task: 2, pid: 7, state: 'ready', restarts, death }] };
  };
  t.deepEqual(kinds([life(1, 100)]), []);
  t.deepEqual(kinds([life(2, 100)]), ['crash-loop']);
  t.regex(
    screen([life(2, 100)])
      .slice(1, 3)
      .join(' '),
    /^! split\[2\] CRASH-LOOPS: its process died 2 times; the last time of: exit code +1: no such table/,
  );
  t.deepEqual(kinds([life(5, 60_000)]), [], 'that is over');
});

test('who has no room is named with those who wait for it, and not those who wait themselves', (t) => {
  const base = moving(1);
  const task = (component: string, task: number, more: object = {}) => ({
    component,
    task,
    pid: 1,
    state: 'ready' as const,
    restarts: 0,
    ...more,
  });
  const load = { perS: { executed: 1, emitted: 0, acked: 1, failed: 0 }, queued: 327, capacity: 0.97 };
  const tasks = [
    task('lines[1]', 1, { blockedOn: [{ component: 'split', task: 2, ms: 5000 }] }),
    task('split[2]', 2, { blockedOn: [{ component: 'sink', task: 3, ms: 6000 }] }),
    task('sink[3]', 3, { load }),
  ];
  t.deepEqual(kinds([{ ...base, elapsedMs: 500, tasks }]), [], 'it has only begun');
  t.deepEqual(kinds([{ ...base, tasks }]), ['full']);
  t.regex(
    screen([{ ...base, tasks }])
      .slice(1, 4)
      .join(' '),
    /^! sink\[3\] is FULL: split\[2\] waits for it, 6\.0 s so far; 327 tuples in its +queue, and it is busy 97% of the time/,
  );
});

test('that NATS is away is said', (t) => {
  t.deepEqual(kinds([{ ...moving(1), linksDown: 3 }]), ['nats-away']);
});

test('a process that is down after earlier restarts is a crash loop at the first look', (t) => {
  const down = runSnapshot({
    workers: { up: 4, all: 5, restarts: 3 },
    tasks: [{ component: 'split[2]', task: 2, pid: undefined, state: 'gone', restarts: 3, restartInMs: 2000 }],
  });
  t.regex(screen([down])[1], /^! split\[2\] CRASH-LOOPS: its process died 3 times; again in 2\.0 s/);
});

test('a process that is down is the reason, and nobody else is blamed for the stall', (t) => {
  const tasks = [{ component: 'split[2]', task: 2, pid: undefined, state: 'gone' as const, restarts: 1 }];
  t.deepEqual(
    kinds([
      { ...hanging, tasks },
      { ...hanging, tasks },
    ]),
    ['down'],
  );
});

test('a run that is not heard of any more says for how long', (t) => {
  t.deepEqual(kinds([moving(1), moving(2)], 1_400), []);
  t.regex(screen([moving(1), moving(2)], 79, 3_000)[1], /^! no word from the run for 3\.0 s/);
});

test('what stood still before it ran or while it was paused is no stall', (t) => {
  const starting = { ...hanging, phase: 'paused' as const };
  t.deepEqual(kinds([starting, starting, starting, hanging]), []);
});

test('pending tuples that grow are told', (t) => {
  const growing = Array.from({ length: 12 }, (_, at) => moving(at, 1_000 + 500 * at));
  t.deepEqual(kinds(growing), ['pending-grows']);
});

test('no line is wider than the terminal, and of a narrow one the rate stays', (t) => {
  for (const width of [40, 60, 79, 200]) {
    const lines = screen([hanging, hanging], width);
    t.true(lines.every((line) => line.length <= width));
    t.true(lines.some((line) => /^component +in\/s/.test(line)));
  }
});
