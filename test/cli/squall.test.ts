import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const SQUALL = fileURLToPath(new URL('../../cli/squall.js', import.meta.url));
const PACKAGE = new URL('../../../package.json', import.meta.url);
const CORE = new URL('../../core/index.js', import.meta.url).href;
/** Far above what a command without a server takes: a process that does not end must fail the test, not hang it. */
const DEADLINE_MS = 60_000;

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function squall(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SQUALL, ...args], { timeout: DEADLINE_MS }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr });
    });
  });
}

function topologyFile(t: ExecutionContext, name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'squall-cli-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const file = join(folder, name);
  writeFileSync(file, `import { defineBolt, defineSpout, t, topology } from ${JSON.stringify(CORE)};\n${text}`);
  return file;
}

const COMPONENTS = `
const spout = defineSpout({ output: { line: t.string }, open: () => ({ next: () => 'done' }) });
const bolt = defineBolt({ input: { line: t.string }, execute() {} });
`;

test('the version is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  t.deepEqual(await squall('--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('help is for stdout when it was asked for, and for stderr with exit 2 when nothing was', async (t) => {
  const asked = await squall('--help');
  t.is(asked.code, 0);
  t.regex(asked.stdout, /Usage: squall[\s\S]*run [\s\S]*check [\s\S]*dead /);
  t.is(asked.stderr, '');
  t.deepEqual(await squall(), { code: 2, stdout: '', stderr: asked.stdout });
});

test('check of a right file counts what is in it, whatever the file prints and keeps open', async (t) => {
  const file = topologyFile(
    t,
    'right.ts',
    `${COMPONENTS}
console.log('printed');
setInterval(() => {}, 1000);
export default ({ name = 'x' }: { name?: string } = {}) =>
  topology(name).spout('lines', spout).bolt('sink', bolt, (from) => from.shuffle('lines'), { tasks: 3 });`,
  );
  t.deepEqual(await squall('check', file, '--set', 'name=right'), {
    code: 0,
    stdout: 'right is fine: 1 spout, 1 bolt, 4 tasks, 1 edge\n',
    stderr: 'printed\n',
  });
});

test('check tells all mistakes of a file, one per line of stdout', async (t) => {
  const file = topologyFile(
    t,
    'wrong.mjs',
    `${COMPONENTS}
export default topology('wrong').spout('lines', spout)
  .bolt('a', bolt, (from) => from.shuffle('lins'))
  .bolt('b', bolt, (from) => from.shuffle('lines', { stream: 'errors' }))
  .bolt('b', bolt, (from) => from.fields('lines', ['word']));`,
  );
  const { code, stdout, stderr } = await squall('check', file);
  t.is(code, 2);
  const lines = stdout.split('\n');
  t.is(lines.pop(), '');
  t.true(lines.every((line) => line.startsWith(`${file}: bolt '`)));
  for (const culprit of ["'lins'", "'errors'", 'declared twice', "'word'"]) {
    t.is(lines.filter((line) => line.includes(culprit)).length, 1, culprit);
  }
  t.is(stderr, `${lines.length} mistakes [ERR_SQUALL_TOPOLOGY]\n`);
});

test('a file that cannot be loaded is one message with its code, and no stack unless --debug asks for it', async (t) => {
  const file = topologyFile(t, 'broken.ts', 'export default topology(;');
  for (const args of [['check'], ['run', '--state', join(dirname(file), 'state')]]) {
    const { code, stdout, stderr } = await squall(...args, file);
    t.is(code, 2);
    t.is(stdout, '');
    t.regex(stderr, /^error: [^\n]*broken\.ts[^\n]* \[ERR_SQUALL_TOPOLOGY_FILE\]\n$/);
  }
  const debug = await squall('check', file, '--debug');
  t.is(debug.code, 2);
  t.regex(debug.stderr, /\[ERR_SQUALL_TOPOLOGY_FILE\]\n[\s\S]*\n +at /);
  t.regex(debug.stderr, /cause/);
});

test('a setting that the topology never reads is exit 2', async (t) => {
  const file = topologyFile(t, 'plain.mjs', `${COMPONENTS}\nexport default topology('plain').spout('lines', spout);`);
  const { code, stderr } = await squall('check', file, '--set', 'a=b');
  t.is(code, 2);
  t.regex(stderr, /^error: --set a=….*\[ERR_SQUALL_PARAMETERS\]\n$/);
});
