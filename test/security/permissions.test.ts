/** A run whose users may do what `squall permissions` prints, and nothing else. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { connect, type NatsConnection, nkeyAuthenticator } from 'nats';
import { permissionsOf, type UserRights } from '../../core/cluster/permissions.js';
import { loadPlan } from '../../core/runtime/load-topology.js';
import { ConfiguredNats } from '../support/configured-nats.js';
import { until, Workspace } from '../support/e2e.js';
import { Command } from '../support/e2e-command.js';
import { writeTopology } from '../support/e2e-files.js';
import { startRun } from '../support/e2e-run.js';

const LINES = 200;
const POISON = 7;
/** A busy machine starts processes slowly. */
const LONG_MS = 60_000;

/** Reads lines, fails one of them for good and another once, counts by parity, writes. `end` starts trees of its own. */
function writeCount(place: Workspace): string {
  writeFileSync(place.path('in.txt'), Array.from({ length: LINES }, (_, n) => `${n}\n`).join(''));
  return writeTopology(
    place,
    'count.mjs',
    `
    const parity = defineBolt({
      input: { line: t.string },
      output: { parity: t.number },
      execute(tuple, out) {
        const n = Number(tuple.values.line);
        if (n === ${POISON} || (n === 8 && tuple.attempt === 1)) throw new Error('not this time');
        out.emit({ parity: n % 2 });
      },
    });
    const count = defineBolt({
      input: { parity: t.number },
      output: { parity: t.number, count: t.number },
      prepare() {
        const counts = new Map();
        return {
          execute({ values }) { counts.set(values.parity, (counts.get(values.parity) ?? 0) + 1); },
          end(out) { for (const [parity, count] of counts) out.emit({ parity, count }); },
        };
      },
    });
    const slow = spoutFrom({ output: { line: t.string } }, async function* ({ signal }) {
      for (let n = 0; !signal.aborted; n++) { yield { line: String(n * 10) }; await new Promise((r) => setTimeout(r, 20)); }
    });
    export default ({ name, output, endless = 'no' }) => topology(name)
      .spout('lines', endless === 'yes' ? slow : fileSpout({ path: ${JSON.stringify(place.path('in.txt'))} }), { config: { retry: { attempts: 2 } } })
      .bolt('parity', parity, (from) => from.shuffle('lines'), { tasks: 2 })
      .bolt('count', count, (from) => from.fields('parity', ['parity']))
      .bolt('sink', linesSink({ path: output }), (from) => from.global('count'));
    `,
  );
}

interface Secured {
  readonly nats: ConfiguredNats;
  readonly file: string;
  readonly logins: string;
  readonly set: Readonly<Record<string, string>>;
}

async function secured(t: ExecutionContext, place: Workspace, more: readonly string[] = []): Promise<Secured> {
  const file = writeCount(place);
  const logins = place.path('logins');
  const set = { name: place.name, output: place.path('out.tsv') };
  const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const command = await Command.start(t, place, ['permissions', file, '--logins', logins, ...settings, ...more]);
  const { code, stdout, stderr } = await command.ended();
  t.is(code, 0, stderr);
  return { nats: await ConfiguredNats.start(t, place, stdout), file, logins, set };
}

for (const [workers, ackers] of [
  ['task', 1],
  [2, 2],
] as const) {
  test.serial(
    `--workers ${workers}: a run with replay and dead letter needs no more than what is printed`,
    async (t) => {
      const place = await Workspace.create(t);
      const { nats, file, logins, set } = await secured(t, place, [
        '--workers',
        String(workers),
        '--ackers',
        String(ackers),
      ]);
      const watched = startRun(t, place, file, { nats: nats.url, logins, workers, ackers, set });
      const result = await watched.run.result;
      t.is(result.status, 'dead-letters', JSON.stringify(result));
      t.like(result.spouts.lines, { emitted: LINES, acked: LINES - 1, deadLettered: 1 });
      t.is(readFileSync(set.output, 'utf8').split('\n').sort().join(' ').trim(), `0\t100 1\t${LINES / 2 - 1}`);
      const slow = /is still starting/;
      t.deepEqual(
        result.warnings.filter((warning) => !slow.test(warning)),
        [],
      );
      const dead = await Command.start(t, place, ['dead', place.name, 'list', '--nats', nats.url, '--logins', logins]);
      t.regex((await dead.ended()).stdout, /not this time/);
      t.deepEqual(nats.refusals, []);
    },
  );
}

