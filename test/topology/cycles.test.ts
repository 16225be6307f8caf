import test from 'ava';
import fc from 'fast-check';
import { findCycles, stronglyConnected } from '../../core/topology/cycles.js';

const graphs = fc
  .array(fc.array(fc.nat(11), { maxLength: 3 }), { maxLength: 12 })
  .map((lists) => new Map(lists.entries()));

/** Takes away what takes from nothing that is left (Kahn); what stays is on a cycle or after one. */
function isAcyclic(sources: ReadonlyMap<number, readonly number[]>): boolean {
  const left = new Map(sources);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [name, from] of left) if (!from.some((source) => left.has(source))) left.delete(name);
  }
  return left.size === 0;
}

test('a cycle is found exactly where there is one, and each is a closed path in the direction of the tuples', (t) => {
  fc.assert(
    fc.property(graphs, (sources) => {
      const cycles = findCycles(sources);
      if ((cycles.length === 0) !== isAcyclic(sources)) return false;
      return cycles.every(
        (path) =>
          path.length >= 2 &&
          path[0] === path.at(-1) &&
          path.slice(1).every((name, at) => sources.get(name)?.includes(path[at])),
      );
    }),
  );
  t.pass();
});

test('circles are the sets whose members reach each other, each in the given order, first members first', (t) => {
  fc.assert(
    fc.property(graphs, (targets) => {
      const names = [...targets.keys()];
      const reach = new Map(names.map((name) => [name, reachable(name, targets)]));
      const expected: number[][] = [];
      for (const name of names) {
        const members = names.filter((other) => reach.get(name)?.has(other) && reach.get(other)?.has(name));
        if (members[0] === name) expected.push(members);
      }
      t.deepEqual(stronglyConnected(closed(targets)), expected);
    }),
  );
});

/** What a path of one edge or more leads to. */
function reachable(from: number, targets: ReadonlyMap<number, readonly number[]>): ReadonlySet<number> {
  const found = new Set<number>();
  const queue = [from];
  for (const name of queue) {
    for (const target of targets.get(name) ?? []) {
      if (found.has(target)) continue;
      found.add(target);
      queue.push(target);
    }
  }
  return found;
}

/** Without edges to what is no key, which lead nowhere. */
function closed(targets: ReadonlyMap<number, readonly number[]>): ReadonlyMap<number, readonly number[]> {
  return new Map([...targets].map(([name, list]) => [name, list.filter((target) => targets.has(target))]));
}
