import { fileURLToPath } from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import { groupingText, sourceText } from '../../cli/graph/describe.js';
import { dotGraph } from '../../cli/graph/dot.js';
import { jsonGraph } from '../../cli/graph/json.js';
import { mermaidGraph } from '../../cli/graph/mermaid.js';
import { inFlowOrder } from '../../cli/graph/order.js';
import { textGraph } from '../../cli/graph/text.js';
import { main } from '../../cli/main.js';
import type { EdgePlan } from '../../core/topology/definition.js';
import { FakeIo } from './fake-io.js';
import { anyPlan, fraud, planFrom, stream, wordCount } from './graph-plans.js';

const TEXT_COLUMNS = 80;

test('as text, a topology is a paragraph per component in the direction of the tuples', (t) => {
  t.is(
    textGraph(fraud),
    `fraud: 2 spouts, 3 bolts, 8 tasks, 5 edges

▶ transactions  spout, task 2
    default  card: string, "the \\"amount\\"": string

▶ profiles  spout, task 3
    default  card: string

● join  bolt, 2 tasks (4–5), in cycle 1
    ← transactions  fields(card, "the \\"amount\\"")  into tx
    ← profiles  fields(card)  into profile
    ⇠ later  shuffle  into tx  (feedback)
    default  card: string  (not taken by anyone)
    errors  text: string
    late  card: string  (direct)

■ log  sink, task 1
    ← join.errors  global

● later  bolt, 3 tasks (6–8), in cycle 1
    ← join.late  direct
    default  card: string
    ⇢ back to join:tx

cycle 1: join, later feed each other
`,
  );
});

test('as mermaid, it is a flowchart with dotted feedback', (t) => {
  t.is(
    mermaidGraph(fraud),
    `flowchart LR
  c1(["transactions<br/>spout, 1 task"])
  c2(["profiles<br/>spout, 1 task"])
  c3["join<br/>bolt, 2 tasks"]
  c0[("log<br/>sink, 1 task")]
  c4["later<br/>bolt, 3 tasks"]
  c1 -->|"fields(card, #34;the #92;#34;amount#92;#34;#34;), into tx"| c3
  c2 -->|"fields(card), into profile"| c3
  c3 -->|"stream errors, global"| c0
  c3 -->|"stream late, direct"| c4
  c4 -.->|"shuffle, into tx, feedback"| c3
`,
  );
});

test('as dot, it is a digraph with dashed feedback', (t) => {
  t.is(
    dotGraph(fraud),
    String.raw`digraph "fraud" {
  rankdir=LR;
  "transactions" [shape=ellipse, label="transactions\nspout, 1 task"];
  "profiles" [shape=ellipse, label="profiles\nspout, 1 task"];
  "join" [shape=box, label="join\nbolt, 2 tasks"];
  "log" [shape=cylinder, label="log\nsink, 1 task"];
  "later" [shape=box, label="later\nbolt, 3 tasks"];
  "transactions" -> "join" [label="fields(card, \"the \\\"amount\\\"\"), into tx"];
  "profiles" -> "join" [label="fields(card), into profile"];
  "join" -> "log" [label="stream errors, global"];
  "join" -> "later" [label="stream late, direct"];
  "later" -> "join" [label="shuffle, into tx, feedback", style=dashed, constraint=false];
}
`,
  );
});

test('as json, it has the documented shape, in declared order', (t) => {
  const graph = JSON.parse(jsonGraph(fraud));
  t.deepEqual(Object.keys(graph), ['topology', 'hash', 'config', 'components', 'edges', 'cycles']);
  t.is(graph.hash, '00c0ffee');
  t.deepEqual(graph.config, { maxSpoutPending: 8192, messageTimeoutMs: 30_000, lingerMs: 1 });
  t.deepEqual(graph.cycles, [['join', 'later']]);
  t.deepEqual(
    graph.components.map(({ name, role }: { name: string; role: string }) => [name, role]),
    [
      ['log', 'sink'],
      ['transactions', 'spout'],
      ['profiles', 'spout'],
      ['join', 'bolt'],
      ['later', 'bolt'],
    ],
  );
  t.deepEqual(graph.components[1], {
    name: 'transactions',
    role: 'spout',
    tasks: 1,
    firstTask: 2,
    streams: [
      {
        name: 'default',
        direct: false,
        fields: [
          { name: 'card', type: 'string' },
          { name: 'the "amount"', type: 'string' },
        ],
      },
    ],
  });
  t.deepEqual(graph.edges[0], {
    source: 'transactions',
    stream: 'default',
    target: 'join',
    input: 'tx',
    grouping: 'fields',
    keys: ['card', 'the "amount"'],
    feedback: false,
  });
  t.deepEqual(graph.edges[4], {
    source: 'later',
    stream: 'default',
    target: 'join',
    input: 'tx',
    grouping: 'shuffle',
    feedback: true,
  });
});

