import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import {
  type ConnectFlags,
  type ConnectOptions,
  connectEnvironment,
  connectOptions,
  masked,
} from '../../core/transport/connect-options.js';

const refused = { code: 'ERR_SQUALL_NATS_OPTIONS' };

async function contexts(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'squall-home-'));
  t.teardown(() => rm(home, { recursive: true }));
  await mkdir(join(home, '.config', 'nats', 'context'), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(home, '.config', 'nats', 'context', `${name}.json`), text);
  }
  return home;
}

test('without a server in flags, environment or context there are no options', (t) => {
  t.is(connectOptions({}, {}), undefined);
  t.is(connectOptions({}, { NATS_USER: 'u', NATS_PASSWORD: 'p', NATS_URL: '' }), undefined);
});

test('each credential of the environment is taken, under the NATS command line’s names', (t) => {
  const cases: [NodeJS.ProcessEnv, ConnectOptions['credentials']][] = [
    [
      { NATS_USER: 'u', NATS_PASSWORD: 'p' },
      { kind: 'password', user: 'u', password: 'p' },
    ],
    [{ NATS_USER: 'tok' }, { kind: 'token', token: 'tok' }],
    [{ NATS_TOKEN: 'tok' }, { kind: 'token', token: 'tok' }],
    [{ NATS_CREDS: '/c' }, { kind: 'creds', file: '/c' }],
    [{ NATS_NKEY: '/n' }, { kind: 'nkey', file: '/n' }],
  ];
  for (const [env, credentials] of cases) {
    t.deepEqual(connectOptions({}, { NATS_URL: 'nats://h:1', ...env }), { servers: ['nats://h:1'], credentials });
  }
  t.deepEqual(connectOptions({}, { NATS_URL: 'h', NATS_CERT: '/c', NATS_KEY: '/k', NATS_CA: '/a' }), {
    servers: ['nats://h:4222'],
    tls: { certFile: '/c', keyFile: '/k', caFile: '/a' },
  });
});

test('a flag goes before the environment, with its own credentials only', (t) => {
  const env = { NATS_URL: 'nats://env:1', NATS_TOKEN: 'env-token' };
  t.deepEqual(connectOptions({ nats: 'nats://flag:2' }, env), {
    servers: ['nats://flag:2'],
    credentials: { kind: 'token', token: 'env-token' },
  });
  t.deepEqual(connectOptions({ nats: 'nats://u:p@flag:2' }, env)?.credentials, {
    kind: 'password',
    user: 'u',
    password: 'p',
  });
  t.deepEqual(connectOptions({ creds: '/mine' }, env), {
    servers: ['nats://env:1'],
    credentials: { kind: 'creds', file: '/mine' },
  });
});

test('URLs: several, with default ports, IPv6, and credentials that the client would overlook', (t) => {
  const servers = (url: string): readonly string[] | undefined => connectOptions({ nats: url }, {})?.servers;
  t.deepEqual(servers('nats://a, tls://b:80 ,c:1,[::1]:5,nats://[::1]'), [
    'nats://a:4222',
    'tls://b:80',
    'nats://c:1',
    'nats://[::1]:5',
    'nats://[::1]:4222',
  ]);
  t.deepEqual(connectOptions({ nats: 'nats://bob:12%40x@h:7,nats://bob:12%40x@i' }, {}), {
    servers: ['nats://h:7', 'nats://i:4222'],
    credentials: { kind: 'password', user: 'bob', password: '12@x' },
  });
  t.deepEqual(connectOptions({ nats: 'nats://tok@h' }, {})?.credentials, { kind: 'token', token: 'tok' });
});

test('what cannot be meant is refused, and no message shows a secret', (t) => {
  const url = 'nats://h';
  const cases: [ConnectFlags, NodeJS.ProcessEnv, RegExp][] = [
    [{ nats: 'http://h' }, {}, /--nats.*http:\/\/h/],
    [{ nats: 'ws://u:SECRET@h' }, {}, /\*\*\*@h/],
    [{ nats: 'nats://u:SEC/RET@h:x' }, {}, /--nats/],
    [{ nats: 'nats://u:SEC,RET@h' }, {}, /--nats/],
    [{ nats: 'nats://u:SECRET%@h' }, {}, /percent-encoded/],
    [{ nats: ',' }, {}, /nothing/],
    [{ nats: 'nats://a:SECRET@h,nats://b:SECRET@i' }, {}, /share one user/],
    [{}, { NATS_URL: url, NATS_PASSWORD: 'SECRET' }, /NATS_PASSWORD.*NATS_USER/],
    [{}, { NATS_URL: url, NATS_TOKEN: 'SECRET', NATS_CREDS: '/c' }, /NATS_TOKEN and NATS_CREDS/],
    [{ nats: 'nats://u:SECRET@h', token: 'SECRET' }, {}, /--nats and --token/],
    [{}, { NATS_URL: url, NATS_CERT: '/c' }, /NATS_KEY/],
    [{}, { NATS_URL: url, NATS_KEY: '/k' }, /NATS_CERT/],
    [{ context: '../x' }, {}, /plain name/],
  ];
  for (const [flags, env, message] of cases) {
    const error = t.throws(() => connectOptions(flags, env), { ...refused, message }, String(message));
    t.notRegex(inspect(error), /SEC|RET@/, String(message));
  }
});

