import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

/** Each mistake as its author would write it (after `BEFORE`), and what the compiler's message must name. */
const mistakes: Readonly<Record<string, { readonly source: string; readonly says: RegExp }>> = {
  'a source that does not exist': {
    source: `base.bolt('x', split, (from) => from.shuffle('linez'));`,
    says: /'"linez"'.*there is no component \\"linez\\" before this one/,
  },
  'a stream that the source does not declare': {
    source: `base.bolt('x', split, (from) => from.shuffle('split', { stream: 'erors' }));`,
    says: /component \\"split\\" declares no stream \\"erors\\".*Did you mean '"errors"'/,
  },
  'a source without output': {
    source: `base.bolt('x', split, (from) => from.shuffle('sink'));`,
    says: /\\"sink\\" declares no output/,
  },
  'a fields grouping on a field that the stream lacks': {
    source: `base.bolt('x', split, (from) => from.fields('lines', ['line', 'word']));`,
    says: /stream \\"lines\\" has no field \\"word\\"/,
  },
  'a fields grouping on a field that the named stream lacks': {
    source: `base.bolt('x', sink, (from) => from.fields('split', ['word'], { stream: 'errors' }));`,
    says: /stream \\"errors\\" of \\"split\\" has no field \\"word\\"/,
  },
  'an input that the stream does not carry': {
    source: `base.bolt('again', split, (from) => from.shuffle('split'));`,
    says: /bolt \\"again\\" takes field \\"line\\", which stream \\"split\\" does not carry/,
  },
  'an input that the stream carries as another type': {
    source: `base.bolt('x', defineBolt({ input: { n: t.string }, execute() {} }), (from) => from.shuffle('lines'));`,
    says: /bolt \\"x\\" takes field \\"n\\" as string, which stream \\"lines\\" carries as number or null/,
  },
  'a component name that is taken': {
    source: `base.bolt('lines', split, (from) => from.shuffle('lines'));`,
    says: /component \\"lines\\" is declared twice/,
  },
  'a spout name that is taken': {
    source: `base.spout('split', spoutFrom({ output: { n: t.number } }, () => []));`,
    says: /component \\"split\\" is declared twice/,
  },
  'an input function that returns nothing': {
    source: `base.bolt('x', split, (from) => { from.shuffle('lines'); });`,
    says: /return one of from\.shuffle/,
  },
  'an emit of an undeclared field': {
    source: `defineBolt({ output: { word: t.string }, execute(_, out) { out.emit({ word: '', wrod: '' }); } });`,
    says: /'wrod' does not exist in type '\{ word: string; \}'/,
  },
  'an emit without a declared field': {
    source: `defineBolt({ output: { word: t.string }, execute(_, out) { out.emit({}); } });`,
    says: /'word' is missing in type '\{\}'/,
  },
  'an emit of an undeclared stream': {
    source: `defineBolt({ output: { word: t.string }, execute(_, out) { out.emit({}, { stream: 'errors' }); } });`,
    says: /there is no stream \\"errors\\" here/,
  },
  'an emit where no output is declared': {
    source: `defineBolt({ execute(_, out) { out.emit({ word: '' }); } });`,
    says: /there is no stream \\"default\\" here: declare an output/,
  },
  'a yield of an undeclared field': {
    source: `spoutFrom({ output: { n: t.number } }, async function* () { yield { n: 1, m: 2 }; });`,
    says: /field \\"m\\" is not declared in output/,
  },
  'a function that returns no topology': {
    source: `export default withParameters(({ path = '' } = {}) => path);`,
    says: /the function must return a topology/,
  },
  'a parameter that is no string': {
    source: `export default withParameters(({ tasks = 2 } = {}) => topology(String(tasks)));`,
    says: /parameter \\"tasks\\" must be a string/,
  },
};

const SQUALL = fileURLToPath(new URL('../../core/index.js', import.meta.url));
const BEFORE = `
import { defineBolt, spoutFrom, t, topology, withParameters } from ${JSON.stringify(SQUALL)};
const lines = spoutFrom({ output: { line: t.string, n: t.nullable(t.number) } }, () => []);
const split = defineBolt({
  input: { line: t.string }, output: { word: t.string }, streams: { errors: { text: t.string } }, execute() {},
});
const sink = defineBolt({ execute() {} });
const base = topology('base')
  .spout('lines', lines)
  .bolt('split', split, (from) => from.shuffle('lines'))
  .bolt('sink', sink, (from) => from.shuffle('split'));
export { base, defineBolt, t, withParameters };
`;
const LARGE = 50;

/** A chain of `LARGE` bolts, and one that takes from a component that is not there. */
function largeTopology(): string {
  const names = Array.from({ length: LARGE }, (_, at) => `c${at}`);
  const bolts = names.map(
    (name, at) => `.bolt('${name}', sink2, (from) => from.fields('${names[at - 1] ?? 'lines'}', ['line']))`,
  );
  return `
const sink2 = defineBolt({ input: { line: t.string }, output: { line: t.string }, execute() {} });
export const large = topology('large').spout('lines', lines)${bolts.join('\n')};
large.bolt('x', sink2, (from) => from.shuffle('c99'));
`;
}

/** Compiles all sources in one run of the compiler; returns what it says about each. */
async function compile(sources: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'squall-types-'));
  try {
    const names = Object.keys(sources);
    const files = names.map((_, at) => `case-${at}.ts`);
    await Promise.all(files.map((file, at) => writeFile(join(folder, file), BEFORE + sources[names[at]])));
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2023',
      lib: ['es2023'],
      module: 'nodenext',
      types: [],
      skipLibCheck: true,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const compiler = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], (_error, stdout, stderr) => {
        resolve(stdout + stderr);
      });
    });
    const said: Record<string, string> = Object.fromEntries(names.map((name) => [name, '']));
    let current = '';
    for (const line of output.split('\n')) {
      const at = /case-(\d+)\.ts\(/.exec(line);
      if (at) current = names[Number(at[1])];
      said[current] = `${said[current] ?? ''}${line}\n`;
    }
    return said;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('each mistake is a compile error that names the culprit, also in a large topology; a right topology is none', async (t) => {
  const sources = Object.fromEntries(Object.entries(mistakes).map(([title, { source }]) => [title, source]));
  const wrongType = `defineBolt({ output: { word: t.string }, execute(_, out) { out.emit({ word: 1 }); } });`;
  const said = await compile({ ...sources, 'no mistake': '', 'wrong type': wrongType, large: largeTopology() });
  for (const [title, { says }] of Object.entries(mistakes)) t.regex(said[title], says, title);
  t.is(said['no mistake'], '');
  // The message names types only; it stands at the field.
  const line = BEFORE.split('\n').length;
  const column = wrongType.indexOf('word: 1') + 1;
  t.regex(said['wrong type'], new RegExp(`\\(${line},${column}\\).*'number' is not assignable to type 'string'`));
  t.regex(said.large, /^[^\n]*there is no component \\"c99\\" before this one[^\n]*\n*$/);
});
