/** Everything that the documents show is done here, as a reader would do it: see `blocks.ts`. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Acker } from '../../core/reliability/acker.js';
import { rootHi, rootLo } from '../../core/tuple/root-ids.js';
import { LONG } from '../support/long.js';
import { ackerSteps } from './acker-steps.js';
import { type Block, blocksOf } from './blocks.js';
import { type Ended, Installed, ROOT } from './installed.js';
import { missingLine, shapeDifference } from './transcript.js';

const DOCUMENTS = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Node runs TypeScript by itself from 22.18 on. What is read before the loader of tsx begins takes half as long. */
const NODE = (process.features as { typescript?: unknown }).typescript
  ? 'node'
  : 'node --import squall/testing --import squall --import tsx';

/** For a run of whose processes its page shows nothing: two are started, and not one for each task. */
const PACKED = '--workers 1';
const showsProcesses = (transcript: string): boolean => /\w\[\d+\]/.test(transcript);

/** Any attempt of task 1. */
const ROOT_ID = [rootHi(1, 1, 1), rootLo(0, 1)] as const;

interface Placed {
  readonly document: string;
  readonly block: Block;
  /** the file that the block is put into, where it is */
  readonly file: string | undefined;
}

const placed = DOCUMENTS.flatMap((document) =>
  blocksOf(textOf(document), document).map((block): Placed => ({ document, block, file: fileOf(document, block) })),
);
/** Topologies and commands of whose run a transcript shows processes. */
const shown = new Set(placed.flatMap(({ block: { markers, text } }) => (showsProcesses(text) ? markers.output : [])));

/** What the topologies printed, by file. */
const runs = new Map<string, Ended>();
let place: Installed;

test.before(async () => {
  place = await Installed.create();
});
test.after.always(() => place?.remove());

test.serial(
  'every TypeScript block compiles against the installed package, with the tsconfig.json that is shown',
  async (t) => {
    const taken = new Set<string>();
    for (const { document, block, file } of placed) {
      if (file === undefined) continue;
      t.false(taken.has(file), `${document}:${block.line}: ${file} is there already`);
      taken.add(file);
      writeFileSync(place.path(file), block.text);
    }
    t.true(taken.has('tsconfig.json'));
    t.is(await place.compile(), '');
  },
);

test.serial('npx finds the command of the installed package', async (t) => {
  const { code, printed } = await place.command('npx squall --version');
  t.is(code, 0, printed);
  await place.shortenNpx();
});

for (const { document, block, file } of placed) {
  const { language, markers, text, line } = block;
  const titled = (claim: string, body: (t: ExecutionContext) => Promise<void> | void): void =>
    test.serial(`${document}:${line}: ${claim}`, body);

  if (language === 'json')
    titled('is JSON', (t) => {
      t.notThrows(() => JSON.parse(text));
    });
  if (language === 'sh')
    titled('is a script that the shell understands', async (t) => {
      // in a function it is read and not run
      const { code, printed } = await place.command(`unused() {\n${text}\n}`);
      t.is(code, 0, printed);
    });
  if (language === 'sh' && markers.run !== undefined)
    titled('runs', async (t) => {
      const { code, printed } = await place.command(text);
      t.is(code, 0, printed);
      if (markers.prints !== undefined) t.is(printed.trim(), markers.prints);
    });
  if (language === 'ts' && markers.run !== undefined && (LONG || markers.long === undefined))
    titled('is a program that runs', async (t) => {
      const { code, printed } = await place.command(`${NODE} ${file}`);
      t.is(code, 0, printed);
    });
  if (markers.topology !== undefined)
    titled(`${markers.topology} runs`, async (t) => {
      // a run begins with all that `squall check` does
      const args = `${markers.args ?? ''} ${shown.has(markers.topology) ? '' : PACKED}`;
      const ended = await place.command(`squall run ${markers.topology} --json ${args}`);
      t.is(ended.code, Number(markers.exit ?? 0), ended.printed);
      runs.set(markers.topology, ended);
    });
  if (language === 'json' && markers.output !== undefined)
    titled('is what a run prints, in its shape', (t) => {
      const ended = runs.get(markers.output);
      t.is(shapeDifference(JSON.parse(text), JSON.parse(ended?.stdout ?? 'null')), undefined);
    });
  if (language === 'text' && markers.output !== undefined)
    titled('is what it prints, but for the figures', async (t) => {
      const kill = markers.kill === undefined ? undefined : { title: markers.kill, file: markers.when };
      const packed = /^npx squall run /.test(markers.output) && !shown.has(markers.output);
      const command = packed ? `${markers.output} ${PACKED}` : markers.output;
      const { printed } = runs.get(markers.output) ?? (await place.command(command, kill));
      t.is(missingLine(text, printed), undefined, printed);
    });
  if (markers.help !== undefined)
    titled(`has the options of squall ${markers.help}`, async (t) => {
      const { stdout } = await place.command(`squall ${markers.help} --help`);
      t.deepEqual(optionsIn(text), optionsIn(stdout.replace('--help', '')));
    });
  if (markers.acker !== undefined) titled('is what an acker does, in any order of the messages', (t) => acks(t, text));
}

