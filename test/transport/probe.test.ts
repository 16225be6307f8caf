import { createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../../core/cluster/nats-server.js';
import type { SquallError } from '../../core/errors.js';
import type { ConnectOptions } from '../../core/transport/connect-options.js';
import { probeServer } from '../../core/transport/probe.js';
import { TestNats } from '../support/nats.js';

/** Something that listens and does `greet` with who comes. */
async function listener(t: ExecutionContext, greet: (socket: Socket) => void): Promise<ConnectOptions> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { servers: [`nats://127.0.0.1:${(server.address() as { readonly port: number }).port}`] };
}

const wanted = { jetstream: true };

test('a server that fits tells what it is', async (t) => {
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const info = await probeServer(nats.options, wanted);
  t.like(info, { url: nats.url, maxPayload: 1 << 20, jetstream: true });
  t.regex(info.version, /^\d+\.\d+\.\d+/);
});

test('one of several servers is enough', async (t) => {
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const away = `nats://127.0.0.1:${await freePort()}`;
  const info = await probeServer({ ...nats.options, servers: [away, nats.url] }, wanted);
  t.is(info.url, nats.url);
});

test('nobody there: the error names the URL', async (t) => {
  const server = `nats://127.0.0.1:${await freePort()}`;
  await t.throwsAsync(probeServer({ servers: [server] }, wanted), {
    code: 'ERR_SQUALL_NATS_UNREACHABLE',
    message: new RegExp(`${server}.*ECONNREFUSED`),
  });
  await t.throwsAsync(probeServer({ servers: ['nats://no-such-host.invalid:4222'] }, wanted), {
    code: 'ERR_SQUALL_NATS_UNREACHABLE',
    message: /no-such-host\.invalid/,
  });
});

test('something else there: it talks, hangs up, says nothing, or says INFO and no more sense', async (t) => {
  const strangers = await Promise.all([
    listener(t, (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')),
    listener(t, (socket) => socket.end()),
    listener(t, () => {}),
    listener(t, (socket) => socket.write('INFO {"version": 7}\r\n')),
    listener(t, (socket) => socket.write('INFO {broken\r\n')),
    listener(t, (socket) => socket.write('x'.repeat(100_000))),
  ]);
  const probes = strangers.map((options) =>
    t.throwsAsync(probeServer(options, wanted), {
      code: 'ERR_SQUALL_NATS_NOT_NATS',
      message: new RegExp(options.servers[0]),
    }),
  );
  t.is((await Promise.all(probes)).length, strangers.length);
});

test('a server that greets and then says nothing more is not waited for', async (t) => {
  const info = {
    server_id: 'X',
    version: '2.10.0',
    max_payload: 1 << 20,
    proto: 1,
    host: '127.0.0.1',
    port: 1,
    go: '',
  };
  const options = await listener(t, (socket) => socket.write(`INFO ${JSON.stringify(info)}\r\n`));
  await t.throwsAsync(probeServer(options, wanted), {
    code: 'ERR_SQUALL_NATS_UNREACHABLE',
    message: /no answer in time/,
  });
});

test('a server before 2.9.0 is too old, by its greeting alone', async (t) => {
  for (const version of ['2.8.4', '1.4.1', '2.9', 'weird']) {
    const options = await listener(t, (socket) =>
      socket.write(`INFO {"server_id":"X","version":"${version}","max_payload":1048576}\r\n`),
    );
    const error = await t.throwsAsync(probeServer(options, wanted), { code: 'ERR_SQUALL_NATS_TOO_OLD' });
    t.like((error as SquallError).facts, { version, oldest: '2.9.0' });
  }
});

test('wrong credentials and missing ones are told apart, and not shown', async (t) => {
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const code = 'ERR_SQUALL_NATS_AUTH';
  const wrong = { ...nats.options, credentials: { kind: 'token', token: 'SECRET' } as const };
  const error = await t.throwsAsync(probeServer(wrong, wanted), { code, message: /wrong or have expired/ });
  t.notRegex(String(error), /SECRET/);
  await t.throwsAsync(probeServer({ servers: nats.options.servers }, wanted), { code, message: /NATS_TOKEN/ });
});

test('a server or an account without JetStream is refused only where it is wanted', async (t) => {
  const without = await TestNats.start({ jetstream: undefined });
  const accounts = { system: { users: [] }, mine: { users: [{ user: 'u', password: 'p' }] } };
  const notForUs = await TestNats.start({ authorization: undefined, accounts });
  t.teardown(() => Promise.all([without.stop(), notForUs.stop()]));
  const asUser = { ...notForUs.options, credentials: { kind: 'password', user: 'u', password: 'p' } as const };
  for (const options of [without.options, asUser]) {
    await t.throwsAsync(probeServer(options, wanted), { code: 'ERR_SQUALL_NATS_NO_JETSTREAM', message: /JetStream/ });
    t.like(await probeServer(options, { jetstream: false }), { jetstream: false });
  }
});
