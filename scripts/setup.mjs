/**
 * Brings a checkout to the point where it runs: the right Node, the locked packages, an up-to-date build. Uses nothing
 * but Node and npm, writes only what git ignores, says on stderr what it does, and does nothing when nothing is to do.
 * `node scripts/setup.mjs` is `npm run build`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Holds the fingerprint of the sources that `dist` was built from without an error. */
const STAMP = join(root, 'dist', '.fingerprint');
const COMPILED = /\.(?:js|d\.ts)(?:\.map)?$/;
/** npm passes a Ctrl-C on to its child, which has it from the terminal already: two signals this close are one press. */
const SAME_PRESS_MS = 250;
/** npm ends its shell on SIGTERM, and the shell tells nobody: only the missing parent shows it. */
const PARENT_LOOK_MS = 250;

export async function setup() {
  checkNode();
  install();
  await build();
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Ends this process with one message. */
function stop(text) {
  say(text);
  process.exit(1);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

export function checkNode() {
  const range = readJson(join(root, 'package.json')).engines.node;
  const [needMajor, needMinor] = range.replace('>=', '').split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  stop(
    `Squall needs Node ${range}, but this is Node ${process.versions.node} (${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org or with your version manager, then run the command again.',
  );
}

/** Installs the locked packages unless they are there. `--include`: NODE_ENV=production must not hide the compiler. */
export function install() {
  if (isInstalled()) return;
  say('Installing the locked packages (npm ci) ...');
  const options = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--include=dev', '--include=optional'];
  const npm = process.env.npm_execpath;
  const output = ['ignore', process.stderr, process.stderr];
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...options], { cwd: root, stdio: output })
    : spawnSync('npm', options, { cwd: root, stdio: output, shell: process.platform === 'win32' });
  if (status === 0) return;
  stop(
    `npm ci failed (${error ? error.message : `exit code ${status}`}); its messages are above.\n` +
      'It needs npm and a reachable package registry. Run the command again once both are there.',
  );
}

/** Every package of the lockfile is there in its locked version, as far as it is meant for this platform. */
function isInstalled() {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = readJson(installedFile).packages;
  return Object.entries(readJson(join(root, 'package-lock.json')).packages).every(([path, locked]) => {
    if (path === '') return true;
    if (!existsSync(join(root, path))) return locked.optional === true && !isForThisPlatform(locked);
    return installed[path]?.version === locked.version;
  });
}

/** A package for one libc is npm's to judge: it is not missed here. */
function isForThisPlatform({ os, cpu, libc }) {
  return (
    libc === undefined &&
    (os === undefined || os.includes(process.platform)) &&
    (cpu === undefined || cpu.includes(process.arch))
  );
}

export async function build() {
  const { include } = readJson(join(root, 'tsconfig.json'));
  const sources = include.flatMap((folder) => filesUnder(join(root, folder))).filter((file) => file.endsWith('.ts'));
  const fingerprint = fingerprintOf([
    ...sources,
    ...['tsconfig.json', 'package.json', 'package-lock.json', 'scripts/bundle.mjs'].map((name) => join(root, name)),
  ]);
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint) return;
  say('Building ...');
  removeStale(new Set(sources.map((file) => relative(root, file))));
  rmSync(STAMP, { force: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (status !== 0) stop("The build failed; the compiler's messages are above.");
  // with the packages, which were not there before the first install
  const { bundle } = await import('./bundle.mjs');
  bundle(root);
  writeFileSync(STAMP, fingerprint);
}

/** Names, sizes and times: any edit, addition or removal changes it. */
function fingerprintOf(files) {
  const hash = createHash('sha256').update(process.versions.node);
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(root, file)}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** What a source left behind that is no more: AVA would run the tests of a deleted file for ever. */
function removeStale(sources) {
  const dist = join(root, 'dist');
  for (const file of filesUnder(dist)) {
    const source = relative(dist, file).replace(COMPILED, '.ts');
    if (COMPILED.test(file) && !sources.has(source)) rmSync(file);
  }
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** `test/wire/frame.test.ts`, also from Windows or with a leading `./`, as AVA knows it. */
export function compiledName(name) {
  return name
    .split(sep)
    .join('/')
    .replace(/^(?:\.\/)?(test\/.*)\.ts$/, 'dist/$1.js');
}

/**
 * Runs Node with `args` in the checkout; resolves to its exit code, and to its stdout where `capture` is set. Signals are
 * passed on. With `ownGroup` the child is a process group of its own: it gets each Ctrl-C once, from here, where it
 * would hear it from the terminal as well. For a program that takes the second Ctrl-C as «at once».
 */
export function runNode(args, { capture = false, ownGroup = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: [ownGroup ? 'ignore' : 'inherit', capture ? 'pipe' : 'inherit', 'inherit'],
      detached: ownGroup && process.platform !== 'win32',
    });
    let pressedAt = Number.NEGATIVE_INFINITY;
    const pass = (signal) => {
      const now = performance.now();
      if (now - pressedAt >= SAME_PRESS_MS) child.kill(signal);
      pressedAt = now;
    };
    const passHangup = () => pass('SIGTERM');
    process.on('SIGINT', pass).on('SIGTERM', pass).on('SIGHUP', passHangup);
    const parent = process.ppid;
    const parentWatch = setInterval(() => {
      if (process.env.npm_lifecycle_event === undefined || process.ppid === parent) return;
      clearInterval(parentWatch);
      pass('SIGTERM');
    }, PARENT_LOOK_MS);
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearInterval(parentWatch);
      process.off('SIGINT', pass).off('SIGTERM', pass).off('SIGHUP', passHangup);
      resolve({ code: code ?? 128 + constants.signals[signal], stdout });
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
