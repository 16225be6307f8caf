import { existsSync } from 'node:fs';
import { access, chmod, constants, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { advice, findNatsServer, natsCacheDir } from '../../core/cluster/nats-server-find.js';
import { natsServerBinary } from '../support/nats.js';

const notFound = { code: 'ERR_SQUALL_NATS_SERVER' };

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'squall-find-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A program that says its version as nats-server does. */
async function fake(dir: string, says: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, 'nats-server');
  await writeFile(path, `#!/bin/sh\n${says}\n`);
  await chmod(path, 0o755);
  return path;
}

const good = 'echo "nats-server: v2.10.27"';
const old = 'echo "nats-server: v2.8.4"';
/** Machines that have one in a system folder would hide what is tested. */
const installed = ['/usr/sbin/nats-server', '/usr/local/sbin/nats-server'].some(existsSync);

test('the server that is found runs', async (t) => {
  await t.notThrowsAsync(access(await natsServerBinary(), constants.X_OK));
});

test('SQUALL_NATS_SERVER goes before PATH, PATH before the cache', async (t) => {
  const dir = await folder(t);
  const named = await fake(join(dir, 'named'), good);
  const onPath = await fake(join(dir, 'path'), good);
  const cached = await fake(join(dir, 'cache'), good);
  const options = { cacheDir: join(dir, 'cache'), fetch: false };
  const PATH = `${join(dir, 'empty')}:${join(dir, 'path')}`;
  t.is(await findNatsServer({ ...options, env: { SQUALL_NATS_SERVER: named, PATH } }), named);
  t.is(await findNatsServer({ ...options, env: { PATH } }), onPath);
  if (!installed) t.is(await findNatsServer({ ...options, env: { PATH: '' } }), cached);
});

test('what SQUALL_NATS_SERVER names must be a server of 2.9.0 or newer; nothing else is tried', async (t) => {
  const dir = await folder(t);
  await fake(join(dir, 'path'), good);
  const faults: [string, RegExp][] = [
    [join(dir, 'missing'), /does not exist/],
    [await fake(join(dir, 'old'), old), /is version 2\.8\.4/],
    [await fake(join(dir, 'other'), 'echo hello'), /is no nats-server/],
    [await fake(join(dir, 'broken'), 'exit 3'), /does not run/],
  ];
  for (const [path, message] of faults) {
    const env = { SQUALL_NATS_SERVER: path, PATH: join(dir, 'path') };
    await t.throwsAsync(findNatsServer({ env, cacheDir: dir, fetch: false }), { ...notFound, message });
    await t.throwsAsync(findNatsServer({ env, cacheDir: dir, fetch: false }), { message: /SQUALL_NATS_SERVER/ });
  }
});

test('a server on PATH that is too old is passed over, and named where there is no other', async (t) => {
  const dir = await folder(t);
  await fake(join(dir, 'old'), old);
  const onPath = await fake(join(dir, 'path'), good);
  const PATH = `${join(dir, 'old')}:${join(dir, 'path')}`;
  t.is(await findNatsServer({ env: { PATH }, cacheDir: dir, fetch: false }), onPath);
  if (installed) return;
  const error = await t.throwsAsync(
    findNatsServer({ env: { PATH: join(dir, 'old') }, cacheDir: dir, fetch: false }),
    notFound,
  );
  t.regex(String(error), /old\/nats-server is version 2\.8\.4/);
  t.regex(String(error), /SQUALL_NATS_SERVER/);
});

test('each platform has its one command', (t) => {
  t.regex(advice('darwin', false), /brew install nats-server$/);
  t.regex(advice('win32', false), /scoop install nats-server$/);
  t.regex(advice('linux', true), /apt-get install nats-server/);
  t.regex(advice('linux', false), /https:\/\/github\.com\/nats-io\/nats-server\/releases$/);
});

test('the cache is where SQUALL_CACHE says, else in the checkout, else in the user’s cache folder', (t) => {
  t.is(natsCacheDir({ SQUALL_CACHE: '/c', HOME: '/h' }), '/c');
  const without = natsCacheDir({ HOME: '/h', XDG_CACHE_HOME: '/x' });
  t.true(without === join('/x', 'squall') || without.endsWith(join(sep, '.cache', 'nats-server')), without);
});

