import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../../core/cluster/nats-server.js';
import { sizeOf, topologyFile, Workspace } from '../support/e2e.js';
import { allPresent } from '../support/e2e-checks.js';
import { Command } from '../support/e2e-command.js';
import { writeTopology } from '../support/e2e-files.js';
import { TestNats } from '../support/nats.js';

/** 5 s are promised of a machine that is not busy. */
const WITHIN_MS = 30_000;
const NUMBERS = topologyFile('numbers');
const FAILURE = 1;
const USAGE = 2;

const SPOUT = `const spout = defineSpout({ output: { n: t.number }, open: () => ({ next: () => 'done' }) });`;
const BOLT = `const bolt = defineBolt({ input: { n: t.number }, execute() {} });`;

interface Expected {
  readonly code: number;
  /** what stands in brackets behind the message */
  readonly error?: string;
  /** each must be said */
  readonly says: readonly RegExp[];
  readonly env?: Readonly<Record<string, string>>;
  /** a death without a word may have had an outer cause */
  readonly triedAgain?: boolean;
  /** only for what their own code threw: where */
  readonly stack?: RegExp;
}

/** `squall run` with these arguments ends soon, with one error message and nothing left running. */
async function refused(
  t: ExecutionContext,
  place: Workspace,
  args: readonly string[],
  expected: Expected,
): Promise<void> {
  const command = await Command.start(t, place, ['run', ...args], expected.env);
  const { code, signal, stdout, stderr } = await command.ended(WITHIN_MS);
  t.deepEqual({ code, signal, stdout }, { code: expected.code, signal: null, stdout: '' }, stderr);
  for (const pattern of expected.says) t.regex(stderr, pattern);
  t.is(stderr.match(/^error: /gm)?.length, 1, `one message: ${stderr}`);
  if (expected.error !== undefined) t.true(stderr.includes(`[${expected.error}]`), stderr);
  t.notRegex(stderr, /ERR_SQUALL_INTERNAL|bug in Squall/);
  if (expected.triedAgain !== true) t.notRegex(stderr, /^lost: /m, 'it is a mistake: to try again helps nobody');
  if (expected.stack === undefined) t.notRegex(stderr, /^\s+at /m, 'words, no stack');
  else t.regex(stderr, expected.stack, 'the stack leads to their own code');
}