test.serial('connectors are allowed their own streams and subjects, and need no more', async (t) => {
  const place = await Workspace.create(t);
  const first = `
    import { jetStreamSink, natsSink } from ${JSON.stringify(new URL('../../bolts/index.js', import.meta.url).href)};
    import { jetStreamSpout, natsSpout } from ${JSON.stringify(new URL('../../spouts/index.js', import.meta.url).href)};
    const make = { name: 'IN', subjects: ['in'] };
    const output = { n: t.number };
    const given = spoutFrom({ output }, async function* () { for (let n = 0; n < 20; n++) yield { n }; });
    const back = jetStreamSpout({ stream: 'IN', make, decode: 'json', output });
    // what comes back from the stream is a first attempt again
    let failed = false;
    const pass = defineBolt({ input: output, output, execute({ values }, out) {
      if (values.n === 3 && !failed) {
        failed = true;
        throw new Error('once');
      }
      out.emit(values);
    } });
    export default ({ name }) => topology(name)
      .spout('given', given)
      .bolt('stored', jetStreamSink({ subject: 'in', make }), (from) => from.shuffle('given'))
      .spout('back', back)
      .bolt('pass', pass, (from) => from.shuffle('back'))
      .bolt('told', natsSink({ subject: 'out' }), (from) => from.shuffle('pass'))
      .spout('heard', natsSpout({ subject: 'out', decode: 'json', output }))
      .bolt('sink', linesSink({ path: ${JSON.stringify(place.path('heard.tsv'))} }), (from) => from.shuffle('heard'));
  `;
  const file = writeTopology(place, 'through.mjs', first);
  const logins = place.path('logins');
  const command = await Command.start(t, place, [
    'permissions',
    file,
    '--logins',
    logins,
    '--set',
    `name=${place.name}`,
    '--workers',
    '2',
  ]);
  const { code, stdout, stderr } = await command.ended();
  t.is(code, 0, stderr);
  const nats = await ConfiguredNats.start(t, place, stdout);
  const watched = startRun(t, place, file, { nats: nats.url, logins, workers: 2 });
  // what is heard is written without being tracked
  const written = () =>
    existsSync(place.path('heard.tsv')) && readFileSync(place.path('heard.tsv'), 'utf8').split('\n').length > 20;
  await until(written, 'all 20 to have come through both', LONG_MS).catch((error: Error) => {
    throw new Error(`${error.message}: ${nats.refusals.join('; ')}; ${watched.warnings.items.join('; ')}`);
  });
  const result = await watched.run.drain();
  t.is(result.drained, true, JSON.stringify(result));
  t.like(result.spouts, { given: { acked: 20 }, back: { acked: 20 } });
  t.deepEqual(nats.refusals, []);
});

test.serial('the operator lists, pauses, resumes and kills the run, and may do nothing else', async (t) => {
  const place = await Workspace.create(t);
  const { nats, file, logins, set } = await secured(t, place, ['--workers', '2']);
  const watched = startRun(t, place, file, { nats: nats.url, logins, workers: 2, set: { ...set, endless: 'yes' } });
  await watched.ready.count(1, 'the run to begin');
  await watched.ackedAtLeast(3);
  const operate = async (...args: readonly string[]) => {
    const command = await Command.start(t, place, [...args, '--nats', nats.url, '--logins', logins]);
    const { code, stdout, stderr } = await command.ended();
    t.is(code, 0, stderr);
    return stdout;
  };
  t.regex(await operate('list'), new RegExp(place.name));
  t.notRegex(await operate('doctor'), /^[!✘]/m);
  await operate('pause', place.name);
  t.is(watched.run.snapshot().phase, 'paused');
  await operate('resume', place.name);
  process.kill(watched.pidOf('parity[2]'), 'SIGKILL');
  await watched.restarted.count(1, 'a restart');
  await operate('kill', place.name);
  t.is((await watched.run.result).status, 'stopped');
  t.deepEqual(nats.refusals, []);
});

test.serial('each user is refused every subject that is not its own', async (t) => {
  const place = await Workspace.create(t);
  const { nats, file, logins, set } = await secured(t, place);
  const users = permissionsOf(await loadPlan(file, set), { ackers: 1, workers: 'task', jetstream: true });
  const others = [
    'other',
    '>',
    '*',
    'squall.>',
    `squall.${place.name}.>`,
    '_INBOX.a.b',
    '$JS.API.STREAM.LIST',
    '$SYS.a',
  ];
  const strange = `squall.${place.name}x.run.t.2.1`;
  const all = [
    ...new Set([...users.flatMap(({ publish, subscribe }) => [...publish, ...subscribe]), ...others, strange]),
  ];
  for (const user of users) {
    const { publish, subscribe, connection } = await tried(t, nats, logins, user, all);
    t.deepEqual(
      publish,
      all
        .map(concrete)
        .filter((subject) => !/[*>]/.test(subject) && !allows(user.publish, subject))
        .sort(),
      user.name,
    );
    t.deepEqual(subscribe, all.filter((subject) => !user.subscribe.includes(subject)).sort(), user.name);
    await connection.close();
  }
});

