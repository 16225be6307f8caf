/** Time as the runtime sees it: injected, so that a simulator can run the same tasks on a clock of its own. */
export interface Clock {
  /** monotonic, in milliseconds; intervals only, never shown to people */
  now(): number;
  /** wall clock in milliseconds since 1970, for records that people read */
  wall(): number;
  /** runs `action` once after `delayMs`; returns what cancels it */
  after(delayMs: number, action: () => void): () => void;
  /** runs `action` every `periodMs` until cancelled */
  every(periodMs: number, action: () => void): () => void;
  /** runs `action` in a turn of its own, after input that is already there */
  soon(action: () => void): void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  every(periodMs, action) {
    const timer = setInterval(action, periodMs);
    return () => clearInterval(timer);
  },
  soon: (action) => void setImmediate(action),
};