const files: readonly {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly expected: Expected;
}[] = [
  {
    name: 'does not parse',
    file: 'unparsed.mjs',
    text: 'export default topology(;\n',
    expected: { code: USAGE, error: 'ERR_SQUALL_TOPOLOGY_FILE', says: [/unparsed\.mjs:2/, /SyntaxError/] },
  },
  {
    name: 'does not parse as TypeScript',
    file: 'unparsed.ts',
    text: 'const x: = 1;\nexport default x;\n',
    expected: { code: USAGE, error: 'ERR_SQUALL_TOPOLOGY_FILE', says: [/unparsed\.ts:2/] },
  },
  {
    name: 'throws',
    file: 'throws.mjs',
    text: `throw new RangeError('no such constellation');`,
    expected: {
      code: USAGE,
      error: 'ERR_SQUALL_TOPOLOGY_FILE',
      says: [/throws\.mjs:2/, /RangeError: no such constellation/],
    },
  },
  {
    name: 'throws in its function',
    file: 'throws-later.mjs',
    text: `export default () => { throw new RangeError('no such constellation'); };`,
    expected: { code: USAGE, error: 'ERR_SQUALL_TOPOLOGY_FILE', says: [/RangeError: no such constellation/] },
  },
  {
    name: 'exports nothing',
    file: 'nothing.mjs',
    text: 'export const x = 1;\n',
    expected: { code: USAGE, error: 'ERR_SQUALL_TOPOLOGY_FILE', says: [/default export/, /undefined/] },
  },
  {
    name: 'imports what is not installed',
    file: 'imports.mjs',
    text: `import 'no-such-package';\nexport default 1;\n`,
    expected: {
      code: USAGE,
      error: 'ERR_SQUALL_TOPOLOGY_FILE',
      says: [/imports\.mjs/, /no-such-package/, /installed/],
    },
  },
  {
    name: 'makes several mistakes at once',
    file: 'several.mjs',
    text: `${SPOUT}${BOLT}
export default topology('several')
  .spout('numbers', spout)
  .bolt('one', bolt, (from) => from.shuffle('nombers'))
  .bolt('two', bolt, (from) => from.fields('numbers', ['m']))
  .bolt('_three', bolt, (from) => from.shuffle('numbers'));`,
    expected: { code: USAGE, error: 'ERR_SQUALL_TOPOLOGY', says: [/nombers/, /'m'|"m"/, /_three/] },
  },
  {
    name: 'has a spout that throws in open',
    file: 'open.mjs',
    text: `${BOLT}
const spout = defineSpout({ output: { n: t.number }, open() { throw new Error('no such device'); } });
export default topology('open').spout('numbers', spout).bolt('one', bolt, (from) => from.shuffle('numbers'));`,
    expected: { code: FAILURE, says: [/open of numbers\[1\] failed: no such device/], stack: /at .*open\.mjs:3/ },
  },
  {
    name: 'has a bolt that rejects in prepare',
    file: 'prepare.mjs',
    text: `${SPOUT}
const bolt = defineBolt({ input: { n: t.number }, async prepare() { throw new Error('no such database'); } });
export default topology('prepare').spout('numbers', spout).bolt('one', bolt, (from) => from.shuffle('numbers'), { tasks: 2 });`,
    expected: {
      code: FAILURE,
      says: [/prepare of one\[[23]\] failed: no such database/],
      stack: /at .*prepare\.mjs:3/,
    },
  },
  {
    name: 'ends its process while it opens',
    file: 'exits.mjs',
    text: `${BOLT}
const spout = defineSpout({ output: { n: t.number }, open() { process.exit(9); } });
export default topology('exits').spout('numbers', spout).bolt('one', bolt, (from) => from.shuffle('numbers'));`,
    expected: { code: FAILURE, says: [/exits numbers\[1\]/, /exit code 9/], triedAgain: true },
  },
  {
    name: 'reads files of which there are none',
    file: 'input.mjs',
    text: `
const bolt = defineBolt({ input: { line: t.string }, execute() {} });
export default topology('input').spout('lines', fileSpout({ path: 'books/*.txt' })).bolt('one', bolt, (from) => from.shuffle('lines'));`,
    expected: { code: FAILURE, says: [/books\/\*\.txt/] },
  },
  {
    name: 'writes where nothing can be written',
    file: 'output.mjs',
    text: `${SPOUT}
export default topology('output').spout('numbers', spout).bolt('sink', linesSink({ path: '/dev/null/out' }), (from) => from.shuffle('numbers'));`,
    expected: { code: FAILURE, says: [/sink\[2\]/, /\/dev\/null\/out/] },
  },
];

for (const { name, file, text, expected } of files) {
  test.serial(`a topology file that ${name}: exit ${expected.code}, and the message names it`, async (t) => {
    const place = await Workspace.create(t);
    await refused(t, place, [writeTopology(place, file, text)], expected);
  });
}

test.serial('a topology file that is not there, and a parameter that it never reads', async (t) => {
  const place = await Workspace.create(t);
  await refused(t, place, ['missing.ts'], { code: USAGE, error: 'ERR_SQUALL_TOPOLOGY_FILE', says: [/missing\.ts/] });
  await refused(t, place, [NUMBERS, '--set', 'counts=12'], {
    code: USAGE,
    error: 'ERR_SQUALL_PARAMETERS',
    says: [/counts/, /'count'|"count"/, /it reads name, count/],
  });
});

test.serial('NATS that cannot be reached, and what listens there but is no NATS', async (t) => {
  const place = await Workspace.create(t);
  const port = await freePort();
  await refused(t, place, [NUMBERS, '--nats', `nats://127.0.0.1:${port}`], {
    code: FAILURE,
    error: 'ERR_SQUALL_NATS_UNREACHABLE',
    says: [new RegExp(`127\\.0\\.0\\.1:${port}`)],
  });
  const greetings = ['220 mail.example.org ESMTP\r\n', ''];
  for (const greeting of greetings) {
    const server = await listening(t, (socket) => socket.write(greeting));
    await refused(t, place, [NUMBERS, '--nats', `nats://127.0.0.1:${server}`], {
      code: FAILURE,
      error: 'ERR_SQUALL_NATS_NOT_NATS',
      says: [new RegExp(`127\\.0\\.0\\.1:${server}`)],
    });
  }
});

