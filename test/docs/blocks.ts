/**
 * The fenced code blocks of a Markdown file, and what is to be done with each: the words behind its language, which no
 * reader sees.
 *
 *     ```ts                     compiled
 *     ```ts file=parse.ts       compiled under that name, so that others can import it
 *     ```ts topology=count.ts   compiled, checked, and run with `squall run count.ts`, ending with exit code 0;
 *                               args="--set a=b" adds arguments, exit=3 is another code
 *     ```ts run                 compiled, and run as a program that ends with exit code 0; long: with `npm run test:long` only
 *     ```sh                     parsed
 *     ```sh run                 run, ending with exit code 0; prints="text": so much it prints
 *     ```json                   parsed
 *     ```json file=x.json       parsed, and written under that name
 *     ```json output=count.ts   has the shape of what that topology's run printed on stdout
 *     ```text                   nothing
 *     ```text output=count.ts   a transcript of that topology's run: see `transcript.ts`
 *     ```text output="COMMAND"  a transcript of that command
 *     … kill="TITLE" when=FILE  and while it runs, once FILE has something in it, the process of that title is killed
 *     ```text help=COMMAND      has the options that `squall COMMAND --help` has, no more and no less
 *     ```text acker             the steps of an acker: see `acker-steps.ts`
 *
 * Everything is done in one folder, from the top of the file to its end.
 */

/** The markers that each language knows; true: with a value. */
const MARKERS: Readonly<Record<string, Readonly<Record<string, boolean>>>> = {
  ts: { file: true, topology: true, args: true, exit: true, run: false, long: false },
  sh: { run: false, prints: true },
  json: { file: true, output: true },
  text: { output: true, kill: true, when: true, help: true, acker: false },
};

export interface Block {
  readonly language: string;
  /** values by marker; '' where the marker takes none */
  readonly markers: Readonly<Record<string, string>>;
  readonly text: string;
  /** of the opening fence, from 1 */
  readonly line: number;
}

/** Throws where a block is of another language, has an unknown marker or no end: nothing is to be passed over. */
export function blocksOf(markdown: string, name: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; info: string; line: number; text: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    const [, fence, info] = /^(`{3,}|~{3,})(.*)$/.exec(text) ?? [];
    if (open === undefined) {
      if (fence !== undefined) open = { fence, info, line: index + 1, text: [] };
    } else if (fence?.startsWith(open.fence) && info.trim() === '') {
      blocks.push(block(open.info, open.text, open.line, name));
      open = undefined;
    } else {
      open.text.push(text);
    }
  }
  if (open !== undefined) throw new Error(`${name}:${open.line}: the block has no end`);
  return blocks;
}

function block(info: string, text: readonly string[], line: number, name: string): Block {
  const refuse = (why: string): never => {
    throw new Error(`${name}:${line}: ${why} (\`\`\`${info})`);
  };
  const [, language, rest] = /^(\S*)(.*)$/.exec(info.trim()) as RegExpExecArray;
  const known = MARKERS[language] ?? refuse(`a block is one of ${Object.keys(MARKERS).join(', ')}`);
  const markers: Record<string, string> = {};
  const left = rest.replaceAll(
    /\s+(\w+)(?:=(?:"([^"]*)"|(\S+)))?(?=\s|$)/g,
    (_, key: string, quoted?: string, plain?: string) => {
      const value = quoted ?? plain;
      if (!Object.hasOwn(known, key))
        refuse(`'${key}' is no marker of ${language}, which has ${Object.keys(known).join(', ')}`);
      if (known[key] !== (value !== undefined))
        refuse(`the marker '${key}' ${known[key] ? 'needs a value' : 'takes no value'}`);
      markers[key] = value ?? '';
      return '';
    },
  );
  if (left.trim() !== '') refuse(`'${left.trim()}' is no marker`);
  return { language, markers, text: `${text.join('\n')}\n`, line };
}
