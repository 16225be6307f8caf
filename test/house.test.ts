import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** From the one that may know nothing to the one that may know everything. */
const ROOMS = [
  'topology',
  'tuple',
  'grouping',
  'reliability',
  'wire',
  'transport',
  'inspect',
  'runtime',
  'cluster',
  'testing',
];

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    relative('.', join(dirname(file), path)),
  );
}

const roomOf = (file: string): number => ROOMS.indexOf(file.split('/')[1]);

test('a room of core imports only from itself and from rooms above it', (t) => {
  const wrong: string[] = [];
  for (const file of sources('core')) {
    const room = roomOf(file);
    if (room < 0) continue;
    for (const imported of importsOf(file)) if (roomOf(imported) > room) wrong.push(`${file} imports ${imported}`);
  }
  t.deepEqual(wrong, []);
});

test('core knows nothing of the command line, of ready-made components or of tests', (t) => {
  const wrong = sources('core').filter((file) => importsOf(file).some((path) => !path.startsWith('core/')));
  t.deepEqual(wrong, []);
});

test('pure rooms have no clock, no network, no process and no randomness of their own', (t) => {
  const impure = /\b(Date\.now|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|process\.)/;
  const wrong: string[] = [];
  for (const room of ['reliability', 'wire', 'grouping', 'tuple']) {
    for (const file of sources(`core/${room}`)) {
      const code = readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      if (impure.test(code) || /from 'node:(net|fs|child_process|http|crypto)'/.test(code)) wrong.push(file);
    }
  }
  t.deepEqual(wrong, []);
});