/**
 * An apt-get and a dpkg that do as the real ones, without a network: the package is there once the lists are fresh.
 * The real ones have had their turn where the tests found no nats-server.
 */
async function archive(
  t: ExecutionContext,
  lists: 'fresh' | 'empty' | 'unreachable',
): Promise<{ PATH: string; calls: () => Promise<string[]> }> {
  const dir = await folder(t);
  const calls = join(dir, 'calls');
  await writeFile(calls, '');
  const tools = {
    'apt-get': `
      echo "apt-get $*" >> ${calls}
      case "$*" in
        *Dir::State::Lists=*update) [ ${lists} = empty ] && touch ${dir}/updated && exit 0; echo "E: no network today" >&2; exit 100;;
        *download*) [ ${lists} = fresh ] || [ -e ${dir}/updated ] || { echo "E: Unable to locate package" >&2; exit 100; }
          sleep 0.2; touch nats-server_2.10.27_all.deb;;
      esac`,
    dpkg: `
      echo "dpkg $*" >> ${calls}
      [ "$1" = -x ] && [ -e "$2" ] && mkdir -p "$3/usr/sbin" && printf '#!/bin/sh\\n${good.replaceAll('"', '')}\\n' > "$3/usr/sbin/nats-server"`,
  };
  for (const [name, script] of Object.entries(tools)) {
    await writeFile(join(dir, name), `#!/bin/sh${script}\n`);
    await chmod(join(dir, name), 0o755);
  }
  return { PATH: dir, calls: async () => (await readFile(calls, 'utf8')).trim().split('\n') };
}

const fetching = installed || process.platform === 'win32' ? test.skip : test;

fetching('several at once fetch one server, whole, and leave nothing else in the cache', async (t) => {
  const cacheDir = await folder(t);
  const { PATH, calls } = await archive(t, 'fresh');
  const said: string[] = [];
  const options = { env: { PATH }, cacheDir, log: (message: string) => said.push(message) };
  const paths = await Promise.all([1, 2, 3].map(() => findNatsServer(options)));
  t.deepEqual(new Set(paths), new Set([join(cacheDir, 'nats-server')]));
  t.is(said.length, 1);
  t.is((await calls()).length, 2, 'one download, one dpkg');
  t.deepEqual(await readdir(cacheDir), ['nats-server']);
  t.is(await findNatsServer({ ...options, fetch: false }), paths[0]);
});

fetching(
  'where the package lists are empty, new ones are fetched into a folder of ours, which goes away',
  async (t) => {
    const cacheDir = await folder(t);
    const { PATH, calls } = await archive(t, 'empty');
    t.is(await findNatsServer({ env: { PATH }, cacheDir }), join(cacheDir, 'nats-server'));
    const verbs = (await calls()).map((call) => /update|download nats-server|dpkg -x/.exec(call)?.[0]);
    t.deepEqual(verbs, ['download nats-server', 'update', 'download nats-server', 'dpkg -x']);
    t.deepEqual(await readdir(cacheDir), ['nats-server']);
  },
);

fetching('a lock whose owner is dead, and a cached file that is no server, are no hindrance', async (t) => {
  const cacheDir = await folder(t);
  const { PATH } = await archive(t, 'fresh');
  await fake(cacheDir, 'exit 1');
  await writeFile(join(cacheDir, 'nats-server.lock'), String(2 ** 22 + 1));
  t.is(await findNatsServer({ env: { PATH }, cacheDir }), join(cacheDir, 'nats-server'));
  t.deepEqual(await readdir(cacheDir), ['nats-server']);
});

fetching('where nothing can be fetched the error says why, and what to do instead', async (t) => {
  const cacheDir = await folder(t);
  const { PATH } = await archive(t, 'unreachable');
  const error = await t.throwsAsync(findNatsServer({ env: { PATH }, cacheDir }), notFound);
  t.regex(String(error), /Unable to locate package.*no network today/);
  t.regex(String(error), /nats-server.*SQUALL_NATS_SERVER/);
  t.deepEqual(await readdir(cacheDir), []);
});
