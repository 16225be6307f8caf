import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { inputFiles } from '../../spouts/input-files.js';
import { asNobody } from './as-nobody.js';
import { temporaryFolder } from './run-spout.js';

async function tree(t: ExecutionContext, files: readonly string[]): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), `${file}\n`);
  }
  return folder;
}

test('files are sorted by name, each once', async (t) => {
  const folder = await tree(t, ['b.txt', 'a/10.txt', 'a/2.txt', 'B.txt', 'é.txt', 'c.md']);
  t.deepEqual(await inputFiles('**/*.txt', folder), ['B.txt', 'a/10.txt', 'a/2.txt', 'b.txt', 'é.txt']);
  t.deepEqual(await inputFiles(['b.txt', '*.txt', './a/../b.txt'], folder), ['B.txt', 'b.txt', 'é.txt']);
});

test('a pattern takes what it says: node_modules, and folders with a dot where it names them', async (t) => {
  const folder = await tree(t, ['node_modules/p/README.md', 'node_modules/p/.cache/x.md', '.git/y.md', 'src/z.md']);
  t.deepEqual(await inputFiles('node_modules/**/*.md', folder), ['node_modules/p/README.md']);
  t.deepEqual(await inputFiles('**/*.md', folder), ['node_modules/p/README.md', 'src/z.md']);
  t.deepEqual(await inputFiles(['.git/*.md', 'node_modules/*/.cache/*'], folder), [
    '.git/y.md',
    'node_modules/p/.cache/x.md',
  ]);
});

test('a negated pattern takes away from what the patterns found', async (t) => {
  const folder = await tree(t, ['a.log', 'b.log', 'old/c.log']);
  t.deepEqual(await inputFiles(['**/*.log', '!old/**', '!b.log'], folder), ['a.log']);
});

test('a file that exists is meant literally, whatever its name', async (t) => {
  const folder = await tree(t, ['[a].txt', 'a.txt', '*.txt', '!b.txt']);
  t.deepEqual(await inputFiles('[a].txt', folder), ['[a].txt']);
  t.deepEqual(await inputFiles('*.txt', folder), ['*.txt']);
  t.deepEqual(await inputFiles('!b.txt', folder), ['!b.txt']);
});

test('files outside the folder have absolute names, those inside relative ones, however they were asked for', async (t) => {
  const folder = await tree(t, ['in/a.txt', 'out/b.txt']);
  const inside = join(folder, 'in');
  t.deepEqual(await inputFiles(join(inside, '*.txt'), inside), ['a.txt']);
  t.deepEqual(await inputFiles('../*/*.txt', inside), [join(folder, 'out/b.txt'), 'a.txt']);
  t.deepEqual(await inputFiles(join(folder, 'out/b.txt'), inside), [join(folder, 'out/b.txt')]);
});

test('the folder itself may have any name', async (t) => {
  const folder = join(
    await tree(t, ['.x/[a] (b) {c,d} !e/f.txt', '.x/[a] (b) {c,d} !e/.g.txt']),
    '.x/[a] (b) {c,d} !e',
  );
  t.deepEqual(await inputFiles(['*', '!nothing'], folder), ['f.txt']);
  t.deepEqual(await inputFiles('@(f|g).txt', folder), ['f.txt']);
});

test('links are followed, and a file that they lead to by several names is taken once', async (t) => {
  const folder = await tree(t, ['data/a.txt']);
  await symlink('..', join(folder, 'data/up'));
  await symlink('data/a.txt', join(folder, 'z.txt'));
  t.deepEqual(await inputFiles('**/*.txt', folder), ['data/a.txt']);
  t.deepEqual(await inputFiles('z.txt', folder), ['z.txt']);
});

test('no file is an error that names the pattern and the folder, and says what is there instead', async (t) => {
  const folder = await tree(t, ['a.txt', 'sub/b.txt']);
  for (const [path, advice] of [
    ['nope.txt', /'nope\.txt' in .*check the name/],
    ['*.csv', /'\*\.csv'/],
    ['nope/**/*.txt', /'nope\/\*\*/],
    [['*.csv', '*.tsv'], /'\*\.csv', '\*\.tsv'/],
    [['a.txt', 'nope.txt'], /'nope\.txt'/],
    ['sub', /that is a folder/],
    ['/dev/null', /neither a file nor a folder/],
    ['a.txt/b', /'a\.txt\/b'/],
  ] as const) {
    const error = await t.throwsAsync(inputFiles(path, folder), { code: 'ERR_SQUALL_NO_INPUT', message: advice });
    t.true(error?.message.includes(folder), error?.message);
    t.like((error as unknown as { facts: unknown }).facts, { directory: folder });
  }
});

test('a folder that may not be read is an error, not an empty folder', async (t) => {
  const folder = await tree(t, ['open/a.txt', 'closed/b.txt']);
  const found = await asNobody(folder, ['closed'], {
    module: 'spouts/input-files.js',
    call: `inputFiles('**/*.txt', ${JSON.stringify(folder)})`,
  });
  t.like(found, { code: 'ERR_SQUALL_FILE', facts: { file: join(folder, 'closed') } });
});
