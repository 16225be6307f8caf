/**
 * The targets that localOrShuffle deals to: those of the sender's own process where there are any, which spares the
 * tuples the way through NATS, else all. Which process a task is in never changes while the sender lives.
 */
export function localOrAll(targets: number, isLocal: (index: number) => boolean): readonly number[] {
  const all = Array.from({ length: targets }, (_, index) => index);
  const local = all.filter(isLocal);
  return local.length > 0 ? local : all;
}
