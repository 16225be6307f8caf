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
  'an option of a bolt that is misspelt': {
    source: `base.bolt('x', split, (from) => from.shuffle('lines'), { task: 2 });`,
    says: /'task' does not exist in type .*Did you mean to write 'tasks'\?/,
  },
  'a setting of a bolt that is misspelt': {
    source: `base.bolt('x', split, (from) => from.shuffle('lines'), { config: { concurency: 2 } });`,
    says: /'concurency' does not exist in type 'BoltConfigOptions'/,
  },
  'an input function that returns nothing': {
    source: `base.bolt('x', split, (from) => { from.shuffle('lines'); });`,
    says: /return one of from\.shuffle/,
  },
  'an edge that an array carries wrongly': {
    source: `base.bolt('x', split, (from) => [from.shuffle('lines'), from.shuffle('split')]);`,
    says: /bolt \\"x\\" takes field \\"line\\", which stream \\"split\\" does not carry/,
  },
  'an empty array': {
    source: `base.bolt('x', split, () => []);`,
    says: /bolt \\"x\\" takes nothing: the array is empty/,
  },
  'a named input that is missing': {
    source: `base.bolt('x', join, (from) => ({ left: from.shuffle('lines') }));`,
    says: /'right' is missing .*bolt \\"x\\" has an input \\"right\\": say what it takes/,
  },
  'a named input that is not there': {
    source: `base.bolt('x', join, (from) => ({ left: from.shuffle('lines'), rihgt: from.shuffle('split') }));`,
    says: /bolt \\"x\\" has no input \\"rihgt\\"/,
  },
  'a named input that the stream does not carry': {
    source: `base.bolt('x', join, (from) => ({ left: from.shuffle('split'), right: [from.shuffle('split')] }));`,
    says: /bolt \\"x\\" takes field \\"line\\", which stream \\"split\\" does not carry/,
  },
  'an edge for named inputs': {
    source: `base.bolt('x', join, (from) => from.shuffle('lines'));`,
    says: /bolt \\"x\\" has inputs with names: say what each takes/,
  },
  'inputs beside input': {
    source: `defineBolt({ input: { a: t.string }, inputs: { x: { a: t.string } }, execute() {} });`,
    says: /input stands beside inputs: move it in there/,
  },
  'a name that is none of the inputs': {
    source: `defineBolt({ inputs: { a: {}, b: {} }, execute({ input }) { if (input === 'c') return; } });`,
    says: /'"a" \| "b"' and '"c"' have no overlap/,
  },
  'feedback into what is not there': {
    source: `base.feedback('spilt', (from) => from.shuffle('split'));`,
    says: /"sink" \| "split" \| "✗ there is no bolt \\"spilt\\" before this"/,
  },
  'feedback into a spout': {
    source: `base.feedback('lines', (from) => from.shuffle('split'));`,
    says: /component \\"lines\\" is a spout, which takes nothing/,
  },
  'feedback that the bolt cannot take': {
    source: `base.feedback('split', (from) => from.shuffle('split', { stream: 'errors' }));`,
    says: /bolt \\"split\\" takes field \\"line\\", which stream \\"errors\\" of \\"split\\" does not carry/,
  },
  'feedback into an input that is not there': {
    source: `joined.feedback('join', (from) => ({ rihgt: from.shuffle('split') }));`,
    says: /bolt \\"join\\" has no input \\"rihgt\\"/,
  },
  'a direct stream by another grouping': {
    source: `joined.bolt('x', sink, (from) => from.all('join', { stream: 'routed' }));`,
    says: /stream \\"routed\\" of \\"join\\" is direct: take it by from\.direct/,
  },
  'a direct output by another grouping': {
    source: `base.spout('d', defineSpout({ output: direct({ n: t.number }), open: () => ({ next() {} }) }))
      .bolt('x', sink, (from) => from.shuffle('d'));`,
    says: /the output of \\"d\\" is direct: take it by from\.direct/,
  },
  'a stream that is not direct by from.direct': {
    source: `base.bolt('x', sink, (from) => from.direct('split', { stream: 'errors' }));`,
    says: /stream \\"errors\\" of \\"split\\" is not direct: take it by another grouping, or declare it with direct/,
  },
  'an output that is not direct by from.direct': {
    source: `base.bolt('x', sink, (from) => from.direct('split'));`,
    says: /the output of \\"split\\" is not direct/,
  },
  'a partial key that the stream lacks': {
    source: `base.bolt('x', split, (from) => from.partialKey('lines', ['word']));`,
    says: /stream \\"lines\\" has no field \\"word\\"/,
  },
  'a custom grouping by a field that the stream lacks': {
    source: `base.bolt('x', split, (from) => from.custom('lines', (values) => values.word.length));`,
    says: /'word' does not exist on type '\{ line: string; n: number \| null; \}'/,
  },
  'an emit on a direct stream': {
    source: `defineBolt({ streams: { d: direct({}) }, execute(_, out) { out.emit({}, { stream: 'd' }); } });`,
    says: /stream \\"d\\" is direct: use out\.emitDirect\(task, values\)/,
  },
  'an emitDirect on a normal stream': {
    source: `defineBolt({ output: { n: t.number }, execute(_, out) { out.emitDirect(1, { n: 1 }); } });`,
    says: /stream \\"default\\" is not direct: declare it with direct\(…\), or use out\.emit\(values\)/,
  },
  'an emitDirect on an undeclared stream': {
    source: `defineBolt({ streams: { d: direct({}) }, execute(_, out) { out.emitDirect(1, {}, { stream: 'e' }); } });`,
    says: /there is no stream \\"e\\" here/,
  },
  'an ack where Squall acks': {
    source: `defineBolt({ execute(tuple, out) { out.ack(tuple); } });`,
    says: /'ack' does not exist on type 'BoltEmitter/,
  },
  'anchors where Squall anchors': {
    source: `defineBolt({ output: {}, execute(tuple, out) { out.emit({}, { anchors: [tuple] }); } });`,
    says: /'anchors' does not exist in type/,
  },
  'a flush beside manual acks': {
    source: `defineBolt({ ack: 'manual', execute() {}, flush() {} });`,
    says: /flush is of no use with ack: 'manual'/,
  },
  'an option of bolts for a spout': {
    source: `base.spout('x', spoutFrom({ output: {} }, () => []), { config: { tickEveryMs: 5 } });`,
    says: /'tickEveryMs' does not exist in type 'SpoutConfigOptions'/,
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
import { defineBolt, defineSpout, direct, spoutFrom, t, topology, withParameters } from ${JSON.stringify(SQUALL)};
const lines = spoutFrom({ output: { line: t.string, n: t.nullable(t.number) } }, () => []);
const split = defineBolt({
  input: { line: t.string }, output: { word: t.string }, streams: { errors: { text: t.string } }, execute() {},
});
const sink = defineBolt({ execute() {} });
const base = topology('base')
  .spout('lines', lines)
  .bolt('split', split, (from) => from.shuffle('lines'))
  .bolt('sink', sink, (from) => from.shuffle('split'));
const join = defineBolt({
  inputs: { left: { line: t.string }, right: { word: t.string } }, streams: { routed: direct({ n: t.number }) }, execute() {},
});
const joined = base.bolt('join', join, (from) => ({ left: from.shuffle('lines'), right: from.shuffle('split') }));
export { base, defineBolt, defineSpout, direct, joined, t, withParameters };
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
