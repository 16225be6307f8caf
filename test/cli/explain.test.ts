import test from 'ava';
import fc from 'fast-check';
import { settingOf } from '../../cli/explain/setting.js';
import { explanation } from '../../cli/explain/text.js';
import { main } from '../../cli/main.js';
import type { TopologyPlan } from '../../core/topology/definition.js';
import { FakeIo } from './fake-io.js';
import { anyPlan, fraud, planFrom, stream, wordCount } from './graph-plans.js';

/** With the indent before it, this may leave 80 columns. */
const LONG_WORD = 60;

interface Run {
  readonly workers?: 'task' | number;
  readonly ackers?: number;
}

function explain(plan: TopologyPlan, { workers = 'task', ackers = 1 }: Run = {}): string {
  return explanation(settingOf(plan, workers, ackers));
}

/** The paragraph that begins with `heading`, as one line. */
function paragraph(text: string, heading: string): string {
  const found = text.split('\n\n').find((each) => each.startsWith(heading));
  if (found === undefined) throw new Error(`no paragraph ${heading} in\n${text}`);
  return found.replaceAll(/\s+/g, ' ');
}

/** The verdict, and the limits with their remedies, each as one line. */
function weakest(text: string): { readonly verdict: string; readonly limits: readonly string[] } {
  const [verdict, ...limits] = text
    .slice(text.indexOf('Weakest link\n') + 'Weakest link\n'.length)
    .split('\n\n')
    .map((each) => each.replaceAll(/\s+/g, ' ').trim());
  return { verdict, limits };
}

const BARE = planFrom(
  'bare',
  [
    { name: 'lines', streams: [stream('default', ['line'])] },
    { name: 'sink', bolt: {} },
  ],
  [{ from: 'lines', to: 'sink' }],
);

test('an explanation has the run, each edge, each component and the weakest link', (t) => {
  t.is(
    explain(BARE),
    `bare: 1 spout, 1 bolt, 2 tasks, 1 edge
  run        --workers task --ackers 1: 3 processes
  ackers     1 task, on squall.bare.<run>.a.3.<epoch>
  to listen  nats sub 'squall.bare.>'

lines.default → sink.default
  grouping  shuffle: there is one task
  tasks     1 sender × 1 receiver: 1 channel
  tracked   if 'lines' emits it with an id, as spoutFrom and fileSpout always do
  subject   squall.bare.<run>.t.2.<epoch>
  order     as emitted, from one task to another; replays come when they come

lines (spout, task 1)
  processes  one of its own
  pending    8,192 tracked tuples, then next waits
  time-out   a tuple that nobody has held for 30 s has timed out
  replay     by Squall, which keeps each tuple until its tree is complete: up to
             10 attempts, the second at once, then with waits that double up to
             10 s, then a dead letter; a lost process or link uses none
  restart    goes on from its position where it stores positions, and begins
             again where not (known at run time only)

sink (sink, task 2)
  processes  one of its own
  ack        auto: acked when execute has returned or resolved, failed when it
             throws or rejects
  state      none that it declares: without prepare, or with keepsState: false
  time-out   an async execute that lasts longer than 5 min: its tuple fails; a
             blocked process is killed

Weakest link
  At least once for each tuple that 'lines' emits with an id: in the end it is
  complete, or a dead letter; 'sink' may execute what came of it more than once.

  1. 'lines': a tuple without an id is not tracked, and a spout that stores no
     positions begins again when its process dies.
     → emit with an id and a position; the result counts the others as
       untracked, and warns of the restart

  2. At least once is not exactly once: a replay runs the tree again from its
     spout, and every bolt on the way may repeat its effects. 'sink' is where it
     shows.
     → make effects idempotent: write with a key of the data, or with tuple.id
`,
  );
});

