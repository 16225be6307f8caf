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

/**
 * The members of each circle: the strongly connected components of two members or more, and single ones that lead to
 * themselves. In the order of `targets`, which says for each member what it leads to. Tarjan, "Depth-first search and
 * linear graph algorithms" (1972).
 */
export function stronglyConnected<T>(targets: ReadonlyMap<T, readonly T[]>): readonly (readonly T[])[] {
  const numbers = new Map<T, number>();
  const stack: T[] = [];
  const onStack = new Set<T>();
  const found: Set<T>[] = [];
  const visit = (name: T): number => {
    const number = numbers.size;
    numbers.set(name, number);
    let low = number;
    stack.push(name);
    onStack.add(name);
    for (const target of targets.get(name) ?? []) {
      if (!numbers.has(target)) low = Math.min(low, visit(target));
      else if (onStack.has(target)) low = Math.min(low, numbers.get(target) as number);
    }
    if (low === number) {
      const members = new Set(stack.splice(stack.indexOf(name)));
      for (const member of members) onStack.delete(member);
      if (members.size > 1 || targets.get(name)?.includes(name)) found.push(members);
    }
    return low;
  };
  for (const name of targets.keys()) if (!numbers.has(name)) visit(name);
  const order = [...targets.keys()];
  const sorted = found.map((members) => order.filter((name) => members.has(name)));
  return sorted.sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
}
