import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { examine, type Finding } from '../../core/cluster/doctor.js';
import type { ConnectOptions } from '../../core/transport/connect-options.js';
import { TestNats } from '../support/nats.js';

const SECRET = 'geheim-4711';

async function findings(t: ExecutionContext, nats: ConnectOptions): Promise<readonly Finding[]> {
  const dir = await mkdtemp(join(tmpdir(), 'squall-doctor-test-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const found = await examine({ state: join(dir, 'state'), nats });
  t.false(JSON.stringify(found).includes(SECRET));
  return found;
}

async function server(t: ExecutionContext, settings: Record<string, unknown> = {}): Promise<TestNats> {
  const nats = await TestNats.start(settings);
  t.teardown(() => nats.stop());
  return nats;
}

const stateOf = (found: readonly Finding[], check: Finding['check']) => found.find((each) => each.check === check);
const badOnes = (found: readonly Finding[]) => found.filter(({ state }) => state === 'bad').map(({ check }) => check);
const as = (nats: TestNats, user: string, password = SECRET): ConnectOptions => ({
  servers: [nats.url],
  credentials: { kind: 'password', user, password },
});

test('a server as a run needs it has no finding but good ones', async (t) => {
  const nats = await server(t);
  const found = await findings(t, nats.options);
  t.deepEqual([...new Set(found.map(({ state }) => state))], ['ok']);
  t.deepEqual(
    found.map(({ check }) => check),
    ['node', 'state', 'reachable', 'version', 'max-payload', 'subjects', 'round-trip', 'jetstream', 'runs'],
  );
});

test('no server, and a wrong password, are told apart', async (t) => {
  const none = await findings(t, { servers: ['nats://127.0.0.1:1'] });
  t.regex(stateOf(none, 'reachable')?.text ?? '', /cannot be reached/);
  const nats = await server(t, { authorization: { users: [{ user: 'ada', password: SECRET }] } });
  const wrong = await findings(t, as(nats, 'ada', `${SECRET}x`));
  t.regex(stateOf(wrong, 'reachable')?.text ?? '', /does not let us in/);
  t.deepEqual(badOnes(wrong), ['reachable']);
});

test('what a user may not do is named with its subject, and a small max_payload is noted', async (t) => {
  const permissions = { publish: ['foo', '$JS.API.>'], subscribe: ['foo'] };
  const nats = await server(t, {
    max_payload: 65_536,
    authorization: { users: [{ user: 'ada', password: SECRET, permissions }] },
  });
  const found = await findings(t, as(nats, 'ada'));
  t.deepEqual(badOnes(found), ['subjects', 'jetstream']);
  t.regex(stateOf(found, 'subjects')?.text ?? '', /no subscription on squall\._doctor\.>/);
  t.regex(stateOf(found, 'jetstream')?.text ?? '', /no subscription on _INBOX/);
  t.is(stateOf(found, 'max-payload')?.state, 'note');
});

test('a state folder that is a file is told', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'squall-doctor-test-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'state'), '');
  const found = await examine({ state: join(dir, 'state'), nats: { servers: ['nats://127.0.0.1:1'] } });
  t.regex(stateOf(found, 'state')?.text ?? '', /is no folder/);
});
