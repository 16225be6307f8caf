import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { printBolt } from '../../bolts/index.js';
import { COMPONENT } from '../../core/topology/component.js';

/** What a process prints in which `bolt`, with these arguments, executes the rows as one batch. */
async function printed(options: string, rows: string): Promise<{ stdout: string; stderr: string }> {
  const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const code = `
    import { printBolt } from ${module('../../bolts/index.js')};
    import { runBatch } from ${module('./run-bolt.js')};
    await runBatch(printBolt(${options}), ${rows});
    process.exit();`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { maxBuffer: 2 ** 26 });
}

test('prints one line per tuple to standard output: tsv with a prefix, jsonl, a function', async (t) => {
  const rows = `[{ word: 'a\\tb', count: 1 }, { word: 'é', count: 2 }]`;
  t.deepEqual(await printed('', rows), { stdout: 'a\\tb\t1\né\t2\n', stderr: '' });
  t.is((await printed(`{ prefix: '> ' }`, rows)).stdout, '> a\\tb\t1\n> é\t2\n');
  t.is((await printed(`{ format: 'jsonl' }`, rows)).stdout, '{"word":"a\\tb","count":1}\n{"word":"é","count":2}\n');
  t.is((await printed(`{ format: ({ count }) => count + '!' }`, rows)).stdout, '1!\n2!\n');
});

test('flush resolves when standard output has taken all lines, so that none is lost at an exit right after', async (t) => {
  const { stdout } = await printed('', `Array.from({ length: 200_000 }, (_, n) => ({ n, text: 'x'.repeat(20) }))`);
  t.is(
    stdout.length,
    Array.from({ length: 200_000 }, (_, n) => `${n}`.length + 22).reduce((a, b) => a + b),
  );
  t.true(stdout.endsWith(`199999\t${'x'.repeat(20)}\n`));
});

test('keeps no state that dies with its process, emits nothing, takes any stream', (t) => {
  t.like(printBolt(), { keepsState: false, streams: [], inputs: [{ name: 'default', fields: undefined }] });
});

test('wrong options are mistakes of the topology, all at once', (t) => {
  const wrong = printBolt as unknown as (options: unknown) => ReturnType<typeof printBolt>;
  const { mistakes } = wrong({ prefix: 7, format: 'csv', colour: true })[COMPONENT];
  t.is(mistakes.length, 3, mistakes.join('\n'));
  t.true(mistakes.every((mistake) => mistake.startsWith('printBolt: ')));
  t.deepEqual(printBolt()[COMPONENT].mistakes, []);
});
