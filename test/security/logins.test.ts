/** Every way to log in, right and wrong, against real servers; and where the secrets are then. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nkeys } from 'nats';
import { main } from '../../cli/main.js';
import { FakeIo } from '../cli/fake-io.js';
import { testCertificates } from '../support/certificates.js';
import { Workspace } from '../support/e2e.js';
import { Command } from '../support/e2e-command.js';
import { writeTopology } from '../support/e2e-files.js';
import { canTell, listeningOf } from '../support/listening.js';
import { TestNats } from '../support/nats.js';
import { jwtAuthority } from '../support/nats-jwt.js';

const PASSWORD = 'pw-Zo4nSecretQ7';
const TOKEN = 'tok-Zo4nSecretQ8';

/** Emits a few tuples, one of which fails, and ends when the file is there. */
const TOPOLOGY = `
  import { existsSync } from 'node:fs';
  const few = spoutFrom({ output: { n: t.number } }, async function* ({ log }) {
    for (let n = 0; n < 5; n++) yield { n };
    log.info('waits');
    while (!existsSync(GO)) await new Promise((resolve) => setTimeout(resolve, 10));
  });
  const pass = defineBolt({ input: { n: t.number }, execute({ values, attempt }) {
    if (values.n === 3 && attempt === 1) throw new Error('once');
  } });
  export default ({ name }) => topology(name).spout('few', few).bolt('pass', pass, (from) => from.shuffle('few'));
`;

interface Way {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}
/** Undefined: no server is given. */
type Server = { readonly url: string } | undefined;

let place: Workspace;
let servers: { users: TestNats; token: TestNats; jwt: TestNats; tls: TestNats };
let files: Record<'nkey' | 'stranger' | 'creds' | 'expired' | 'forged', string>;
let secrets: Record<'nkey' | 'creds', string>;
let tls: (name: 'ca.pem' | 'client.pem' | 'client.key') => string;
const ends: (() => unknown)[] = [];

test.before(async (t) => {
  place = await Workspace.create({ teardown: (end) => ends.push(end) });
  const certificates = await testCertificates();
  ends.push(() => certificates.remove());
  const { path } = certificates;
  tls = path;
  const user = nkeys.createUser();
  const authority = jwtAuthority();
  const written = (name: string, text: string): string => {
    writeFileSync(place.path(name), text, { mode: 0o600 });
    return place.path(name);
  };
  const seedOf = (pair: ReturnType<typeof nkeys.createUser>) => Buffer.from(pair.getSeed()).toString();
  const creds = authority.credentials();
  secrets = { nkey: seedOf(user), creds: /^SU[A-Z2-7]{56}$/m.exec(creds)?.[0] ?? 'none' };
  files = {
    nkey: written('user.nk', `${secrets.nkey}\n`),
    stranger: written('stranger.nk', `${seedOf(nkeys.createUser())}\n`),
    creds: written('user.creds', creds),
    expired: written('expired.creds', authority.credentials(Math.floor(Date.now() / 1000) - 60)),
    forged: written('forged.creds', jwtAuthority().credentials()),
  };
  const start = async (settings: Record<string, unknown>): Promise<TestNats> => {
    const nats = await TestNats.start(settings);
    ends.push(() => nats.stop());
    return nats;
  };
  servers = {
    users: await start({
      authorization: { timeout: 30, users: [{ user: 'bob', password: PASSWORD }, { nkey: user.getPublicKey() }] },
    }),
    token: await start({ authorization: { timeout: 30, token: TOKEN } }),
    jwt: await start(authority.settings),
    tls: await start({
      authorization: undefined,
      tls: {
        cert_file: path('server-ip.pem' as 'ca.pem'),
        key_file: path('server-ip.key' as 'ca.pem'),
        ca_file: path('ca.pem'),
        verify: true,
        timeout: 30,
      },
    }),
  };
  mkdirSync(join(place.folder, '.config', 'nats', 'context'), { recursive: true });
  writeFileSync(
    join(place.folder, '.config', 'nats', 'context', 'prod.json'),
    JSON.stringify({ url: servers.users.url, user: 'bob', password: PASSWORD }),
  );
  t.pass();
});
test.after.always(async () => {
  for (const end of ends.reverse()) await end();
});

const given = (server: TestNats, env: Readonly<Record<string, string>>): Way => ({
  env: { NATS_URL: server.url, ...env },
});

const RIGHT: Readonly<
  Record<string, () => { readonly server: Server; readonly secret: () => string; readonly way: Way }>