test('a context of the NATS command line gives what flags and environment leave open', async (t) => {
  const home = await contexts(t, {
    full: JSON.stringify({
      description: 'x',
      url: 'nats://ctx:9',
      user: 'u',
      password: 'p',
      ca: '/ca',
      token: '',
      inbox_prefix: '_BOX',
    }),
    bare: '{}',
    proxy: JSON.stringify({ url: 'nats://ctx', socks_proxy: 'socks://p' }),
    broken: '{"password": "SECRET',
  });
  const env = { HOME: home };
  const full = {
    servers: ['nats://ctx:9'],
    credentials: { kind: 'password', user: 'u', password: 'p' },
    tls: { caFile: '/ca' },
    inboxPrefix: '_BOX',
  };
  t.deepEqual(connectOptions({ context: 'full' }, env), full as ConnectOptions);
  t.deepEqual(connectOptions({}, { ...env, NATS_CONTEXT: 'full' }), full as ConnectOptions);
  t.deepEqual(connectOptions({ context: 'full' }, { ...env, NATS_URL: 'nats://env:1', NATS_TOKEN: 'tok' }), {
    ...full,
    servers: ['nats://env:1'],
    credentials: { kind: 'token', token: 'tok' },
  } as ConnectOptions);
  t.deepEqual(connectOptions({ context: 'bare' }, env), { servers: ['nats://127.0.0.1:4222'] });
  t.throws(() => connectOptions({ context: 'proxy' }, env), { ...refused, message: /socks_proxy/ });
  t.throws(() => connectOptions({ context: 'none' }, env), { ...refused, message: /none\.json \(ENOENT\)/ });
  const broken = t.throws(() => connectOptions({ context: 'broken' }, env), { ...refused, message: /not JSON/ });
  t.notRegex(inspect(broken), /SECRET/);
  const elsewhere = { HOME: '/nowhere', XDG_CONFIG_HOME: join(home, '.config') };
  t.deepEqual(connectOptions({ context: 'full' }, elsewhere), full as ConnectOptions);
});

test('a child gets the same options by its environment, whatever its parent has', (t) => {
  const parent = {
    NATS_URL: 'nats://other',
    NATS_TOKEN: 'other',
    NATS_CONTEXT: 'other',
    NATS_CA: '/other',
    PATH: '/bin',
  };
  const cases: ConnectOptions[] = [
    { servers: ['nats://h:1', 'tls://[::1]:2'] },
    { servers: ['nats://h:1'], credentials: { kind: 'password', user: 'u:@', password: 'p,/%' } },
    { servers: ['nats://h:1'], credentials: { kind: 'token', token: 't' }, inboxPrefix: '_BOX' },
    {
      servers: ['nats://h:1'],
      credentials: { kind: 'creds', file: '/c' },
      tls: { caFile: '/a', handshakeFirst: true },
    },
    { servers: ['nats://h:1'], credentials: { kind: 'nkey', file: '/n' }, tls: { certFile: '/c', keyFile: '/k' } },
  ];
  for (const options of cases) t.deepEqual(connectOptions({}, { ...parent, ...connectEnvironment(options) }), options);
});

test('shown options hold no secret', (t) => {
  const options = connectOptions({ nats: 'nats://bob:SECRET@h', ca: '/ca' }, {}) as ConnectOptions;
  t.is(masked(options), 'nats://h:4222 (user bob, password ***, CA /ca)');
  t.is(masked({ servers: ['nats://h:1'], credentials: { kind: 'token', token: 'SECRET' } }), 'nats://h:1 (token ***)');
  t.is(masked({ servers: ['nats://h:1'] }), 'nats://h:1');
});
