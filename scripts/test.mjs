/**
 * `npm test`: what is missing is installed, the sources are checked and built, the tests run. Arguments go to AVA; a test
 * is named by its source or by its compiled file: `npm test -- test/wire/frame.test.ts --match='*checksum*'`. Named
 * tests run without the check of the sources. `--coverage` measures what the tests reach; with `--long` the same tests run
 * on more tuples, processes and rounds.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, checkNode, compiledName, install, root, runNode, say } from './setup.mjs';

const AVA = join('node_modules', 'ava', 'entrypoints', 'cli.mjs');
const C8 = join('node_modules', 'c8', 'bin', 'c8.js');
const BIOME = join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
/** Without a test that ends for so long AVA gives up; `STUCK_MS` in test/support/e2e.ts is below it. */
const LONG_TIMEOUT = '15m';
/** Biome is a program per platform; the lockfile may not have one for this. */
const BIOME_PROGRAM = join(root, 'node_modules', '@biomejs', `cli-${process.platform}-${process.arch}`);

async function lint() {
  if (!existsSync(BIOME_PROGRAM)) {
    say(`Lint skipped: no Biome for ${process.platform}-${process.arch} in the lockfile.`);
    return 0;
  }
  return (await runNode([BIOME, 'check', '--error-on-warnings'])).code;
}

const given = process.argv.slice(2);
const coverage = given.includes('--coverage');
const long = given.includes('--long');
const args = given.filter((arg) => arg !== '--coverage' && arg !== '--long').map(compiledName);
if (long) {
  process.env.SQUALL_TEST_LONG = '1';
  args.push('--timeout', LONG_TIMEOUT);
}
const named = args.some((arg) => arg.startsWith('dist/'));

checkNode();
install();
const lintCode = named ? 0 : await lint();
await build();
const { code } = await runNode([...(coverage ? [C8, process.execPath] : []), AVA, ...args]);
if (lintCode !== 0) say('The sources do not pass `npm run lint`; `npm run format` repairs most of it.');
process.exitCode = code || lintCode;