test('an edge says how its tuples go: grouping with keys, tasks, tracking, subjects, order', (t) => {
  const text = explain(fraud);
  const tx = paragraph(text, 'transactions.default → join.tx');
  t.true(
    tx.includes(String.raw`fields(card, "the \"amount\""): equal values of card + "the \"amount\"" meet in the same`),
  );
  t.true(tx.includes('1 sender × 2 receivers: 2 channels'));
  t.true(tx.includes("tracked if 'transactions' emits it with an id"));
  t.true(tx.includes('squall.fraud.<run>.t.{4,5}.<epoch>'));
  t.true(tx.includes('keep their order'));

  const errors = paragraph(text, 'join.errors → log.default');
  t.true(errors.includes("tracked as far as 'join' anchors it"));
  t.true(errors.includes('not with anchors: []'));
  t.true(paragraph(text, 'join.late → later.default').includes("order given up: 'later' overlaps 8 executes"));
  t.true(
    paragraph(explain(wordCount), 'split.default →').includes("tracked if the tuple that 'split' is executing is"),
  );
  const back = paragraph(text, 'later.default → join.tx');
  t.true(back.includes('feedback closes a cycle'));
  t.true(back.includes('tracked always: what is untracked may not go round a cycle'));
});

test('a global grouping has one receiver, whatever the number of tasks', (t) => {
  const plan = planFrom(
    'one',
    [
      { name: 'a', tasks: 3, streams: [stream('default', ['x'])] },
      { name: 'b', tasks: 5, bolt: {} },
    ],
    [{ from: 'a', to: 'b', grouping: { kind: 'global' } }],
  );
  const edge = paragraph(explain(plan), 'a.default → b.default');
  t.true(edge.includes('3 senders × 1 receiver: 3 channels'));
  t.true(edge.includes('squall.one.<run>.t.4.<epoch>'));
});

test('of many receivers, the subject tells the range', (t) => {
  const plan = planFrom(
    'many',
    [
      { name: 'a', streams: [stream('default', ['x'])] },
      { name: 'b', tasks: 9, bolt: {} },
    ],
    [{ from: 'a', to: 'b' }],
  );
  t.true(paragraph(explain(plan), 'a.default → b.default').includes('squall.many.<run>.t.{2…10}.<epoch>'));
});

test('packed workers say which channels touch no subject, and who dies together', (t) => {
  // dealt round: lines 0, split 1 2, count 0 1, sink 2, acker 0
  const text = explain(wordCount, { workers: 3 });
  t.true(paragraph(text, 'word-count:').includes('--workers 3 --ackers 1: 3 processes'));
  t.true(paragraph(text, 'lines.default →').includes('2 channels, each between two processes'));
  t.true(paragraph(text, 'split.default →').includes('4 channels, 1 of them within a process'));
  t.true(paragraph(text, 'count (').includes('2 of 3, shared with other components'));
  const one = explain(wordCount, { workers: 1 });
  t.true(paragraph(one, 'split.default →').includes('4 channels, each within a process: nothing of it'));
  t.true(paragraph(explain(wordCount), 'count (').includes('2, one for each task'));
});

