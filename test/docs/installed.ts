/** An empty folder in which somebody has installed the packed package: nothing of the checkout is in reach. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { natsServerBinary } from '../support/nats.js';

/** The checkout; this file is `dist/test/docs/installed.js` in it. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Not how long it takes, but when to give up. */
const LONGEST_MS = 100_000;
const POLL_MS = 20;
const execute = promisify(execFile);

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** both, as they came */
  readonly printed: string;
}

/** Kills the process with this title as soon as the file has something in it and the run has begun. */
export interface Kill {
  readonly title: string;
  readonly file: string;
}

export class Installed {
  readonly folder: string;
  /** what `npm pack` made */
  readonly tarball: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string, tarball: string, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.tarball = tarball;
    this.#env = env;
  }

  static async create(): Promise<Installed> {
    const folder = mkdtempSync(join(tmpdir(), 'squall-docs-'));
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      npm_config_loglevel: 'error',
      NO_COLOR: '1',
      SQUALL_NATS_SERVER: await natsServerBinary(),
    };
    for (const name of Object.keys(env))
      if (/^NATS_|^FORCE_COLOR$|^npm_config_local_prefix$/.test(name)) delete env[name];
    env.PATH = [join(folder, 'node_modules', '.bin'), env.PATH].join(delimiter);
    const npm = (args: readonly string[], cwd: string) =>
      execute('npm', args, { cwd, env, shell: process.platform === 'win32' });
    // what is packed is what the tests run: no build in between
    const { stdout } = await npm(['pack', '--ignore-scripts', '--pack-destination', folder], ROOT);
    const tarball = stdout.trim();
    const manifest = { private: true, type: 'module', overrides: lockedVersions() };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    await npm(['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', `./${tarball}`], folder);
    // the compiler is too large to install each time
    await mkdir(join(folder, 'node_modules', '@types'), { recursive: true });
    for (const name of ['typescript', '@types/node']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
    }
    return new Installed(folder, tarball, env);
  }

  /**
   * From now on `npx` does in the folder what it does with an installed command, and no more: npm itself takes longer to
   * start than most of them to run.
   */
  async shortenNpx(): Promise<void> {
    if (process.platform === 'win32') return;
    await writeFile(this.path('node_modules/.bin/npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** What the compiler says against the TypeScript files of the folder; '' where it is content. */
  async compile(): Promise<string> {
    const { code, printed } = await this.command(`node node_modules/typescript/bin/tsc -p . --pretty false`);
    return code === 0 ? '' : printed || `tsc ended with exit code ${code}`;
  }

  /** Runs a script of the shell in the folder, which ends with its first command that fails. */
  command(script: string, kill?: Kill): Promise<Ended> {
    const child = spawn('sh', ['-ec', script], { cwd: this.folder, env: this.#env, detached: true });
    const pid = child.pid as number;
    // all of its group, or what the shell has started would stay
    const overdue = setTimeout(() => process.kill(-pid, 'SIGTERM'), LONGEST_MS);
    const all: string[] = [];
    const out: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => all.push(text) && out.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => all.push(text));
    const printed = (): string => all.join('');
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(overdue);
        resolve({ code, stdout: out.join(''), printed: printed() });
      });
    });
    if (kill === undefined) return ended;
    const begun = (): boolean =>
      child.exitCode !== null || (/has begun/.test(printed()) && sizeOf(this.path(kill.file)) > 0);
    return this.#killWhen(begun, pid, kill.title).then(() => ended);
  }

  async #killWhen(ready: () => boolean, ancestor: number, title: string): Promise<void> {
    while (!ready()) await delay(POLL_MS);
    const found = (await descendantsOf(ancestor)).find(({ command }) => command === title);
    if (found !== undefined) process.kill(found.pid, 'SIGKILL');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** As `npm ci` has just brought them, so that installing needs no network. */
function lockedVersions(): Record<string, string> {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: boolean }>>;
  };
  const versions: Record<string, string> = {};
  for (const [path, { version, dev }] of Object.entries(lock.packages)) {
    if (path !== '' && dev !== true) versions[path.replace(/^.*node_modules\//, '')] = version;
  }
  return versions;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

async function descendantsOf(ancestor: number): Promise<{ readonly pid: number; readonly command: string }[]> {
  const { stdout } = await execute('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  const all = stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*?)\s*$/.exec(line) ?? [];
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
  const family = new Set([ancestor]);
  // children may stand before their parents
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => pid !== ancestor && family.has(pid));
}
