import test from 'ava';
import { Scheduler } from '../../core/testing/scheduler.js';

/** Runs everything until `to`. */
function runTo(scheduler: Scheduler, to: number): void {
  for (;;) {
    while (scheduler.runTurn());
    if (scheduler.nextAt > to) break;
    scheduler.moveTo(scheduler.nextAt);
  }
  scheduler.moveTo(to);
}

test('timers run in the order of their times, and those of one time in the order of their making', (t) => {
  const scheduler = new Scheduler(0);
  const clock = scheduler.clock();
  const ran: string[] = [];
  for (const [name, ms] of [
    ['d', 30],
    ['b', 10],
    ['c', 10],
    ['a', 0],
    ['e', 30],
  ] as const)
    clock.after(ms, () => ran.push(`${name}${clock.now()}`));
  runTo(scheduler, 30);
  t.deepEqual(ran, ['a0', 'b10', 'c10', 'd30', 'e30']);
});

test('a heap of many timers gives them back in order', (t) => {
  const scheduler = new Scheduler(0);
  const times = Array.from({ length: 500 }, (_, at) => (at * 7919) % 501);
  const ran: number[] = [];
  for (const ms of times) scheduler.after(ms, () => ran.push(scheduler.now));
  runTo(scheduler, 1000);
  t.deepEqual(
    ran,
    times.toSorted((a, b) => a - b),
  );
});

test('a cancelled timer does not run, and one that repeats can cancel itself', (t) => {
  const scheduler = new Scheduler(0);
  const clock = scheduler.clock();
  const ran: number[] = [];
  clock.after(5, () => t.fail())();
  const cancel = clock.every(10, () => {
    ran.push(clock.now());
    if (ran.length === 3) cancel();
  });
  runTo(scheduler, 100);
  t.deepEqual(ran, [10, 20, 30]);
  t.is(scheduler.nextAt, Number.POSITIVE_INFINITY);
});

test('turns run in order, those that a turn makes after those that were there', (t) => {
  const scheduler = new Scheduler(0);
  const ran: number[] = [];
  scheduler.soon(() => {
    ran.push(1);
    scheduler.soon(() => ran.push(3));
  });
  scheduler.soon(() => ran.push(2));
  while (scheduler.runTurn());
  t.deepEqual(ran, [1, 2, 3]);
});

test('a clock that is not alive any more does nothing of what it was asked for', (t) => {
  const scheduler = new Scheduler(0);
  let alive = true;
  const clock = scheduler.clock(() => alive);
  clock.soon(() => t.fail());
  clock.after(1, () => t.fail());
  clock.every(1, () => t.fail());
  alive = false;
  runTo(scheduler, 10);
  t.is(clock.now(), 10);
});

test('the wall clock goes with the time', (t) => {
  const scheduler = new Scheduler(1_000_000);
  runTo(scheduler, 25);
  t.is(scheduler.clock().wall(), 1_000_025);
});

test('a turn that waits for its time to be over gets it', (t) => {
  const scheduler = new Scheduler(0);
  const clock = scheduler.clock();
  scheduler.soon(() => {
    while (clock.now() < 5);
  });
  scheduler.runTurn();
  t.is(clock.now(), 5);
});
