/** Imports a topology file, TypeScript or JavaScript, and builds what it exports: the same in every process. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SquallError } from '../errors.js';
import type { TopologyPlan } from '../topology/definition.js';
import { loadTopology } from '../topology/parameters.js';
import { planOf } from '../topology/plan.js';
import { compileTopology, needsCompiling } from './compile-topology.js';

/** Under which a worker imports `squall`: see `scripts/bundle.mjs`. */
export const WORKER_CONDITION = 'squall-worker';
/** Those of this process. */
const CONDITIONS = process.execArgv.includes(`--conditions=${WORKER_CONDITION}`) ? [WORKER_CONDITION] : [];
const COMPILED = 'topology.mjs';
/** It takes some 50 ms; a mistake is to be told within 5 s. */
const CHECK_TIMEOUT_MS = 2000;
/**
 * `code`: the file as `compileForWorkers` made it. Throws SquallError: no such file, it does not parse or throws, it
 * exports no topology, or the topology is wrong.
 */
export async function loadPlan(
  file: string,
  settings: Readonly<Record<string, string>>,
  code?: string,
): Promise<TopologyPlan> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new SquallError('ERR_SQUALL_TOPOLOGY_FILE', `there is no topology file ${path}`, { facts: { file: path } });
  }
  let exported: unknown;
  try {
    exported = (await (code === undefined ? importFile(path) : importCompiled(code))).default;
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
  if (!needsCompiling(path)) return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  const folder = await mkdtemp(join(tmpdir(), 'squall-compiled-'));
  try {
    const code = join(folder, COMPILED);
    await compileTopology(path, code, CONDITIONS);
    return await importCompiled(code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Compiles it into the folder for the workers of a run, and tells what they import; undefined: they read it as it is. */
export async function compileForWorkers(file: string, folder: string): Promise<string | undefined> {
  const path = resolve(file);
  if (!needsCompiling(path)) return undefined;
  const code = join(folder, COMPILED);
  await compileTopology(path, code, [WORKER_CONDITION]);
  return code;
}

async function importCompiled(code: string): Promise<Readonly<Record<string, unknown>>> {
  // errors name places in the source
  process.setSourceMapsEnabled(true);
  return (await import(pathToFileURL(code).href)) as Readonly<Record<string, unknown>>;
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
