/** Cycles among the components of a topology. */

/**
 * A closed path (`a, b, a`, in the direction of the tuples) for each edge that closes one. `sources` says for each
 * component what it takes from.
 */
export function findCycles<T>(sources: ReadonlyMap<T, readonly T[]>): readonly (readonly T[])[] {
  const cycles: T[][] = [];
  const done = new Set<T>();
  const path: T[] = [];
  const visit = (name: T): void => {
    const at = path.indexOf(name);
    if (at >= 0) cycles.push([...path.slice(at), name].reverse());
    if (at >= 0 || done.has(name)) return;
    path.push(name);
    for (const source of sources.get(name) ?? []) visit(source);
    path.pop();
    done.add(name);
  };
  for (const name of sources.keys()) visit(name);
  return cycles;
}
