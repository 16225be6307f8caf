/** Gets nats-server out of the distribution's package, without root and without installing anything. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface FetchOptions {
  /** path that the binary gets */
  readonly target: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (message: string) => void;
}

const run = promisify(execFile);

/** Lists of all archives over a slow line; what takes longer hangs. */
const COMMAND_TIMEOUT_MS = 180_000;
/** Longer than a fetch takes: who holds the lock for so long is gone, even if its process id lives again. */
const LOCK_STALE_MS = 300_000;
const LOCK_POLL_MS = 200;

/** One server that does not answer must not hold up the others, nor for minutes. */
const NETWORK_OPTIONS = [
  '-o',
  'Acquire::Retries=2',
  '-o',
  'Acquire::http::Timeout=20',
  '-o',
  'Acquire::https::Timeout=20',
];

/**
 * Puts nats-server at `target`, by way of `apt-get download` and `dpkg -x`. Package lists that are empty or stale are
 * fetched anew into a folder of ours: that needs no root, and leaves the machine's as they are. Safe for several
 * processes at once: one fetches, the others wait, and `target` appears whole. Throws an Error that says why it failed.
 */
export async function fetchNatsServer({ target, env, log }: FetchOptions): Promise<void> {
  const dirs = searchPath(env).split(delimiter);
  if (!['apt-get', 'dpkg'].every((tool) => dirs.some((dir) => existsSync(join(dir, tool))))) {
    throw new Error('that needs apt-get and dpkg, which Debian and Ubuntu have');
  }
  const cacheDir = dirname(target);
  await mkdir(cacheDir, { recursive: true });
  const unlock = await lock(`${target}.lock`);
  try {
    if (existsSync(target)) return; // somebody else was quicker
    log('nats-server is not installed: fetching it from the package archive');
    const work = await mkdtemp(join(cacheDir, 'fetch-'));
    try {
      const binary = await unpack(await download(work, env, log), work, env);
      await chmod(binary, 0o755);
      await rename(binary, target);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  } finally {
    await unlock();
  }
}

/** The path of the package, in `work`. */
async function download(work: string, env: NodeJS.ProcessEnv, log: (message: string) => void): Promise<string> {
  try {
    await command('apt-get', [...NETWORK_OPTIONS, 'download', 'nats-server'], work, env);
  } catch {
    log('the package lists are empty or stale: fetching new ones, which takes a minute');
    const own = await ownLists(work);
    let listsFault = '';
    try {
      await command('apt-get', [...NETWORK_OPTIONS, ...own, 'update'], work, env);
    } catch (error) {
      // Some archive failed; the one that has nats-server may be there all the same.
      listsFault = `, ${(error as Error).message}`;
    }
    try {
      await command('apt-get', [...NETWORK_OPTIONS, ...own, 'download', 'nats-server'], work, env);
    } catch (error) {
      throw new Error(`${(error as Error).message}${listsFault}`, { cause: error });
    }
  }
  const name = (await readdir(work)).find((file) => /^nats-server_.*\.deb$/.test(file));
  if (name === undefined) throw new Error('apt-get download left no package');
  return join(work, name);
}

/** Options that make apt keep lists and caches in `work`, and fetch no more of them than it needs. */
async function ownLists(work: string): Promise<string[]> {
  const lists = join(work, 'lists');
  const cache = join(work, 'cache');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  return [
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${cache}`,
    // As root, apt would become a user who may not enter our folder.
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false',
  ].flatMap((option) => ['-o', option]);
}

async function unpack(archive: string, work: string, env: NodeJS.ProcessEnv): Promise<string> {
  const root = join(work, 'root');
  await command('dpkg', ['-x', archive, root], work, env);
  for (const path of ['usr/sbin/nats-server', 'usr/bin/nats-server']) {
    if (existsSync(join(root, path))) return join(root, path);
  }
  throw new Error('the package holds no nats-server');
}

async function command(name: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    const environment = { ...env, PATH: searchPath(env), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
    await run(name, args, { cwd, env: environment, timeout: COMMAND_TIMEOUT_MS });
  } catch (error) {
    const { stderr = '', message, killed } = error as Error & { readonly stderr?: string; readonly killed?: boolean };
    const verb = args.find((arg) => arg === 'update' || arg === 'download') ?? args[0];
    const reason = killed
      ? `nothing within ${COMMAND_TIMEOUT_MS} ms`
      : (/^E: .*/m.exec(stderr)?.[0] ?? message.split('\n')[0]);
    throw new Error(`${name} ${verb}: ${reason}`, { cause: error });
  }
}

/** dpkg calls tools of its own, which a trimmed PATH may lack. */
function searchPath(env: NodeJS.ProcessEnv): string {
  return [env.PATH, '/usr/sbin', '/usr/bin', '/sbin', '/bin'].filter(Boolean).join(delimiter);
}

/** Waits for the lock file; returns what removes it. */
async function lock(file: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    // Two who remove a stale lock at once both fetch: wasteful, not wrong.
    if (await isStale(file)) await rm(file, { force: true });
    else await delay(LOCK_POLL_MS);
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(file);
    if (Date.now() - mtimeMs > LOCK_STALE_MS) return true;
    const pid = Number(await readFile(file, 'utf8'));
    // Empty: its owner is about to write it.
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    // Gone meanwhile (ENOENT) is no reason to wait either; EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code !== 'EPERM';
  }
}
