/** Debian bookworm has 2.9; older servers lack parts of JetStream that we need, and nobody tests us with them. */
export const OLDEST_NATS = '2.9.0';

/** Compares `major.minor.patch`; what follows (`-beta.1`) does not count. A version that is none is too old. */
export function atLeast(version: string, oldest: string): boolean {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (numbers === undefined) return false;
  const limit = oldest.split('.').map(Number);
  const index = numbers.findIndex((number, at) => number !== limit[at]);
  return index === -1 || numbers[index] > limit[index];
}