test.serial('NATS that is too old: the message tells both versions', async (t) => {
  const place = await Workspace.create(t);
  const info = {
    server_id: 'OLD',
    server_name: 'old',
    version: '2.8.4',
    max_payload: 1048576,
    proto: 1,
    headers: true,
  };
  const port = await listening(t, (socket) => socket.write(`INFO ${JSON.stringify(info)} \r\n`));
  await refused(t, place, [NUMBERS, '--nats', `nats://127.0.0.1:${port}`], {
    code: FAILURE,
    error: 'ERR_SQUALL_NATS_TOO_OLD',
    says: [/2\.9\.0/, /2\.8\.4/],
  });
});

test.serial('NATS that does not let us in: the message never shows the secret', async (t) => {
  const place = await Workspace.create(t);
  const nats = await TestNats.start();
  t.teardown(() => nats.stop());
  const expected = { code: FAILURE, error: 'ERR_SQUALL_NATS_AUTH', says: [/credentials are wrong/] };
  const command = await Command.start(t, place, ['run', NUMBERS, '--nats', nats.url], { NATS_TOKEN: 'open-sesame' });
  t.notRegex((await command.ended(WITHIN_MS)).stderr, /open-sesame/);
  await refused(t, place, [NUMBERS], { ...expected, env: { NATS_URL: nats.url, NATS_TOKEN: 'open-sesame' } });
  await refused(t, place, [NUMBERS, '--nats', nats.url], { ...expected, says: [/none are set/] });
});

test.serial('NATS without JetStream is refused, and taken with --no-jetstream', async (t) => {
  const place = await Workspace.create(t);
  const nats = await TestNats.start({ jetstream: undefined });
  t.teardown(() => nats.stop());
  const env = { NATS_TOKEN: tokenOf(nats) };
  await refused(t, place, [NUMBERS, '--nats', nats.url], {
    code: FAILURE,
    error: 'ERR_SQUALL_NATS_NO_JETSTREAM',
    says: [/JetStream/, /--no-jetstream/],
    env,
  });
  const output = place.path('numbers.tsv');
  const args = [
    'run',
    NUMBERS,
    '--nats',
    nats.url,
    '--no-jetstream',
    '--json',
    '--workers',
    '1',
    '--set',
    `output=${output}`,
  ];
  const { code, result } = await (await Command.start(t, place, args, env)).result();
  t.is(code, 0);
  t.true(result.warnings.some((warning) => /without JetStream/.test(warning)));
  t.is(allPresent(t, output, 1000), 0);
});

test.serial('a state folder that another run has, and one that cannot be made', async (t) => {
  const place = await Workspace.create(t);
  const output = place.path('numbers.tsv');
  const first = await Command.run(t, place, NUMBERS, { count: '1000000000', output }, ['--workers', '1']);
  await first.until(() => sizeOf(output) > 0, 'the first run to be under way');
  await refusedBeside(t, place, first);
  first.kill('SIGTERM');
  t.is((await first.ended()).code, 143);

  writeFileSync(place.path('file'), '');
  await refused(t, place, [NUMBERS, '--state', place.path('file/state')], {
    code: FAILURE,
    error: 'ERR_SQUALL_STATE',
    says: [/file\/state/],
  });
});

async function refusedBeside(t: ExecutionContext, place: Workspace, first: Command): Promise<void> {
  await refused(t, place, [NUMBERS, '--state', place.state], {
    code: FAILURE,
    error: 'ERR_SQUALL_STATE_IN_USE',
    says: [new RegExp(`in use by process ${first.pid}\\b`), /--state/],
  });
}

test.serial('a wrong command line', async (t) => {
  const place = await Workspace.create(t);
  for (const [args, says] of [
    [['--workers', '0'], /--workers.*whole number from 1/],
    [['--ackers', '65'], /--ackers.*0 to 64/],
    [['--duration', '5'], /--duration.*such as/],
    [['--sett', 'a=b'], /unknown option '--sett'/],
    [['--set', 'a'], /Expected key=value/],
  ] as const) {
    await refused(t, place, [NUMBERS, ...args], { code: USAGE, says: [says] });
  }
});

/** A server that does `greet` with everyone; its port. */
async function listening(t: ExecutionContext, greet: (socket: Socket) => void): Promise<number> {
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
  return (server.address() as { readonly port: number }).port;
}

function tokenOf({ options: { credentials } }: TestNats): string {
  if (credentials?.kind !== 'token') throw new Error('Expected a token');
  return credentials.token;
}