> = {
  'user and password by environment': () => ({
    server: servers.users,
    secret: () => PASSWORD,
    way: given(servers.users, { NATS_USER: 'bob', NATS_PASSWORD: PASSWORD }),
  }),
  'a token by environment': () => ({
    server: servers.token,
    secret: () => TOKEN,
    way: given(servers.token, { NATS_TOKEN: TOKEN }),
  }),
  'user and password in the URL of the environment': () => ({
    server: servers.users,
    secret: () => PASSWORD,
    way: { env: { NATS_URL: servers.users.url.replace('//', `//bob:${PASSWORD}@`) } },
  }),
  'an nkey by flag': () => ({
    server: servers.users,
    secret: () => secrets.nkey,
    way: { args: ['--nats', servers.users.url, '--nkey', files.nkey] },
  }),
  'credentials by environment': () => ({
    server: servers.jwt,
    secret: () => secrets.creds,
    way: given(servers.jwt, { NATS_CREDS: files.creds }),
  }),
  'a client certificate by flags': () => ({
    server: servers.tls,
    secret: () => readFileSync(tls('client.key'), 'utf8').split('\n')[1],
    way: {
      args: ['--nats', tlsUrl(), '--cert', tls('client.pem'), '--key', tls('client.key'), '--ca', tls('ca.pem')],
    },
  }),
  'a context by flag': () => ({
    server: servers.users,
    secret: () => PASSWORD,
    way: { args: ['--context', 'prod'], env: { XDG_CONFIG_HOME: join(place.folder, '.config') } },
  }),
  'the server of its own': () => ({
    server: undefined,
    secret: () => (JSON.parse(readFileSync(place.path('state-2/server.json'), 'utf8')) as { token: string }).token,
    way: {},
  }),
};

/** What is in files is read by workers themselves, as it is in a run by each of these. */
const WHOLE = ['a token by environment', 'user and password in the URL of the environment', 'the server of its own'];

test.serial('each way to log in lets in a whole run, and squall list', async (t) => {
  const file = writeTopology(place, 'at-once.mjs', TOPOLOGY.replace('GO', '"."'));
  const rest = Object.entries(RIGHT).filter(([title]) => !WHOLE.includes(title));
  await Promise.all(
    rest.map(async ([title, make], index) => {
      const { secret, way } = make();
      const { args = [], env } = way;
      const options = ['--state', place.path(`once-${index}`), ...args];
      const set = ['--set', `name=${place.name}`, '--no-jetstream', '--workers', '1', '--json', '--debug'];
      const [ran, listed] = await Promise.all([
        inProcess(['run', file, ...set, ...options], env),
        inProcess(['list', ...options], env),
      ]);
      t.is(ran.code, 0, `${title}: ${ran.text}`);
      t.regex(ran.text, /"acked":5/, title);
      t.is(listed.code, 0, `${title}: ${listed.text}`);
      t.false((ran.text + listed.text).includes(secret()), title);
    }),
  );
});

for (const title of WHOLE) {
  const make = RIGHT[title];
  const index = WHOLE.indexOf(title);
  test.serial(`${title}: runs, lists, listens on loopback only, and shows its secret nowhere`, async (t) => {
    const { server, secret, way } = make();
    const go = place.path(`go-${index}`);
    const file = writeTopology(place, `few-${index}.mjs`, TOPOLOGY.replace('GO', JSON.stringify(go)));
    const state = place.path(`state-${index}`);
    const args = ['run', file, '--set', `name=${place.name}`, '--state', state, '--workers', '1', '--json', '--debug'];
    const withJetstream = server === undefined ? [] : ['--no-jetstream'];
    const command = await Command.start(t, place, [...args, ...withJetstream, ...(way.args ?? [])], way.env);
    await command.until(() => /waits/.test(command.stderr), 'the tuples to be emitted');

    const hidden = secret();
    t.true(hidden.length > 12);
    const listed = await inProcess(['list', '--state', state, ...(way.args ?? [])], way.env);
    t.is(listed.code, 0, listed.text);
    t.regex(listed.text, new RegExp(place.name));
    const own = place.processes().map(({ pid }) => pid);
    t.true(own.length >= 2);
    if (canTell) {
      const listening = listeningOf([...own, command.pid]);
      t.deepEqual([...new Set(listening.map(({ address }) => address))], server === undefined ? ['127.0.0.1'] : []);
      t.is(listening.length, server === undefined ? 1 : 0);
      // ps shows all of these; and only the command itself was given the secret by its environment
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
        t.false(contentsOf(`/proc/${pid}/cmdline`).includes(hidden), `command line of ${pid}`);
      for (const pid of own.filter((one) => one !== command.pid))
        t.false(contentsOf(`/proc/${pid}/environ`).includes(hidden), `environment of ${pid}`);
    }
    const holders = filesIn(state).filter((name) => contentsOf(name).includes(hidden));
    t.deepEqual(
      holders,
      server === undefined ? [join(state, 'nats/nats-server.conf'), join(state, 'server.json')] : [],
    );
    t.is(statSync(state).mode & 0o777, 0o700);
    for (const name of holders) t.is(statSync(name).mode & 0o777, 0o600, name);

    writeFileSync(go, '');
    const { code, stdout, stderr } = await command.ended();
    t.is(code, 0, stderr);
    t.like(JSON.parse(stdout), { status: 'completed', spouts: { few: { acked: 5 } } });
    for (const text of [stdout, stderr, listed.text]) t.false(text.includes(hidden));
  });
}

