/** Imports a topology file, TypeScript or JavaScript, and builds what it exports: the same in every process. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SquallError } from '../errors.js';
import type { TopologyPlan } from '../topology/definition.js';
import { loadTopology } from '../topology/parameters.js';
import { planOf } from '../topology/plan.js';

/** It takes some 50 ms; a mistake is to be told within 5 s. */
const CHECK_TIMEOUT_MS = 2000;
const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);
/** What the file will import: in a worker that is another copy than ours. */
const SQUALL = 'squall';

/** Throws SquallError: no such file, it does not parse or throws, it exports no topology, or the topology is wrong. */
export async function loadPlan(file: string, settings: Readonly<Record<string, string>>): Promise<TopologyPlan> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new SquallError('ERR_SQUALL_TOPOLOGY_FILE', `there is no topology file ${path}`, { facts: { file: path } });
  }
  let exported: unknown;
  try {
    exported = (await importFile(path)).default;
  } catch (error) {
    throw fileError(path, error);
  }
  try {
    return planOf(await loadTopology(exported, { ...settings }));
  } catch (error) {
    if (!(error instanceof SquallError) || error.code !== 'ERR_SQUALL_TOPOLOGY_FILE') throw error;
    throw new SquallError(error.code, `${path}: ${error.message}`, {
      facts: { ...error.facts, file: path },
      cause: error.cause,
    });
  }
}

/** What a file exports, TypeScript or JavaScript; `path` is absolute. Rejects as `import` does. */
export async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  if (TYPESCRIPT.has(extname(path)) && !stripsTypes()) {
    // each module that is read through the loader's thread takes twice as long: all of ours that it will want, before
    await import(SQUALL);
    // a file outside of an ES module package is CommonJS to Node, and needs the other loader
    const [esm, cjs] = await Promise.all([import('tsx/esm/api'), import('tsx/cjs/api')]);
    esm.register();
    cjs.register();
  }
  return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
}

/** Node does it by itself: from 22.18, and from 23.6. */
function stripsTypes(): boolean {
  return Boolean((process.features as { typescript?: unknown }).typescript);
}

function fileError(path: string, error: unknown): SquallError {
  const { name, message, code, stack } = error as Error & { code?: string };
  // a compiler's first line may only announce what follows
  const lines = String(message ?? error).split('\n');
  const first = lines[0].endsWith(':') && lines.length > 1 ? `${lines[0]} ${lines[1].trim()}` : lines[0];
  const missing = /Cannot find package '(squall[^']*)'/.exec(String(message));
  const hint =
    missing !== null
      ? ` Install squall where the file is: npm install squall`
      : code === 'ERR_MODULE_NOT_FOUND'
        ? ' Is it installed where the file is?'
        : '';
  const place =
    placeIn(path, String(stack ?? ''), String(message)) ??
    (name === 'SyntaxError' ? checkedPlace(path) : undefined) ??
    path;
  return new SquallError(
    'ERR_SQUALL_TOPOLOGY_FILE',
    `${place} cannot be loaded: ${name ?? 'Error'}: ${first}.${hint}`,
    {
      facts: { file: path },
      cause: error,
    },
  );
}

/** The file, with the line and column where the error happened, if the error tells. */
function placeIn(path: string, stack: string, message: string): string | undefined {
  const escaped = path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = new RegExp(`${escaped}(:\\d+(?::\\d+)?)`).exec(`${message}\n${stack}`);
  return found === null ? undefined : `${path}${found[1]}`;
}

/** Node's syntax errors do not tell where they are; Node says it when it is asked to check the file. */
function checkedPlace(path: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: CHECK_TIMEOUT_MS });
  return placeIn(path, stderr ?? '', '');
}
