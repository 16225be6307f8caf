import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runLocal } from '../../core/testing/index.js';
import packageRank from '../../topologies/package-rank.js';

const DAMPING = 0.85;

/** Who depends on whom: two that depend on each other, one on itself, one on nothing, one that nobody needs. */
const PACKAGES = [
  { name: 'app', dependencies: ['a', 'b', 'leaf'] },
  { name: 'a', dependencies: ['b', 'leaf'] },
  { name: 'b', dependencies: ['a'] },
  { name: 'own', dependencies: ['own', 'leaf'] },
  { name: 'leaf', dependencies: [] },
];

/** The weight that passes through each package, by going over all of them until nothing changes any more. */
function reference(): Map<string, number> {
  let through = new Map(PACKAGES.map(({ name }) => [name, 1]));
  for (let round = 0; round < 500; round++) {
    const next = new Map(PACKAGES.map(({ name }) => [name, 1]));
    for (const { name, dependencies } of PACKAGES) {
      for (const to of dependencies) {
        const passed = (DAMPING * (through.get(name) as number)) / dependencies.length;
        next.set(to, (next.get(to) as number) + passed);
      }
    }
    through = next;
  }
  return new Map(
    PACKAGES.map(({ name, dependencies }) => {
      const weight = through.get(name) as number;
      return [name, dependencies.length === 0 ? weight : weight * (1 - DAMPING)];
    }),
  );
}

test('the ranks are those of PageRank, the greatest first', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'squall-package-rank-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const output = join(folder, 'ranks.tsv');
  for (const workers of [1, 'task'] as const) {
    const result = await runLocal(packageRank({ output, least: '1e-12' }), {
      spouts: { packages: PACKAGES },
      workers,
    });
    t.is(result.status, 'completed');
    const lines = (await readFile(output, 'utf8')).split('\n').slice(0, -1);
    const ranks = lines.map((line) => line.split('\t')).map(([name, rank]) => ({ name, rank: Number(rank) }));
    t.deepEqual(
      ranks.map(({ name }) => name),
      ['leaf', 'a', 'b', 'own', 'app'],
    );
    const expected = reference();
    for (const { name, rank } of ranks)
      t.true(Math.abs(rank - (expected.get(name) as number)) < 1e-9, `${name}: ${rank}`);
  }
});
