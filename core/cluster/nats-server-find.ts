/** Where a usable nats-server is: what the user says, what is installed, what we fetched before, what we can fetch. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { access, constants, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { SquallError } from '../errors.js';
import { packageRoot } from '../package-root.js';
import { atLeast, OLDEST_NATS } from '../transport/nats-version.js';
import { fetchNatsServer } from './nats-server-fetch.js';

export interface FindNatsServerOptions {
  /** default: process.env */
  readonly env?: NodeJS.ProcessEnv;
  /** default: `natsCacheDir(env)` */
  readonly cacheDir?: string;
  /** may it be fetched where it is nowhere? default true */
  readonly fetch?: boolean;
  /** told what takes long */
  readonly log?: (message: string) => void;
}

const BINARY = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';

/** Distributions install it where the PATH of plain users does not lead. */
const SYSTEM_DIRS = process.platform === 'win32' ? [] : ['/usr/local/sbin', '/usr/sbin'];

/** To say its version takes milliseconds; what takes longer is something else. */
const VERSION_TIMEOUT_MS = 5_000;

const run = promisify(execFile);

/**
 * The path of a nats-server of 2.9.0 or newer: `SQUALL_NATS_SERVER`, PATH, the cache, then fetched into the cache (on
 * Debian and Ubuntu, without root). Throws ERR_SQUALL_NATS_SERVER with the command that installs one on this platform.
 */
export async function findNatsServer(options: FindNatsServerOptions = {}): Promise<string> {
  const { env = process.env, cacheDir = natsCacheDir(env), fetch = true, log = () => {} } = options;
  const named = env.SQUALL_NATS_SERVER;
  if (named) {
    const fault = await faultOf(named);
    if (fault === undefined) return named;
    throw new SquallError(
      'ERR_SQUALL_NATS_SERVER',
      `Expected SQUALL_NATS_SERVER to be a nats-server of ${OLDEST_NATS} or newer, but ${named} ${fault}: correct or unset it`,
      { facts: { path: named, fault } },
    );
  }
  const faults: string[] = [];
  const cached = join(cacheDir, BINARY);
  const dirs = (env.PATH ?? '').split(delimiter).filter((dir) => dir !== '');
  for (const path of [...dirs, ...SYSTEM_DIRS].map((dir) => join(dir, BINARY)).concat(cached)) {
    if (!existsSync(path)) continue;
    const fault = await faultOf(path);
    if (fault === undefined) return path;
    faults.push(`${path} ${fault}`);
  }
  if (fetch) {
    try {
      // If there is one, it is of no use: see above.
      await rm(cached, { force: true });
      await fetchNatsServer({ target: cached, env, log });
      const fault = await faultOf(cached);
      if (fault === undefined) return cached;
      faults.push(`the fetched ${cached} ${fault}`);
    } catch (error) {
      faults.push(`it could not be fetched: ${(error as Error).message}`);
    }
  }
  throw new SquallError(
    'ERR_SQUALL_NATS_SERVER',
    `Found no nats-server of ${OLDEST_NATS} or newer (in SQUALL_NATS_SERVER, PATH and ${cacheDir})` +
      `${faults.map((fault) => `; ${fault}`).join('')}. ${advice(process.platform, isDebian())}, or set SQUALL_NATS_SERVER to its path`,
    { facts: { cacheDir, faults } },
  );
}

/** In a checkout the project's own cache, which git ignores; else the user's. */
export function natsCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SQUALL_CACHE) return env.SQUALL_CACHE;
  const root = packageRoot();
  if (root !== undefined && existsSync(join(root, '.git'))) return join(root, '.cache', 'nats-server');
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'squall');
}

/** The one command that installs nats-server on `platform`. */
export function advice(platform: NodeJS.Platform, debian: boolean): string {
  if (platform === 'darwin') return 'Install it with: brew install nats-server';
  if (platform === 'win32') return 'Install it with: scoop install nats-server';
  const release = 'https://github.com/nats-io/nats-server/releases';
  if (debian) return `Install it with: sudo apt-get install nats-server; newer ones are at ${release}`;
  return `Download it from ${release}`;
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** `undefined`: usable. Else the end of a sentence that begins with the path. */
async function faultOf(path: string): Promise<string | undefined> {
  let output: string;
  try {
    await access(path, constants.X_OK);
    output = (await run(path, ['--version'], { timeout: VERSION_TIMEOUT_MS })).stdout;
  } catch (error) {
    const { code, killed, message } = error as NodeJS.ErrnoException & { readonly killed?: boolean };
    if (code === 'ENOENT') return 'does not exist';
    if (code === 'EACCES') return 'cannot be executed';
    return killed ? `says no version within ${VERSION_TIMEOUT_MS} ms` : `does not run (${message.split('\n')[0]})`;
  }
  const version = /nats-server: v(\S+)/.exec(output)?.[1];
  if (version === undefined) return 'is no nats-server';
  return atLeast(version, OLDEST_NATS) ? undefined : `is version ${version}`;
}