test('sources come before what takes from them, feedback aside', (t) => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const names = inFlowOrder(plan).map(({ name }) => name);
      t.deepEqual([...names].sort(), plan.components.map(({ name }) => name).sort());
      for (const { source, target, feedback } of plan.edges) {
        t.true(feedback || names.indexOf(source) < names.indexOf(target), `${source} → ${target}`);
      }
    }),
  );
});

test('every component, stream and edge of a plan is in its text, whose lines fit unless a single word does not', (t) => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const text = textGraph(plan);
      for (const line of text.split('\n')) {
        t.true(line.length <= TEXT_COLUMNS || !line.trim().slice(2).includes(' '), line);
      }
      const blocks = text.split('\n\n').slice(1).map(unwrapped);
      for (const component of plan.components) {
        const block = blocks.find((each) => each.split(' ')[1] === component.name) ?? '';
        t.true(
          block.includes(
            component.definition.kind === 'spout' ? 'spout' : component.outputs.length > 0 ? 'bolt' : 'sink',
          ),
        );
        for (const { name } of component.definition.streams) t.true(block.includes(` ${name} `), `stream ${name}`);
        for (const edge of component.inputs) {
          const arrow = edge.feedback ? '⇠' : '←';
          const line = unwrapped(`${arrow} ${sourceText(edge)} ${groupingText(edge.grouping)}`);
          t.true(block.includes(line), `${line}\n${block}`);
        }
      }
    }),
  );
});

