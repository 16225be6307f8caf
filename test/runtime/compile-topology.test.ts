import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { compileTopology } from '../../core/runtime/compile-topology.js';

type Exports = Readonly<Record<string, unknown>>;

/** A folder with these files. */
function folderWith(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'squall-compile-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Compiles one of them to where no package is in reach, and imports it. */
async function compiled(folder: string, name: string, conditions: readonly string[] = []): Promise<Exports> {
  const out = join(mkdtempSync(join(tmpdir(), 'squall-compiled-')), 'topology.mjs');
  try {
    await compileTopology(join(folder, name), out, conditions);
    return (await import(pathToFileURL(out).href)) as Exports;
  } finally {
    rmSync(dirname(out), { recursive: true, force: true });
  }
}

test('modules of the project are inside, and each knows its own place', async (t) => {
  const folder = folderWith(t, {
    'package.json': '{ "type": "module" }',
    'a.ts': `
      import { where as other } from './lib/b.js';
      import data from './data.json' with { type: 'json' };
      export const here: string = import.meta.url;
      export const there = other;
      export const n = data.n as number;
      export const late = (await import('./lib/c.ts')).default;
    `,
    'lib/b.ts': 'export const where: string = import.meta.dirname;',
    'lib/c.ts': 'enum Late { Yes = 7 }\nexport default Late.Yes;',
    'data.json': '{ "n": 42 }',
  });
  const { here, there, n, late } = await compiled(folder, 'a.ts');
  t.deepEqual([here, there, n, late], [pathToFileURL(join(folder, 'a.ts')).href, join(folder, 'lib'), 42, 7]);
});

test('packages stay outside, and are those that the source would find, under the conditions that are given', async (t) => {
  const folder = folderWith(t, {
    'topologies/a.ts': `export { default as outer } from 'outer'; export { default as inner } from 'inner';`,
    'topologies/node_modules/inner/package.json': '{ "name": "inner", "type": "module", "exports": "./main.js" }',
    'topologies/node_modules/inner/main.js': 'export default import.meta.url;',
    'node_modules/outer/package.json':
      '{ "name": "outer", "type": "module", "exports": { "special": "./special.js", "default": "./main.js" } }',
    'node_modules/outer/main.js': 'export default "main";',
    'node_modules/outer/special.js': 'export default "special";',
  });
  const inner = pathToFileURL(join(folder, 'topologies/node_modules/inner/main.js')).href;
  t.deepEqual({ ...(await compiled(folder, 'topologies/a.ts')) }, { inner, outer: 'main' });
  t.deepEqual({ ...(await compiled(folder, 'topologies/a.ts', ['special'])) }, { inner, outer: 'special' });
});

test('a file that is CommonJS to Node may use what CommonJS has', async (t) => {
  const folder = folderWith(t, {
    'package.json': '{}',
    'a.ts': `
      import { n } from './b';
      const { join } = require('node:path') as typeof import('node:path');
      const old = require('old') as { name: string };
      export const found = [join(__dirname, 'x'), __filename, old.name, n];
    `,
    'b.ts': 'export const n: number = 5;',
    'node_modules/old/package.json': '{ "name": "old" }',
    'node_modules/old/index.js': 'exports.name = "old";',
  });
  const { found } = await compiled(folder, 'a.ts');
  t.deepEqual(found, [join(folder, 'x'), join(folder, 'a.ts'), 'old', 5]);
});

test('what does not parse, or is not there, is an error that names the place', async (t) => {
  const folder = folderWith(t, {
    'a.ts': 'export const a = 1;\nconst = 2;\n',
    'b.ts': "\nimport './lib/none.js';\n",
    'c.ts': "import './lib/broken.js';\n",
    'lib/broken.ts': '\n\nlet let = 1;',
  });
  const stackOf = async (name: string): Promise<string> =>
    (await t.throwsAsync(compiled(folder, name), { name: 'SyntaxError' }))?.stack ?? '';
  t.true((await stackOf('a.ts')).includes(`${join(folder, 'a.ts')}:2:7`));
  t.true((await stackOf('b.ts')).includes(`${join(folder, 'b.ts')}:2:8`));
  t.true((await stackOf('c.ts')).includes(`${join(folder, 'lib', 'broken.ts')}:3:5`));
});

test('a package that is not there is what Node says of it', async (t) => {
  const folder = folderWith(t, { 'a.ts': "import 'no-such-package';" });
  await t.throwsAsync(compiled(folder, 'a.ts'), { code: 'ERR_MODULE_NOT_FOUND', message: /'no-such-package'/ });
});

test('an error at run time is at its place in the source', async (t) => {
  const folder = folderWith(t, {
    'package.json': '{ "type": "module" }',
    'a.ts': 'interface A {\n  readonly a: 1;\n}\nexport function fails(): A {\n  throw new Error("here");\n}\n',
  });
  process.setSourceMapsEnabled(true);
  const { fails } = await compiled(folder, 'a.ts');
  const error = t.throws(fails as () => void, { message: 'here' });
  t.true(error?.stack?.includes(`${join(folder, 'a.ts')}:5:9`), error?.stack);
});
