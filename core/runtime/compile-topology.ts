/**
 * A topology file in TypeScript, for a Node that reads none by itself: one JavaScript file, with the project's own modules
 * inside. A run compiles it once, and its workers import the result: a loader for TypeScript in each of them would take
 * as long to start as everything else together.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { resolve as absolute, dirname, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Loader, OnLoadResult, OnResolveArgs, Plugin, PluginBuild } from 'esbuild';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);
/** Those that may be in the result; what else a file imports (JSON, text) esbuild knows. */
const CODE = /\.([cm]?[jt]s|[jt]sx)$/;
const BUILTIN = new Set(builtinModules);
/** What each module knows of its place stays that of its source. */
const PLACE = {
  'import.meta.url': '__squall_url',
  'import.meta.filename': '__squall_filename',
  'import.meta.dirname': '__squall_dirname',
  __filename: '__squall_filename',
  __dirname: '__squall_dirname',
};

let compiling = 0;

/** Node does it by itself: from 22.18, and from 23.6. */
export function needsCompiling(path: string): boolean {
  return TYPESCRIPT.has(extname(path)) && !(process.features as { typescript?: unknown }).typescript;
}

/**
 * Writes what the file at the absolute `path` is to `out`, for processes that run with these conditions. Throws a
 * SyntaxError whose stack names the place in the source.
 */
export async function compileTopology(path: string, out: string, conditions: readonly string[]): Promise<void> {
  mkdirSync(dirname(out), { recursive: true });
  const { build, stop } = await import('esbuild');
  compiling += 1;
  try {
    await build({
      entryPoints: [path],
      outfile: out,
      absWorkingDir: dirname(path),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: `node${process.versions.node}`,
      conditions: [...conditions],
      define: PLACE,
      banner: { js: requireOf(path) },
      plugins: [{ name: 'squall', setup: places } satisfies Plugin],
      sourcemap: 'inline',
      sourcesContent: false,
      treeShaking: false,
      ignoreAnnotations: true,
      logLevel: 'silent',
    });
  } catch (error) {
    throw mistakeIn(error as Partial<BuildFailure>, dirname(path)) ?? error;
  } finally {
    compiling -= 1;
    // its process is not to stay for the length of a run
    if (compiling === 0) await stop();
  }
}

/** What CommonJS in it asks for by name. */
function requireOf(path: string): string {
  const url = JSON.stringify(pathToFileURL(path).href);
  return `import { createRequire as __squall_require } from 'node:module'; const require = __squall_require(${url});`;
}

function places(build: PluginBuild): void {
  const { resolve } = build;
  // a package stays where it is, and is named by its place: the result lies elsewhere
  build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, importer, pluginData }: OnResolveArgs) => {
    if (pluginData === places || kind === 'entry-point') return undefined;
    if (path.startsWith('node:') || BUILTIN.has(path)) return { path, external: true };
    const found = await resolve(path, { kind, resolveDir, importer, pluginData: places });
    // Node will say that there is none
    if (found.errors.length > 0) return { path, external: true };
    // an alias of the project's, or a package of its workspace
    if (TYPESCRIPT.has(extname(found.path)) && !found.path.includes('node_modules')) return found;
    const place = kind.startsWith('require') ? found.path : pathToFileURL(found.path).href;
    return { path: place, external: true };
  });
  build.onLoad({ filter: CODE }, ({ path }): OnLoadResult => {
    const text = readFileSync(path, 'utf8').replace(/^#!.*/, '');
    const told = [
      `const __squall_url = ${JSON.stringify(pathToFileURL(path).href)}`,
      `__squall_filename = ${JSON.stringify(path)}`,
      `__squall_dirname = ${JSON.stringify(dirname(path))};`,
    ];
    const knows = /import\.meta|__(?:file|dir)name/.test(text);
    return { contents: knows ? `${told.join(', ')} ${text}` : text, loader: loaderOf(path), resolveDir: dirname(path) };
  });
}

function loaderOf(path: string): Loader {
  return extname(path).replace(/[cm]/, '').slice(1) as Loader;
}

/** esbuild names files as seen from the folder where it works. */
function mistakeIn({ errors: [first] = [] }: Partial<BuildFailure>, folder: string): Error | undefined {
  if (first === undefined) return undefined;
  const { text, location } = first;
  const error = new SyntaxError(text);
  if (location) {
    const { file, line, column } = location;
    error.stack = `SyntaxError: ${text}\n    at ${absolute(folder, file)}:${line}:${column + 1}`;
  }
  return error;
}
