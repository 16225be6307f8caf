/**
 * The event loop's own time, taken when this module is loaded: a test that replaces the global timers by fake ones must
 * not stop what waits for its code.
 */
const { setTimeout, clearTimeout, setImmediate, performance, process } = globalThis;
const { nextTick } = process;
const elapsed = performance.now.bind(performance);

export function realNow(): number {
  return elapsed();
}

/** Resolves when all promises that can go on by themselves have gone on. */
export function promisesDone(): Promise<void> {
  // a tick runs when the queue of microtasks is empty
  return new Promise((resolve) => nextTick.call(process, resolve));
}

/** Resolves after one round of the event loop: sockets, files and timers have had their turn. */
export function eventLoopRound(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Calls `action` after `delayMs` and keeps the process alive until then; returns what cancels it. */
export function afterReal(delayMs: number, action: () => void): () => void {
  const timer = setTimeout(action, delayMs);
  return () => clearTimeout(timer);
}