/** What the server refuses the user. */
async function tried(
  t: ExecutionContext,
  nats: ConfiguredNats,
  logins: string,
  user: UserRights,
  all: readonly string[],
) {
  const seed = readFileSync(`${logins}/${user.name}.nk`);
  const connection: NatsConnection = await connect({
    servers: nats.url,
    authenticator: nkeyAuthenticator(new Uint8Array(Buffer.from(seed.toString().trim()))),
  });
  t.teardown(() => connection.close());
  const refused = { publish: new Set<string>(), subscription: new Set<string>() };
  void (async () => {
    for await (const { permissionContext } of connection.status()) {
      if (permissionContext)
        refused[permissionContext.operation as 'publish' | 'subscription'].add(permissionContext.subject);
    }
  })();
  for (const subject of all) {
    connection.subscribe(subject, { callback: () => {} });
    if (!/[*>]/.test(concrete(subject))) connection.publish(concrete(subject));
  }
  await connection.flush();
  // the client tells of refusals after it has read them
  await until(() => refused.subscription.size >= all.length - user.subscribe.length, 'the refusals');
  return { connection, publish: [...refused.publish].sort(), subscribe: [...refused.subscription].sort() };
}

/** A subject that the pattern allows: wildcards stand for one token. */
function concrete(pattern: string): string {
  return pattern === '*' || pattern.includes('>') ? pattern : pattern.replaceAll('*', '9');
}
function allows(patterns: readonly string[], subject: string): boolean {
  return patterns.some((pattern) => concrete(pattern) === subject);
}

test('rights name tasks by number, and nothing is wider than a token', async (t) => {
  const place = await Workspace.create(t);
  const plan = await loadPlan(writeCount(place), { name: place.name, output: 'x' });
  for (const workers of ['task', 1, 2, 3] as const) {
    const users = permissionsOf(plan, { ackers: 2, workers, jetstream: true });
    t.is(new Set(users.map(({ name }) => name)).size, users.length);
    for (const { name, publish, subscribe } of users) {
      for (const subject of [...publish, ...subscribe]) {
        t.false(subject.includes('>'), `${name}: ${subject}`);
        t.regex(subject, /^(?:squall\.|\$JS\.API\.|\$SYS\.REQ\.ACCOUNT\.PING\.STATZ$|_SQUALL\.)/, name);
      }
    }
  }
  const [alone] = permissionsOf(plan, { ackers: 2, workers: 1, jetstream: true });
  t.false(
    alone.publish.some((subject) => /\.[tas]\./.test(subject)),
    'a single worker tells itself nothing over NATS',
  );
  const [lines] = permissionsOf(plan, { ackers: 0, workers: 'task', jetstream: false });
  t.false(
    lines.publish.some((subject) => /\.[as]\./.test(subject)),
    'nothing is tracked, so nobody is told',
  );
});

test('logins are readable by their owner only, kept, and refused for another run than theirs', async (t) => {
  const place = await Workspace.create(t);
  const file = writeCount(place);
  const logins = place.path('logins');
  const print = async (more: readonly string[] = []) => {
    const set = ['--set', `name=${place.name}`, '--set', 'output=o'];
    const command = await Command.start(t, place, ['permissions', file, ...set, '--logins', logins, ...more]);
    const { code, stdout, stderr } = await command.ended();
    t.is(code, 0, stderr);
    return stdout;
  };
  const first = await print();
  t.is(statSync(logins).mode & 0o777, 0o700);
  for (const name of readdirSync(logins)) t.is(statSync(`${logins}/${name}`).mode & 0o777, 0o600, name);
  t.is(await print(), first);
  t.notRegex(first, /\bSU[A-Z2-7]{56}\b/);
  for (const name of readdirSync(logins)) if (name.endsWith('.nk')) t.true(existsSync(`${logins}/${name}`));

  const set = { name: place.name, output: 'o' };
  const refused = async (why: RegExp, options: object) => {
    const { run } = startRun(t, place, file, { nats: 'nats://127.0.0.1:1', logins, set, ...options });
    const { error } = await run.result;
    t.regex(`${error?.code} ${error?.message}`, why);
  };
  await refused(/ERR_SQUALL_LOGINS.*--workers 2/, { workers: 2 });
  await refused(/ERR_SQUALL_LOGINS.*--no-jetstream/, { jetstream: false });
  await refused(/ERR_SQUALL_LOGINS.*are not there/, { logins: place.path('none') });
  await refused(/ERR_SQUALL_LOGINS.*not of|and this is/, { set: { ...set, name: 'another' } });
  await refused(/ERR_SQUALL_USAGE.*--nats/, { nats: undefined });
});