test.serial('the documents name the tarball that npm pack makes', (t) => {
  const named = new Set(placed.flatMap(({ block }) => block.text.match(/squall-[\w.]+\.tgz/g) ?? []));
  t.deepEqual([...named], [place.tarball]);
});

test('the links of the documents to files of this project lead somewhere', (t) => {
  const links = DOCUMENTS.flatMap((document) =>
    [...textOf(document).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, link]) => join(dirname(document), link)),
  );
  t.true(links.length > 0);
  for (const link of links) t.true(existsSync(join(ROOT, link)), link);
});

test('the links of the documents to headings lead to one', (t) => {
  for (const document of DOCUMENTS) {
    for (const [, file, heading] of textOf(document).matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g)) {
      const target = file === '' ? document : join(dirname(document), file);
      t.true(headingsOf(target).includes(heading), `${document}: ${file}#${heading}`);
    }
  }
});

/** Each value that the document shows is the XOR so far, and the acker is done with the last message, whichever it is. */
function acks(t: ExecutionContext, text: string): void {
  const steps = ackerSteps(text).filter(({ said }) => said !== 'DONE');
  let value = 0;
  for (const step of steps) {
    for (const edge of step.edges) value ^= edge;
    t.is(value, step.value, `${step.said} ${step.by}`);
  }
  t.is(value, 0);
  const wrong = [...permutations(steps)].filter((order) => {
    let messages = 0;
    let doneAfter = 0;
    const acker = new Acker(1, { done: () => (doneAfter = messages) });
    for (const { said, edges } of order) {
      messages += 1;
      const xor = edges.reduce((sum, edge) => sum ^ edge, 0);
      if (said === 'INIT') acker.init(...ROOT_ID, 0, xor);
      else acker.ack(...ROOT_ID, 0, xor);
    }
    return doneAfter !== steps.length;
  });
  t.deepEqual(wrong, []);
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [at, item] of items.entries()) {
    for (const rest of permutations([...items.slice(0, at), ...items.slice(at + 1)])) yield [item, ...rest];
  }
}

/** `--set`, `--json` … in alphabetical order. */
function optionsIn(text: string): string[] {
  return [...new Set(text.match(/(?<= )--[a-z-]+/g))].sort();
}

function fileOf(document: string, { language, markers, line }: Block): string | undefined {
  const named = markers.file ?? markers.topology;
  if (named !== undefined || language !== 'ts') return named;
  return `${document.replaceAll(/\W/g, '-')}-${line}.ts`;
}

/** What links to the headings of a document are called. */
function headingsOf(document: string): string[] {
  const prose = textOf(document).replaceAll(/^(`{3,}).*\n[\s\S]*?\n\1$/gm, '');
  return [...prose.matchAll(/^#+ +(.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function textOf(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}
