/** What only the real network can do to us: each claim here was once a fault of the client, the server or ours. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { connect as foreignConnect, nkeys } from 'nats';
import { freePort } from '../../core/cluster/nats-server.js';
import type { SquallError } from '../../core/errors.js';
import { type ConnectOptions, connectEnvironment } from '../../core/transport/connect-options.js';
import { NatsTransport, type NatsTransportOptions } from '../../core/transport/nats.js';
import { testCertificates } from '../support/certificates.js';
import { Log } from '../support/log.js';
import { TestNats } from '../support/nats.js';
import { jwtAuthority } from '../support/nats-jwt.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { Recorder } from './recorder.js';

async function startNats(t: ExecutionContext, settings?: Readonly<Record<string, unknown>>): Promise<TestNats> {
  const nats = await TestNats.start(settings);
  t.teardown(() => nats.stop());
  return nats;
}

async function open(
  t: ExecutionContext,
  options: ConnectOptions,
  events: Recorder = new Recorder(),
  more: Partial<NatsTransportOptions> = {},
): Promise<NatsTransport> {
  const transport = await NatsTransport.connect({ name: 'squall:test', ...options, ...more }, events);
  t.teardown(() => transport.close());
  return transport;
}

/** Polls what has no event of its own. */
async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Expected ${what} within 15 s`);
    await delay(20);
  }
}

/** Settings with a monitoring port, and what it says. */
async function monitoring(): Promise<{ settings: object; ask: (path: string) => Promise<Record<string, unknown>> }> {
  const port = await freePort();
  return {
    settings: { http: `127.0.0.1:${port}` },
    ask: async (path) => (await (await fetch(`http://127.0.0.1:${port}/${path}`)).json()) as Record<string, unknown>,
  };
}

function codes(events: Recorder): string[] {
  return events.errors.map((error) => (error as SquallError).code);
}

const FAST_PINGS = { pingIntervalMs: 100, connectTimeoutMs: 200 };

test('a server that stops and goes on is lost, found again once, and every message still comes once', async (t) => {
  const auth = { authorization: { token: 'test-token', timeout: 0.5 } };
  const nats = await startNats(t, auth);
  const proxy = await TcpProxy.start(nats.port);
  t.teardown(() => proxy.stop());
  const events = new Recorder();
  const transport = await open(t, { ...nats.options, servers: [proxy.url] }, events, FAST_PINGS);
  const heard = new Log<string>();
  transport.subscribe('echo', (payload) => heard.push(Buffer.from(payload).toString()));
  // Somebody else's connect() puts the client's own sockets back into force.
  const foreign = await foreignConnect({ servers: `127.0.0.1:${nats.port}`, token: 'test-token' });
  t.teardown(() => foreign.close());

  nats.pause();
  await events.saw('down');
  t.false(transport.publish('echo', Buffer.from('refused')));
  // The system accepts connections for the stopped server; nobody answers them.
  await until(() => proxy.accepted >= 4, 'several dials in vain');
  nats.resume();
  await events.saw('up');

  // When the server cuts a new connection that never shows who it is, it has cut forgotten dials, too.
  const silent = createConnection({ port: nats.port, host: '127.0.0.1' });
  silent.resume();
  await once(silent, 'close');
  transport.publish('echo', Buffer.from('one'));
  transport.publish('echo', Buffer.from('two'));
  await heard.count(2);
  await transport.flush();
  t.deepEqual(heard.items, ['one', 'two']);
  t.deepEqual(events.names, ['down', 'up']);
});

test('a stopped server is given up though the send buffer is full', async (t) => {
  const nats = await startNats(t);
  const events = new Recorder();
  const transport = await open(t, nats.options, events, FAST_PINGS);
  nats.pause();
  for (let index = 0; index < 100; index++) transport.publish('a', new Uint8Array(256 * 1024));
  await events.saw('down');
  nats.resume();
  await events.saw('up');
  await transport.flush();
  t.deepEqual(events.names, ['down', 'up']);
});

test('reconnect and close work while the send buffer is full', async (t) => {
  const nats = await startNats(t);
  const events = new Recorder();
  const slowPings = { pingIntervalMs: 60_000 };
  const transport = await open(t, nats.options, events, slowPings);
  const closing = await open(t, nats.options, new Recorder(), slowPings);
  nats.pause();
  for (const each of [transport, closing]) {
    for (let index = 0; index < 100; index++) each.publish('a', new Uint8Array(256 * 1024));
  }
  await closing.close();
  await transport.reconnect();
  nats.resume();
  await events.saw('up');
  await transport.flush();
  t.deepEqual(events.names, ['down', 'up']);
});

