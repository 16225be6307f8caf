import test from 'ava';
import fc from 'fast-check';
import { findCycles } from '../../core/topology/cycles.js';

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
