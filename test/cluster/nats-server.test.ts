import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type EmbeddedNatsOptions, startEmbeddedNats } from '../../core/cluster/nats-server.js';
import type { SquallError } from '../../core/errors.js';
import { NatsTransport } from '../../core/transport/nats.js';
import { natsServerBinary } from '../support/nats.js';

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'squall-server-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function settings(t: ExecutionContext): Promise<EmbeddedNatsOptions> {
  return { binary: await natsServerBinary(), dir: join(await folder(t), 'nats'), token: 'SECRET-token' };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (alive(pid)) {
    if (Date.now() > deadline) throw new Error(`Expected process ${pid} to end within 10 s`);
    await delay(20);
  }
}

test('the server listens on loopback, lets the token in and nobody else, and has JetStream in its folder', async (t) => {
  const options = await settings(t);
  const nats = await startEmbeddedNats(options);
  t.teardown(() => nats.stop());
  t.is(nats.url, `nats://127.0.0.1:${nats.port}`);
  t.is(nats.token, options.token);
  const connect = { servers: [nats.url], name: 'squall:test', waitOnFirstConnect: false };
  await t.throwsAsync(NatsTransport.connect(connect), { code: 'ERR_SQUALL_NATS_AUTH' });
  const transport = await NatsTransport.connect({ ...connect, credentials: { kind: 'token', token: nats.token } });
  await transport.jetstream().ensureStream({ name: 'S', subjects: ['s'], maxBytes: 1000 });
  await transport.close();
  t.true(existsSync(join(options.dir, 'jetstream')));
});

test('the token is in no argument, and in a file that only its owner may read', async (t) => {
  const options = await settings(t);
  const nats = await startEmbeddedNats(options);
  t.teardown(() => nats.stop());
  if (process.platform === 'linux') {
    t.notRegex(await readFile(`/proc/${nats.pid}/cmdline`, 'utf8'), /SECRET/);
    t.notRegex(await readFile(`/proc/${nats.pid}/environ`, 'utf8'), /SECRET/);
  }
  t.is((await stat(options.dir)).mode & 0o777, 0o700);
  for (const name of await readdir(options.dir)) {
    const path = join(options.dir, name);
    const { mode } = await stat(path);
    if ((await stat(path)).isFile() && (await readFile(path, 'utf8')).includes('SECRET'))
      t.is(mode & 0o777, 0o600, name);
  }
});

test('killed and started again on its port and folder, it has what was stored', async (t) => {
  const options = await settings(t);
  const first = await startEmbeddedNats(options);
  const connect = {
    servers: [first.url],
    name: 'squall:test',
    credentials: { kind: 'token', token: options.token } as const,
  };
  const transport = await NatsTransport.connect(connect);
  t.teardown(() => transport.close());
  await transport.jetstream().ensureStream({ name: 'S', subjects: ['s'], maxBytes: 1000 });
  await transport.jetstream().append('s', Buffer.from('kept'), { msgId: '1' });
  first.kill();
  t.deepEqual(await first.exited, { code: null, signal: 'SIGKILL' });
  const second = await startEmbeddedNats({ ...options, port: first.port });
  t.teardown(() => second.stop());
  t.is(second.url, first.url);
  t.like(await transport.jetstream().info('S'), { messages: 1 });
});

test('stop ends the process, also twice and after it has ended', async (t) => {
  const nats = await startEmbeddedNats(await settings(t));
  await Promise.all([nats.stop(), nats.stop()]);
  t.false(alive(nats.pid));
  await nats.stop();
  nats.kill();
});

test('a server that does not react to SIGTERM is killed', async (t) => {
  const nats = await startEmbeddedNats(await settings(t));
  process.kill(nats.pid, 'SIGSTOP');
  await nats.stop();
  t.is((await nats.exited).signal, 'SIGKILL');
});

test('a port in use is a clear error with the server’s own words, and the other server is left alone', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as { readonly port: number };
  const error = await t.throwsAsync(startEmbeddedNats({ ...(await settings(t)), port }), {
    code: 'ERR_SQUALL_NATS_START',
    message: /address already in use/,
  });
  t.is((error as SquallError).facts.port, port);
  t.notRegex(String(error), /SECRET/);
});

test('a binary that is missing or ends at once is a clear error', async (t) => {
  const options = await settings(t);
  await t.throwsAsync(startEmbeddedNats({ ...options, binary: '/nowhere/nats-server' }), {
    code: 'ERR_SQUALL_NATS_START',
    message: /ENOENT/,
  });
  const binary = join(await folder(t), 'nats-server');
  await writeFile(binary, '#!/bin/sh\necho this is the reason >&2\nexit 7\n');
  await chmod(binary, 0o755);
  await t.throwsAsync(startEmbeddedNats({ ...options, binary }), {
    code: 'ERR_SQUALL_NATS_START',
    message: /exit code 7\nthis is the reason\n/,
  });
});

test('the server is in a process group of its own, and ends when its owner is killed', async (t) => {
  const owner = fork(new URL('../support/embedded-owner.js', import.meta.url), [join(await folder(t), 'nats')]);
  t.teardown(() => owner.kill('SIGKILL'));
  const [{ pid }] = (await once(owner, 'message')) as [{ readonly pid: number }];
  t.true(alive(pid));
  if (process.platform === 'linux') {
    const group = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ')[2];
    t.is(Number(group), pid);
  }
  owner.kill('SIGKILL');
  await untilGone(pid);
  t.pass();
});