test('a transport that is closed while it dials leaves no connection behind', async (t) => {
  const monitor = await monitoring();
  const nats = await startNats(t, monitor.settings as Record<string, unknown>);
  const events = new Recorder();
  const transport = await open(t, nats.options, events, { ...FAST_PINGS, connectTimeoutMs: 10_000 });
  nats.pause();
  await events.saw('down');
  await transport.close();
  nats.resume();
  await until(async () => (await monitor.ask('connz')).num_connections === 0, 'no connection to be left');
  t.deepEqual(events.names, ['down', 'closed']);
});

test('a link that is silent both ways is lost, and back when the network heals', async (t) => {
  const nats = await startNats(t);
  const proxy = await TcpProxy.start(nats.port);
  t.teardown(() => proxy.stop());
  const events = new Recorder();
  const transport = await open(t, { ...nats.options, servers: [proxy.url] }, events, FAST_PINGS);
  const heard = new Log<string>();
  transport.subscribe('echo', (payload) => heard.push(Buffer.from(payload).toString()));
  for (const [round, fault] of (['drop', 'half', 'stall', 'refuse'] as const).entries()) {
    if (fault === 'drop') proxy.drop('to-server', 'to-client');
    else if (fault === 'half') proxy.drop('to-client');
    else if (fault === 'stall') proxy.stall('to-client');
    else proxy.refuse();
    await events.saw('down', round + 1);
    t.false(transport.publish('echo', Buffer.from('refused')));
    proxy.heal();
    await events.saw('up', round + 1);
    transport.publish('echo', Buffer.from(fault));
    await heard.count(round + 1);
  }
  t.deepEqual(heard.items, ['drop', 'half', 'stall', 'refuse']);
});

test('a slow link is not a lost one, and drain waits for it', async (t) => {
  const nats = await startNats(t);
  const proxy = await TcpProxy.start(nats.port);
  t.teardown(() => proxy.stop());
  const witness = await open(t, nats.options);
  const heard = new Log<number>();
  witness.subscribe('a', (payload) => heard.push(payload.length));
  await witness.flush();
  proxy.delay(200, 100);
  const events = new Recorder();
  const transport = await open(t, { ...nats.options, servers: [proxy.url] }, events);
  for (let index = 1; index <= 50; index++) transport.publish('a', new Uint8Array(index * 1000));
  await transport.drain();
  t.deepEqual(events.names, ['closed']);
  await heard.count(50);
  t.deepEqual(
    heard.items,
    Array.from({ length: 50 }, (_, index) => (index + 1) * 1000),
  );
});

test('a reader that is stopped is cut off by the server, and comes back by itself', async (t) => {
  const monitor = await monitoring();
  const nats = await startNats(t, { ...monitor.settings, write_deadline: '500ms' });
  const script = new URL('../support/stopped-reader.js', import.meta.url);
  const child = fork(script, { env: { ...process.env, ...connectEnvironment(nats.options) } });
  t.teardown(() => child.kill('SIGKILL'));
  const told = new Log<string>();
  child.on('message', (message) => told.push(String(message)));
  await told.count(1, 'the reader to be ready');

  const writer = await open(t, nats.options);
  child.kill('SIGSTOP');
  await until(async () => {
    for (let index = 0; index < 8; index++) writer.publish('flood', new Uint8Array(1 << 20));
    await writer.flush();
    return Number((await monitor.ask('varz')).slow_consumers) > 0;
  }, 'the server to see a slow consumer');
  child.kill('SIGCONT');
  await told.until((items) => items.includes('up'), 'the reader to be back');
  writer.publish('after', new Uint8Array(0));
  await told.until((items) => items.includes('heard'), 'the reader to hear again');
  t.deepEqual(told.items, ['ready', 'down', 'up', 'heard']);
  const ended = once(child, 'exit');
  child.send('end');
  await ended;
});

