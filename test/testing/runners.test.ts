import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const execute = promisify(execFile);
const LONGEST_MS = 60_000;

async function node(...args: readonly string[]): Promise<string> {
  const env = { ...process.env };
  // a runner within a runner reports to the outer one
  delete env.NODE_TEST_CONTEXT;
  const { stdout } = await execute(process.execPath, args, { env, timeout: LONGEST_MS });
  return stdout;
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

test('it works under node --test', async (t) => {
  const printed = await node('--test', '--test-reporter=tap', file('under-node-test.js'));
  t.regex(printed, /# pass 2\b/);
  t.regex(printed, /# fail 0\b/);
});

test('a plain program ends by itself, though its topology still runs', async (t) => {
  t.is(await node(file('plain-script.js')), 'acked 1\n');
});