test('a component says what dies with its process, how it is retried and what it gives up', (t) => {
  const text = explain(fraud);
  t.true(paragraph(text, 'profiles (').includes("by its source (replay: 'source')"));
  t.true(paragraph(text, 'join (').includes('state in memory, and dies with its process'));
  t.true(paragraph(text, 'join (').includes('not taken default: what is emitted there goes nowhere'));
  t.true(paragraph(text, 'log (').includes('state none that it declares'));
  t.true(paragraph(text, 'later (').includes('up to 8 of a task overlap'));
  t.regex(paragraph(text, 'later ('), /tick every 5\.0 s; what it emits starts trees in its task's own ledger/);
});

test('a retry without end has no dead letter for failures', (t) => {
  const plan = planFrom(
    'ever',
    [
      {
        name: 'a',
        streams: [stream('default', ['x'])],
        spout: { retry: { attempts: Number.POSITIVE_INFINITY, backoff: { firstMs: 100, maxMs: 2000 } } },
      },
    ],
    [],
  );
  const spout = paragraph(explain(plan), 'a (');
  t.true(spout.includes('any number of attempts, the second after 100 ms, then with waits that double up to 2.0 s;'));
  t.false(spout.includes('dead letter'));
});

test('without ackers nothing is tracked, and that is the weakest link whatever else there is', (t) => {
  const text = explain(fraud, { ackers: 0 });
  for (const { source, stream, target, input } of fraud.edges) {
    t.true(paragraph(text, `${source}.${stream.name} → ${target}.${input}`).includes('tracked no: with --ackers 0'));
  }
  const { verdict, limits } = weakest(text);
  t.true(verdict.startsWith('Best effort: with --ackers 0'));
  t.true(limits[0].includes('→ run with --ackers 1 or more'));
  t.false(text.includes('At least once'));
  t.false(text.includes('dead letter'));
});

test('the weakest link is the most severe of: state in memory, replay by the source, own anchors, ids and positions', (t) => {
  const verdict = (join: object, profiles: object) => {
    const plan = planFrom(
      'ranked',
      [
        { name: 'profiles', streams: [stream('default', ['card'])], spout: profiles },
        { name: 'join', streams: [stream('default', ['card'])], bolt: join },
        { name: 'sink', bolt: {} },
      ],
      [
        { from: 'profiles', to: 'join' },
        { from: 'join', to: 'sink' },
      ],
    );
    return weakest(explain(plan)).verdict;
  };
  const own = { replay: 'source' };
  t.true(
    verdict({ keepsState: true, ack: 'manual' }, own).startsWith("At least once up to the memory of 'join', and no"),
  );
  t.true(verdict({ ack: 'manual' }, own).startsWith("At least once as far as 'profiles' can emit again"));
  t.true(verdict({ ack: 'manual' }, {}).startsWith("At least once as far as 'join' anchors what it emits"));
  t.true(verdict({}, {}).startsWith("At least once for each tuple that 'profiles' emits with an id"));
});

test('every limit is told once, with what to do about it, in order of severity', (t) => {
  const { limits } = weakest(explain(fraud));
  const told = ['keeps state in memory', "replay: 'source'", 'own anchors', 'positions', 'tick', 'exactly once'];
  t.is(limits.length, told.length);
  for (const [at, words] of told.entries()) {
    t.true(limits[at].startsWith(`${at + 1}. `) && limits[at].includes(words), limits[at]);
    t.regex(limits[at], / → \w/);
  }
});

test('a sink with manual acks has no anchors to choose', (t) => {
  const plan = planFrom(
    'held',
    [
      { name: 'a', streams: [stream('default', ['x'])] },
      { name: 'b', bolt: { ack: 'manual' } },
    ],
    [{ from: 'a', to: 'b' }],
  );
  t.false(explain(plan).includes('own anchors'));
});

test('every edge and component of any plan is explained, in 80 columns unless a single word is longer', (t) => {
  fc.assert(
    fc.property(
      anyPlan,
      fc.constantFrom<'task' | number>('task', 1, 3),
      fc.constantFrom(0, 1, 2),
      (plan, workers, ackers) => {
        const text = explain(plan, { workers, ackers });
        for (const line of text.split('\n'))
          t.true(line.length <= 80 || line.split(' ').some((word) => word.length > LONG_WORD), line);
        const paragraphs = text.split('\n\n');
        for (const { source, stream, target, input } of plan.edges) {
          t.true(paragraphs.some((each) => each.startsWith(`${source}.${stream.name} → ${target}.${input}\n`)));
        }
        for (const { name } of plan.components) {
          t.is(paragraphs.filter((each) => each.startsWith(`${name} (`)).length, 1);
        }
        t.notRegex(text, /undefined/);
      },
    ),
  );
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

test('explain takes what run takes of --set, --workers and --ackers', async (t) => {
  const plain = await squall('explain', 'x.ts');
  t.is(plain.code, 0);
  t.is(plain.io.stdout.text, explain(wordCount));
  const set = await squall('explain', 'x.ts', '--set', 'a=b', '--workers', '2', '--ackers', '0');
  t.is(set.io.stdout.text, explain(wordCount, { workers: 2, ackers: 0 }));
  t.is(set.io.stderr.text, 'loaded x.ts {"a":"b"}\n');
  const wrong = await squall('explain', 'x.ts', '--ackers', '65');
  t.is(wrong.code, 2);
  t.regex(wrong.io.stderr.text, /from 0 to 64/);
});

test('localOrShuffle has channels within the process where there are any, and to all tasks where not', (t) => {
  const plan = planFrom(
    'near',
    [
      { name: 'a', tasks: 2, streams: [stream('default', ['x'])] },
      { name: 'b', tasks: 2, bolt: {} },
    ],
    [{ from: 'a', to: 'b', grouping: { kind: 'localOrShuffle' } }],
  );
  const edge = (workers: 'task' | number) => paragraph(explain(plan, { workers }), 'a.default → b.default');
  t.true(edge('task').includes('2 senders × 2 receivers: 4 channels '));
  t.true(edge(2).includes('2 channels, each within a process'));
  // a 0 1, b 2 0, the acker 1
  t.true(edge(3).includes('3 channels, 1 of them within a process'));
});