test('what the server forbids is told, and everything else goes on', async (t) => {
  const permissions = { publish: { deny: ['no.pub', '$JS.>'] }, subscribe: { deny: ['no.sub'] } };
  const nats = await startNats(t, { authorization: { users: [{ user: 'u', password: 'p', permissions }] } });
  const events = new Recorder();
  const transport = await open(
    t,
    { ...nats.options, credentials: { kind: 'password', user: 'u', password: 'p' } },
    events,
  );
  const heard = new Log<string>();
  transport.subscribe('no.sub', () => heard.push('forbidden'));
  transport.subscribe('yes', () => heard.push('allowed'));
  t.true(transport.publish('no.pub', new Uint8Array(1)));
  await events.saw('error', 2);
  transport.publish('no.sub', new Uint8Array(1));
  transport.publish('yes', new Uint8Array(1));
  await heard.count(1);
  t.deepEqual(heard.items, ['allowed']);
  t.deepEqual(codes(events), ['ERR_SQUALL_NATS_PERMISSION', 'ERR_SQUALL_NATS_PERMISSION']);
  t.like((events.errors[0] as SquallError).facts, { operation: 'subscription', subject: 'no.sub' });
  t.like((events.errors[1] as SquallError).facts, { operation: 'publish', subject: 'no.pub' });
  await t.throwsAsync(transport.jetstream().info('S'), { code: 'ERR_SQUALL_NATS_PERMISSION' });
  t.true(transport.connected);
});

test('connecting waits for a server that is not there yet, and can be given up', async (t) => {
  const nats = await TestNats.start({}, { started: false });
  t.teardown(() => nats.stop());
  const options = { ...nats.options, name: 'squall:test' };
  await t.throwsAsync(NatsTransport.connect({ ...options, waitOnFirstConnect: false }), {
    code: 'ERR_SQUALL_NATS_UNREACHABLE',
    message: new RegExp(nats.url),
  });
  const giveUp = new AbortController();
  const givenUp = NatsTransport.connect({ ...options, signal: giveUp.signal });
  const waiting = NatsTransport.connect(options);
  giveUp.abort(new Error('enough'));
  await t.throwsAsync(givenUp, { message: 'enough' });
  await nats.restart();
  const transport = await waiting;
  await transport.flush();
  t.true(transport.connected);
  await transport.close();
});

test('wrong credentials end the connecting, however long it would wait for a server', async (t) => {
  const nats = await startNats(t);
  const wrong = { ...nats.options, credentials: { kind: 'token', token: 'hunter2' } as const, name: 'squall:test' };
  for (const options of [wrong, { ...wrong, waitOnFirstConnect: false }, { ...wrong, credentials: undefined }]) {
    const error = await t.throwsAsync(NatsTransport.connect(options), { code: 'ERR_SQUALL_NATS_AUTH' });
    t.notRegex(JSON.stringify([error?.message, (error as SquallError).facts]), /hunter2/);
  }
});

test('a server that comes back with other credentials closes the transport for good', async (t) => {
  const nats = await startNats(t);
  const events = new Recorder();
  const transport = await open(t, nats.options, events);
  await nats.restart({ authorization: { token: 'another' } });
  await events.saw('closed');
  t.like(events.items.at(-1)?.detail, { code: 'ERR_SQUALL_NATS_AUTH' });
  t.is(events.names[0], 'down');
  t.false(events.names.includes('up'));
  t.false(transport.publish('a', new Uint8Array(0)));
});

test('credentials that expire are read again from their file; where they are not renewed, that is the end', async (t) => {
  const authority = jwtAuthority();
  const nats = await startNats(t, authority.settings);
  const dir = await mkdtemp(join(tmpdir(), 'squall-creds-'));
  t.teardown(() => rm(dir, { recursive: true }));
  // Enough to connect on a machine that has other things to do.
  const soon = Math.floor(Date.now() / 1000) + 5;
  const start = async (name: string): Promise<[NatsTransport, Recorder, file: string]> => {
    const file = join(dir, name);
    await writeFile(file, authority.credentials(soon));
    const events = new Recorder();
    return [await open(t, { ...nats.options, credentials: { kind: 'creds', file } }, events), events, file];
  };
  const [renewed, renewedEvents, file] = await start('renewed.creds');
  const [, lapsedEvents] = await start('lapsed.creds');
  await writeFile(file, authority.credentials());

  await renewedEvents.saw('up');
  await renewed.flush();
  await lapsedEvents.saw('closed');
  t.like(lapsedEvents.items.at(-1)?.detail, { code: 'ERR_SQUALL_NATS_AUTH' });
  t.true(renewed.connected);
});