const WRONG: Readonly<Record<string, () => Way & { readonly says: RegExp; readonly secret?: string }>> = {
  'a wrong password': () => ({
    ...given(servers.users, { NATS_USER: 'bob', NATS_PASSWORD: 'wrong-Zo4n' }),
    says: /ERR_SQUALL_NATS_AUTH/,
    secret: 'wrong-Zo4n',
  }),
  'an unknown user': () => ({
    ...given(servers.users, { NATS_USER: 'eve', NATS_PASSWORD: PASSWORD }),
    says: /user eve.*ERR_SQUALL_NATS_AUTH/,
    secret: PASSWORD,
  }),
  'no credentials': () => ({ ...given(servers.users, {}), says: /NATS_USER.*ERR_SQUALL_NATS_AUTH/ }),
  'a wrong token': () => ({
    ...given(servers.token, { NATS_TOKEN: 'wrong-Zo4n' }),
    says: /ERR_SQUALL_NATS_AUTH/,
    secret: 'wrong-Zo4n',
  }),
  'a wrong password in the URL': () => ({
    args: ['--nats', servers.users.url.replace('//', '//bob:wrong-Zo4n@')],
    says: /ERR_SQUALL_NATS_AUTH/,
    secret: 'wrong-Zo4n',
  }),
  'an nkey that the server does not know': () => ({
    ...given(servers.users, { NATS_NKEY: files.stranger }),
    says: /nkey of .*ERR_SQUALL_NATS_AUTH/,
  }),
  'an nkey file that is not there': () => ({
    args: ['--nats', servers.users.url, '--nkey', place.path('none.nk')],
    says: /none\.nk.*ENOENT.*ERR_SQUALL_NATS_OPTIONS/,
  }),
  'expired credentials': () => ({
    ...given(servers.jwt, { NATS_CREDS: files.expired }),
    says: /expired.*ERR_SQUALL_NATS_AUTH/,
  }),
  'credentials that somebody else has signed': () => ({
    args: ['--nats', servers.jwt.url, '--creds', files.forged],
    says: /ERR_SQUALL_NATS_AUTH/,
  }),
  'a credentials file without credentials': () => ({
    args: ['--nats', servers.jwt.url, '--creds', tls('ca.pem')],
    says: /ERR_SQUALL_NATS_(AUTH|OPTIONS)/,
  }),
  'no client certificate': () => ({ args: ['--nats', tlsUrl(), '--ca', tls('ca.pem')], says: /ERR_SQUALL_NATS_TLS/ }),
  'another CA': () => ({
    args: ['--nats', tlsUrl(), '--ca', tls('client.pem'), '--cert', tls('client.pem'), '--key', tls('client.key')],
    says: /ERR_SQUALL_NATS_TLS/,
  }),
  'a certificate without its key': () => ({
    ...given(servers.tls, { NATS_CERT: tls('client.pem') }),
    says: /NATS_KEY.*ERR_SQUALL_NATS_OPTIONS/,
  }),
  'a context that is not there': () => ({
    env: { NATS_CONTEXT: 'none', XDG_CONFIG_HOME: join(place.folder, '.config') },
    says: /none\.json.*ERR_SQUALL_NATS_OPTIONS/,
  }),
};

for (const [title, make] of Object.entries(WRONG)) {
  test.serial(`${title}: run, list and dead end with one clear error`, async (t) => {
    const { says, secret, ...way } = make();
    const file = writeTopology(place, 'never.mjs', TOPOLOGY.replace('GO', '"."'));
    const state = ['--state', place.path('never')];
    const ended = await Promise.all([
      inProcess(['run', file, '--set', `name=${place.name}`, ...state, ...(way.args ?? [])], way.env),
      inProcess(['list', ...state, ...(way.args ?? [])], way.env),
      inProcess(['dead', place.name, 'list', ...state, ...(way.args ?? [])], way.env),
    ]);
    for (const [index, { code, text }] of ended.entries()) wrongEnd(t, `${index}: ${text}`, code, says, secret);
  });
}

function wrongEnd(t: ExecutionContext, text: string, code: number, says: RegExp, secret: string | undefined): void {
  t.true(code === 1 || code === 2, text);
  t.regex(text, says);
  t.is(text.match(/error: /g)?.length, 1, text);
  t.notRegex(text, /^ +at /m, 'no stack');
  t.notRegex(text, /S[UA][A-Z2-7]{56}/);
  if (secret !== undefined) t.false(text.includes(secret), text);
}

async function inProcess(args: readonly string[], env: Way['env'] = {}): Promise<{ code: number; text: string }> {
  const io = new FakeIo();
  io.env = { ...env };
  const code = await main(args, io);
  return { code, text: io.stdout.text + io.stderr.text };
}

/** Its certificate is for this address. */
function tlsUrl(): string {
  return servers.tls.url.replace('nats:', 'tls:');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => statSync(name).isFile())
    .sort();
}

function contentsOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