/** What `textGraph` breaks between words, in one line. */
function unwrapped(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

const MERMAID_NODE = /^ {2}(c\d+)(?:\(\[|\[\(|\[)"([^"]*)"(?:\]\)|\)\]|\])$/;
const MERMAID_EDGE = /^ {2}(c\d+) (-->|-\.->)\|"([^"]*)"\| (c\d+)$/;

test('every component and edge of a plan is in its mermaid, and no text leaves its quotes', (t) => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const [head, ...lines] = mermaidGraph(plan).trimEnd().split('\n');
      t.is(head, 'flowchart LR');
      const nodes = new Map<string, string>();
      const edges: string[] = [];
      for (const line of lines) {
        const node = MERMAID_NODE.exec(line);
        const edge = MERMAID_EDGE.exec(line);
        if (node) nodes.set(node[1], node[2].split('<br/>')[0]);
        else if (edge)
          edges.push(shownEdge(nodes.get(edge[1]), nodes.get(edge[4]), edge[2] === '-.->', decoded(edge[3])));
        else t.fail(line);
        // What Markdown or HTML in a label could be made of; the one that is meant is ours.
        t.notRegex(line.replace('<br/>', '').replaceAll('-->', '').replaceAll('-.->', ''), /[<>&`*\\]/);
      }
      t.deepEqual([...nodes.values()].sort(), plan.components.map(({ name }) => name).sort());
      t.deepEqual(edges, plan.edges.map(expectedEdge));
    }),
  );
});

function decoded(label: string): string {
  return label.replaceAll(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}

const DOT_STRING = /"((?:[^"\\]|\\.)*)"/;
const DOT_NODE = new RegExp(`^ {2}${DOT_STRING.source} \\[shape=\\w+, label=${DOT_STRING.source}\\];$`);
const DOT_EDGE = new RegExp(
  `^ {2}${DOT_STRING.source} -> ${DOT_STRING.source} \\[label=${DOT_STRING.source}(, style=dashed, constraint=false)?\\];$`,
);

test('every component and edge of a plan is in its dot, and no text leaves its quotes', (t) => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const lines = dotGraph(plan).trimEnd().split('\n');
      t.deepEqual([lines[0], lines[1], lines.at(-1)], ['digraph "any" {', '  rankdir=LR;', '}']);
      const nodes: string[] = [];
      const edges: string[] = [];
      for (const line of lines.slice(2, -1)) {
        const node = DOT_NODE.exec(line);
        const edge = DOT_EDGE.exec(line);
        if (edge) edges.push(shownEdge(edge[1], edge[2], edge[4] !== undefined, undotted(edge[3])));
        else if (node) nodes.push(node[1]);
        else t.fail(line);
      }
      t.deepEqual(nodes.sort(), plan.components.map(({ name }) => name).sort());
      t.deepEqual(edges, plan.edges.map(expectedEdge));
    }),
  );
});

function undotted(label: string): string {
  return label.replaceAll('&amp;', '&').replaceAll(/\\(.)/g, '$1');
}

function expectedEdge(edge: EdgePlan): string {
  const stream = edge.stream.name === 'default' ? '' : `stream ${edge.stream.name}, `;
  const input = edge.input === 'default' ? '' : `, into ${edge.input}`;
  const label = `${stream}${groupingText(edge.grouping)}${input}${edge.feedback ? ', feedback' : ''}`;
  return shownEdge(edge.source, edge.target, edge.feedback, label);
}

function shownEdge(source: string | undefined, target: string | undefined, dashed: boolean, label: string): string {
  return `${source} ${dashed ? '⇢' : '→'} ${target} ${label}`;
}

test('every component and edge of a plan is in its json', (t) => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const graph = JSON.parse(jsonGraph(plan));
      t.deepEqual(
        graph.components.map(({ name }: { name: string }) => name),
        plan.components.map(({ name }) => name),
      );
      t.deepEqual(
        graph.edges.map((e: Record<string, unknown>) => [e.source, e.stream, e.target, e.grouping, e.keys, e.feedback]),
        plan.edges.map((e) => [
          e.source,
          e.stream.name,
          e.target,
          e.grouping.kind,
          'keys' in e.grouping ? e.grouping.keys : undefined,
          e.feedback,
        ]),
      );
    }),
  );
});

test('a field name with control characters steers no terminal and breaks no line', (t) => {
  const plan = planFrom('odd', [{ name: 'a', streams: [stream('default', ['\x1b[2J', '\u2028\x9b', 'x\ny'])] }], []);
  t.deepEqual(textGraph(plan).split('\n').slice(0, 3), [
    'odd: 1 spout, 0 bolts, 1 task, 0 edges',
    '',
    '▶ a  spout, task 1',
  ]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  t.notRegex(textGraph(plan), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/);
  t.true(textGraph(plan).includes(String.raw`"\u001b[2J": string, "\u2028\x9b": string, "x\ny": string`));
});

async function squall(...args: string[]): Promise<{ readonly code: number; readonly io: FakeIo }> {
  const io = new FakeIo();
  const code = await main(args, io, {
    run: () => Promise.reject(new Error('nothing runs here')),
    openDeadLetters: () => Promise.reject(new Error('nothing is read here')),
    loadPlan: async () => async (file, settings) => {
      io.print?.(`loaded ${file} ${JSON.stringify(settings)}`);
      return wordCount;
    },
  } as Parameters<typeof main>[2]);
  return { code, io };
}

test('graph prints text unless another format is asked for; what the file prints goes to stderr', async (t) => {
  const text = await squall('graph', 'x.ts', '--set', 'a=b');
  t.is(text.code, 0);
  t.is(text.io.stdout.text, textGraph(wordCount));
  t.is(text.io.stderr.text, 'loaded x.ts {"a":"b"}\n');
  const renderers = { mermaid: mermaidGraph, dot: dotGraph, json: jsonGraph };
  for (const [format, render] of Object.entries(renderers)) {
    t.is((await squall('graph', 'x.ts', '--format', format)).io.stdout.text, render(wordCount));
  }
});

test('a format that there is not is wrong usage, and told with those that there are', async (t) => {
  const { code, io } = await squall('graph', 'x.ts', '--format', 'svg');
  t.is(code, 2);
  t.regex(io.stderr.text, /text, mermaid, dot, json/);
  t.is(io.stdout.text, '');
});

test('a topology file is drawn with the values of its parameters, and nothing runs', async (t) => {
  const io = new FakeIo();
  const file = fileURLToPath(new URL('../../topologies/word-count.js', import.meta.url));
  t.is(await main(['graph', file], io), 0);
  t.regex(io.stdout.text, /^word-count: 1 spout, 3 bolts, .*\n\n▶ lines {2}spout, task 1\n/);
  t.true(io.stdout.text.includes('    ← split  fields(word)\n'));
  t.is(await main(['graph', file, '--set', 'nothing=1'], io), 2);
});
