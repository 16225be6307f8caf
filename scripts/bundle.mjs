/**
 * What a worker process loads, in a few files instead of some two hundred: it starts in half the time. `dist/worker` has
 * the same entries as `dist`, with the packages that they use inside; a worker is started with the condition
 * `squall-worker`, under which `import … from 'squall'` in a topology file is the copy in there.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const ENTRIES = [
  'core/runtime/worker-main',
  'core/runtime/heartbeat-thread',
  'core/index',
  'core/testing/index',
  'spouts/index',
  'bolts/index',
];
/** Looked for when they are needed, where they are installed. */
const LEFT_OUT = ['squall', 'esbuild', 'msgpackr-extract'];
/** Packages that are CommonJS ask for Node's own modules by it. */
const REQUIRE =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);";

export function bundle(root) {
  const dist = join(root, 'dist');
  const outdir = join(dist, 'worker');
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: ENTRIES.map((entry) => join(dist, `${entry}.js`)),
    outbase: dist,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: LEFT_OUT.flatMap((name) => [name, `${name}/*`]),
    banner: { js: REQUIRE },
    sourcemap: true,
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(outdir, 'LICENSES.txt'), licensesOf(root, Object.keys(metafile.inputs)));
}

/** Of the packages that are inside. */
function licensesOf(root, files) {
  const folders = new Set(files.flatMap((file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []));
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      const text = readdirSync(join(root, folder)).find((file) => /^licen[cs]e/i.test(file));
      const whole = text === undefined ? '' : `\n${readFileSync(join(root, folder, text), 'utf8').trim()}\n`;
      return `${name} ${version}: ${license}\n${whole}`;
    })
    .join('\n---\n\n');
}