test('an nkey seed in a file lets us in', async (t) => {
  const user = nkeys.createUser();
  const nats = await startNats(t, { authorization: { users: [{ nkey: user.getPublicKey() }] } });
  const dir = await mkdtemp(join(tmpdir(), 'squall-nkey-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const file = join(dir, 'user.nk');
  await writeFile(file, `${Buffer.from(user.getSeed())}\n`);
  const transport = await open(t, { ...nats.options, credentials: { kind: 'nkey', file } });
  await transport.flush();
  t.true(transport.connected);
  const missing = {
    ...nats.options,
    credentials: { kind: 'nkey', file: join(dir, 'none') } as const,
    name: 'squall:test',
  };
  await t.throwsAsync(NatsTransport.connect(missing), { code: 'ERR_SQUALL_NATS_OPTIONS', message: /none/ });
  await writeFile(file, 'no seed');
  await t.throwsAsync(NatsTransport.connect({ ...missing, credentials: { kind: 'nkey', file } }), {
    code: 'ERR_SQUALL_NATS_OPTIONS',
  });
});

test('TLS: by the URL, with our CA and certificate; and without them a clear refusal', async (t) => {
  const certificates = await testCertificates();
  t.teardown(() => certificates.remove());
  const { path } = certificates;
  const settings = (name: 'server' | 'server-ip'): Record<string, unknown> => ({
    tls: { cert_file: path(`${name}.pem`), key_file: path(`${name}.key`), ca_file: path('ca.pem'), verify: true },
  });
  const files = { caFile: path('ca.pem'), certFile: path('client.pem'), keyFile: path('client.key') };
  const nats = await startNats(t, settings('server'));
  const byAddress = await startNats(t, settings('server-ip'));
  for (const server of [`tls://localhost:${nats.port}`, `tls://127.0.0.1:${byAddress.port}`]) {
    const events = new Recorder();
    const transport = await open(t, { ...nats.options, servers: [server], tls: files }, events);
    const heard = new Log<number>();
    transport.subscribe('a', (payload) => heard.push(payload.length));
    transport.publish('a', new Uint8Array(300_000));
    await heard.count(1);
    await transport.reconnect();
    await events.saw('up');
    transport.publish('a', new Uint8Array(1));
    await heard.count(2);
    t.deepEqual(heard.items, [300_000, 1]);
  }
  const refused = { code: 'ERR_SQUALL_NATS_TLS', message: /NATS_CA/ };
  const options = { ...nats.options, name: 'squall:test', waitOnFirstConnect: false };
  await t.throwsAsync(NatsTransport.connect(options), refused, 'its CA is not known');
  await t.throwsAsync(
    NatsTransport.connect({ ...options, tls: files }),
    refused,
    'its certificate is for localhost only',
  );
  const plain = await startNats(t);
  await t.throwsAsync(
    NatsTransport.connect({ ...options, servers: [`tls://127.0.0.1:${plain.port}`] }),
    refused,
    'no TLS there',
  );
  const servers = [`nats://localhost:${nats.port}`];
  const noCertificate = { ...options, servers, tls: { caFile: path('ca.pem') }, connectTimeoutMs: 500 };
  await t.throwsAsync(NatsTransport.connect(noCertificate), refused, 'the server wants a certificate');
  await t.throwsAsync(NatsTransport.connect({ ...options, tls: { caFile: path('none' as 'ca.pem') } }), {
    code: 'ERR_SQUALL_NATS_OPTIONS',
  });
});

test('a server about to shut down is told; with another server known we move there, else we stay', async (t) => {
  const alone = await startNats(t);
  const aloneEvents = new Recorder();
  await open(t, alone.options, aloneEvents);
  alone.signal('SIGUSR2');
  await aloneEvents.saw('error');
  t.deepEqual(codes(aloneEvents), ['ERR_SQUALL_NATS_LAME_DUCK']);

  const routes = [await freePort(), await freePort()];
  const cluster = (index: number): Record<string, unknown> => ({
    jetstream: undefined,
    cluster: { name: 'test', listen: `127.0.0.1:${routes[index]}`, routes: [`nats://127.0.0.1:${routes[1 - index]}`] },
  });
  const first = await startNats(t, cluster(0));
  const second = await startNats(t, cluster(1));
  const events = new Recorder();
  const transport = await open(t, { ...first.options, servers: [first.url, second.url] }, events);
  const here = transport.server.address === `127.0.0.1:${first.port}` ? first : second;
  const there = here === first ? second : first;
  here.signal('SIGUSR2');
  await events.saw('up');
  t.is(transport.server.address, `127.0.0.1:${there.port}`);
  t.deepEqual(events.names, ['error', 'down', 'up']);
});

test('a connection shows its name to the server', async (t) => {
  const monitor = await monitoring();
  const nats = await startNats(t, monitor.settings as Record<string, unknown>);
  await open(t, nats.options, new Recorder(), { name: 'squall:word-count/split[3]' });
  const { connections } = (await monitor.ask('connz')) as { connections: { name: string }[] };
  t.deepEqual(
    connections.map(({ name }) => name),
    ['squall:word-count/split[3]'],
  );
});
