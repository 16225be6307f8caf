import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { examine, type Finding } from '../../core/cluster/doctor.js';
import { clock } from '../../core/cluster/doctor-clock.js';
import type { ConnectOptions } from '../../core/transport/connect-options.js';
import { NatsTransport } from '../../core/transport/nats.js';
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
    ['node', 'state', 'reachable', 'version', 'max-payload', 'subjects', 'round-trip', 'clock', 'jetstream', 'runs'],
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
  t.regex(stateOf(found, 'subjects')?.text ?? '', /no subscription on squall\._doctor\.\*/);
  t.regex(stateOf(found, 'jetstream')?.text ?? '', /no subscription on _INBOX/);
  t.is(stateOf(found, 'max-payload')?.state, 'note');
});

test('where JetStream cannot be asked, a login of a topology is noted and any other is bad', async (t) => {
  const permissions = { publish: ['squall.>'], subscribe: ['squall.>', '_INBOX.>', '_SQUALL.>'] };
  const nats = await server(t, { authorization: { users: [{ user: 'ada', password: SECRET, permissions }] } });
  const other = await findings(t, as(nats, 'ada'));
  t.deepEqual(badOnes(other), ['jetstream']);
  const ofLogins = await findings(t, { ...as(nats, 'ada'), inboxPrefix: '_SQUALL.orders.operator' });
  t.deepEqual(badOnes(ofLogins), []);
  t.is(stateOf(ofLogins, 'jetstream')?.state, 'note');
  t.regex(stateOf(ofLogins, 'jetstream')?.text ?? '', /no publish on \$JS\.API\.INFO.*squall permissions --logins/);
});

test("who may not ask for the server's clock gets all else", async (t) => {
  const permissions = { publish: ['squall.>', '$JS.API.INFO'], subscribe: ['squall.>', '_INBOX.>'] };
  const nats = await server(t, { authorization: { users: [{ user: 'ada', password: SECRET, permissions }] } });
  const found = await findings(t, as(nats, 'ada'));
  t.deepEqual(badOnes(found), []);
  t.regex(stateOf(found, 'jetstream')?.text ?? '', /^JetStream: 0 streams, 0\.0 MB stored/);
  t.is(stateOf(found, 'clock')?.state, 'note');
  t.regex(stateOf(found, 'clock')?.text ?? '', /is not known: .*\$SYS\.REQ\.ACCOUNT\.PING\.STATZ/);
});

test('an account that is more than nine tenths full is noted, with what is used, its limit and what is free', async (t) => {
  const LIMIT = 200_000;
  const users = [{ user: 'ada', password: SECRET }];
  const nats = await server(t, {
    authorization: undefined,
    accounts: { app: { jetstream: { max_file: LIMIT }, users } },
  });
  const transport = await NatsTransport.connect({ ...as(nats, 'ada'), name: 'test', userSubjects: true });
  t.teardown(() => transport.close());
  const streams = transport.jetstream();
  await streams.ensureStream({ name: 'FULL', subjects: ['full'], maxBytes: LIMIT });
  await streams.append('full', new Uint8Array(120_000), { msgId: '1' });
  const half = stateOf(await findings(t, as(nats, 'ada')), 'jetstream');
  t.like(half, { state: 'ok', text: 'JetStream: 1 streams, 0.1 MB stored of 0.2 MB, 0.1 MB free' });
  await streams.append('full', new Uint8Array(70_000), { msgId: '2' });
  const full = stateOf(await findings(t, as(nats, 'ada')), 'jetstream');
  t.is(full?.state, 'note');
  t.regex(full?.text ?? '', /0\.2 MB stored of 0\.2 MB, 0\.0 MB free: more than 90 % are used; .*raise the limit/);
});

test("a server's clock that is more than a second off, beyond what the trip leaves open, is noted", (t) => {
  t.deepEqual(
    [
      [{ tripMs: 0.5, aheadMs: -0.4 }],
      [{ tripMs: 0.5, aheadMs: -3 }],
      [
        { tripMs: 900, aheadMs: 1_400 },
        { tripMs: 40, aheadMs: 1_010 },
      ],
      [{ tripMs: 40, aheadMs: 61_000 }],
    ].map((looks) => clock(looks)),
    [
      { check: 'clock', state: 'ok', text: "the server's clock agrees with this machine's (± 1 ms)" },
      { check: 'clock', state: 'ok', text: "the server's clock is 3 ms behind this machine's (± 1 ms)" },
      { check: 'clock', state: 'ok', text: "the server's clock is 1010 ms ahead of this machine's (± 20 ms)" },
      {
        check: 'clock',
        state: 'note',
        text: "the server's clock is 61 s ahead of this machine's (± 20 ms): set both by NTP; times in logs and dead letters do not agree, and a JWT may expire too soon",
      },
    ],
  );
});

test('a state folder that is a file is told', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'squall-doctor-test-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'state'), '');
  const found = await examine({ state: join(dir, 'state'), nats: { servers: ['nats://127.0.0.1:1'] } });
  t.regex(stateOf(found, 'state')?.text ?? '', /is no folder/);
});
