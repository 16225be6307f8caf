import test from 'ava';
import { pack } from 'msgpackr';
import type { LetterStore } from '../../cli/dead-store.js';
import type { Engine } from '../../cli/engine.js';
import { main } from '../../cli/main.js';
import type { DeadLetter } from '../../core/inspect/dead-letter.js';
import { readStored, type StoredLetter, type UnreadableLetter } from '../../core/inspect/stored-letter.js';
import { FakeIo } from './fake-io.js';

const AT = new Date(2026, 0, 31, 12, 0, 3, 500).getTime();

function letter(seq: number, fields: Partial<DeadLetter> = {}): StoredLetter {
  const error = {
    name: 'RangeError',
    message: 'cannot split',
    stack: 'RangeError: cannot split\n    at execute (topology.ts:3:9)',
  };
  return {
    seq,
    letter: {
      topology: 'word-count',
      run: '0193',
      component: 'lines',
      task: 1,
      epoch: 2,
      stream: 'default',
      id: `file.md:${seq}`,
      tuple: 'ab'.repeat(16),
      at: AT,
      reason: 'failed',
      values: { line: 'the cow', n: 12n },
      attempts: [
        { attempt: 1, startedAt: AT - 3_500, endedAt: AT - 3_497, failure: { reason: 'timeout', attempts: 1 } },
        {
          attempt: 2,
          startedAt: AT - 2,
          endedAt: AT,
          failure: { reason: 'failed', attempts: 2, component: 'split', task: 3, error },
        },
      ],
      ...fields,
    },
  };
}

interface Dead {
  readonly io: FakeIo;
  readonly code: number;
  readonly opened: unknown[];
  readonly closes: number;
  readonly left: number;
}

async function squall(
  args: string,
  letters: (StoredLetter | UnreadableLetter)[],
  prepare: (io: FakeIo) => void = () => {},
): Promise<Dead> {
  const io = new FakeIo();
  prepare(io);
  const opened: unknown[] = [];
  let closes = 0;
  let stored = letters;
  const store: LetterStore = {
    count: async () => stored.length,
    get: async (seq) => stored.find((one) => one.seq === seq),
    async *list({ limit } = {}) {
      yield* stored.slice(0, limit);
    },
    async purge() {
      const removed = stored.length;
      stored = [];
      return removed;
    },
  };
  const engine = {
    openDeadLetters: async () => async (access: unknown) => {
      opened.push(access);
      return { store, close: async () => void (closes += 1) };
    },
  } as unknown as Engine;
  const code = await main(args.split(' '), io, engine);
  return { io, code, opened, closes, left: stored.length };
}

test('list has a line for each letter, and opens and closes the store it is told', async (t) => {
  const { io, code, opened, closes } = await squall('dead word-count list --state dir', [letter(1), letter(12)]);
  t.is(code, 0);
  t.deepEqual(io.stdout.lines, [
    ' n  when                 from      id          attempts  reason  error',
    ' 1  2026-01-31 12:00:03  lines[1]  file.md:1          2  failed  RangeError: cannot split',
    '12  2026-01-31 12:00:03  lines[1]  file.md:12         2  failed  RangeError: cannot split',
  ]);
  t.regex(io.stderr.text, /2 dead letters; everything about one: squall dead word-count show N/);
  t.deepEqual(opened, [{ topology: 'word-count', state: 'dir', nats: undefined }]);
  t.is(closes, 1);
});

test('list says when there are more than it shows', async (t) => {
  const { io } = await squall('dead word-count list --limit 1', [letter(1), letter(2), letter(3)]);
  t.is(io.stdout.lines.length, 2);
  t.regex(io.stderr.text, /3 in all: --limit N shows more/);
});

test('list --json is a whole letter in each line', async (t) => {
  const bytes = new Uint8Array([1, 2, 255]);
  const { io } = await squall('dead word-count list --json', [
    letter(1),
    letter(2, { values: { bytes, buffer: Buffer.from(bytes) } }),
  ]);
  const [first, second] = io.stdout.lines.map((line) => JSON.parse(line));
  t.like(first, { number: 1, id: 'file.md:1', values: { line: 'the cow', n: '12' }, attempts: { length: 2 } });
  t.deepEqual(second.values, { bytes: 'AQL/', buffer: 'AQL/' });
  t.is(io.stderr.text, '');
});

test('show tells values and every attempt, with its error and stack', async (t) => {
  const { io, code } = await squall('dead word-count show 7', [letter(6), letter(7)]);
  t.is(code, 0);
  const lines = io.stdout.lines.map((line) => line.replace(/ [+-]\d\d:\d\d,/, ' ZONE,'));
  t.deepEqual(lines, [
    'dead letter 7 of word-count',
    'id       file.md:7',
    `tuple    ${'ab'.repeat(16)}`,
    'from     lines[1], stream default, epoch 2',
    'died     2026-01-31 12:00:03 ZONE, after 2 attempts in 3.5 s',
    'reason   failed',
    'run      0193',
    'values',
    "  line  'the cow'",
    '  n     12n',
    '',
    'attempt 1  12:00:00.000 to 12:00:00.003 (3.0 ms): timeout',
    '',
    'attempt 2  12:00:03.498 to 12:00:03.500 (2.0 ms): failed in split[3]',
    '  RangeError: cannot split',
    '      at execute (topology.ts:3:9)',
  ]);
});

test('what a letter holds cannot steer the terminal', async (t) => {
  const evil = letter(1, { id: '\x1b[2J', values: { '\x1b]0;x\x07': '\x1b[2J' } });
  for (const action of ['list', 'show 1']) {
    const { io } = await squall(`dead word-count ${action}`, [evil]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it must not be there
    t.notRegex(io.stdout.text, /[\x00-\x09\x0b-\x1f]/);
  }
});

/** What anybody has published to the subject: no letter, but for the last. */
const FOREIGN: readonly Uint8Array[] = [
  Buffer.from('no letter at all'),
  new Uint8Array(0),
  // an array of more elements than follow
  Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
  pack(letter(4).letter).subarray(0, 50),
  pack(['a', 'list']),
  pack({ ...letter(6).letter, at: 1e300 }),
  pack({ ...letter(7).letter, attempts: [{ attempt: 1, startedAt: AT, endedAt: AT }] }),
  pack({ ...letter(8).letter, attempts: { length: 1e9 } }),
  pack({ ...letter(9).letter, number: 1, reason: '\x1b[2J', component: '\x1b[2J', topology: '\x1b[2J' }),
];
const stored = FOREIGN.map((bytes, at) => readStored({ seq: at + 1, subject: 's', bytes, timeMs: AT }));

test('what is no letter is listed with its number as unreadable, and counted', async (t) => {
  const { io, code } = await squall('dead word-count list', [...stored, letter(10)]);
  t.is(code, 0);
  const rows = io.stdout.lines.slice(1).map((line) => line.trim().split(/ {2,}/));
  t.deepEqual(
    rows.map(([n]) => Number(n)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  t.deepEqual(
    rows.filter((row) => row.includes('unreadable')).map(([n]) => Number(n)),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  t.regex(rows[5].join(' '), /2026-01-31 12:00:03 - - - unreadable its at is no time/);
  t.regex(io.stderr.text, /^10 dead letters;.*\n8 of them cannot be read: .* put there by somebody/m);
});

test('what is no letter is shown as JSON and in full with its bytes, and steers no terminal', async (t) => {
  const json = await squall('dead word-count list --json', stored);
  t.is(json.code, 0);
  const [first, ...others] = json.io.stdout.lines.map((line) => JSON.parse(line));
  t.like(first, { number: 1, storedAt: AT, bytes: Buffer.from('no letter at all').toString('base64') });
  t.is(typeof first.unreadable, 'string');
  t.deepEqual([others.at(-1).number, others.at(-1).unreadable], [9, undefined]);
  const shown = await squall('dead word-count show 1', stored);
  t.is(shown.code, 0);
  t.regex(shown.io.stdout.text, /^dead letter 1\nIt cannot be read: [\s\S]*16 bytes 6e6f206c/);
  for (const number of [1, 2, 9]) {
    const { io } = await squall(`dead word-count show ${number}`, stored);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it must not be there
    t.notRegex(io.stdout.text, /[\x00-\x09\x0b-\x1f]/);
  }
  t.is((await squall('dead word-count show file.md:10', [...stored, letter(10)])).code, 0);
});

test('show finds letters by message id and tuple id; a number is a number unless --id says otherwise', async (t) => {
  const letters = [letter(1, { id: '2' }), letter(2, { id: 'x', tuple: 'cd'.repeat(16) }), letter(3, { id: '2' })];
  const numbers = async (args: string) => {
    const { io } = await squall(`dead word-count show ${args} --json`, letters);
    return io.stdout.lines.map((line) => JSON.parse(line).number);
  };
  t.deepEqual(await numbers('2'), [2]);
  t.deepEqual(await numbers('2 --id'), [1, 3]);
  t.deepEqual(await numbers('x'), [2]);
  t.deepEqual(await numbers('CD'.repeat(16)), [2]);
});

test('show of a letter that is not there says where to look, and is exit 1', async (t) => {
  const { io, code, closes } = await squall('dead word-count show 9', [letter(1)]);
  t.is(code, 1);
  t.regex(
    io.stderr.text,
    /no dead letter of 'word-count'.*'9'.*squall dead word-count list.*\[ERR_SQUALL_NO_SUCH_LETTER\]/,
  );
  t.is(closes, 1);
});

for (const action of ['list', 'list --json', 'purge']) {
  test(`where there are none, ${action} says so and is exit 0`, async (t) => {
    const { io, code } = await squall(`dead word-count ${action}`, []);
    t.is(code, 0);
    t.is(io.stderr.text, 'word-count has no dead letters\n');
    t.is(io.stdout.text, '');
  });
}

test('purge asks at a terminal, and removes after a yes only', async (t) => {
  const answering = (answer: string | undefined) => (io: FakeIo) => Object.assign(io, { interactive: true, answer });
  for (const answer of ['', 'n', 'yellow', undefined]) {
    const { io, code, left } = await squall('dead word-count purge', [letter(1), letter(2)], answering(answer));
    t.deepEqual(io.questions, ['Remove 2 dead letters of word-count for good? [y/N] ']);
    t.is(left, 2);
    t.is(code, 1);
  }
  const { io, code, left } = await squall('dead word-count purge', [letter(1), letter(2)], answering('Y'));
  t.is(left, 0);
  t.is(code, 0);
  t.is(io.stderr.text, '2 dead letters of word-count removed\n');
});

test('purge without a terminal wants --yes', async (t) => {
  const refused = await squall('dead word-count purge', [letter(1)]);
  t.is(refused.code, 2);
  t.is(refused.left, 1);
  t.regex(refused.io.stderr.text, /1 dead letter of 'word-count' would be removed.*--yes.*\[ERR_SQUALL_USAGE\]/);
  const { io, code, left } = await squall('dead word-count purge --yes', [letter(1)]);
  t.is(code, 0);
  t.is(left, 0);
  t.is(io.stderr.text, '1 dead letter of word-count removed\n');
});

for (const [args, said] of [
  ['dead', /missing required argument 'topology'/],
  ['dead word-count', /Usage: squall dead word-count list\|show\|purge/],
  ['dead word-count lst', /unknown command 'lst'\n\(Did you mean list\?\)/],
  ['dead word-count list --limit 0', /Expected a whole number from 1\./],
  ['dead word-count list --yes', /unknown option '--yes'/],
  ['dead word-count show', /missing required argument 'letter'/],
  ['dead _word list', /does not begin with _/],
  ['dead topologies/word-count.ts list', /give the name that its file gives to topology\(…\), not the file/],
] as const) {
  test(`wrong usage is exit 2 and opens nothing: squall ${args}`, async (t) => {
    const { io, code, opened } = await squall(args, [letter(1)]);
    t.is(code, 2);
    t.regex(io.stderr.text, said);
    t.deepEqual(opened, []);
  });
}

test('a signal closes the store before the command ends', async (t) => {
  const { code, closes } = await squall('dead word-count purge', [letter(1)], (io) => {
    io.interactive = true;
    io.ask = () => {
      io.signal('SIGINT');
      return new Promise(() => {});
    };
  });
  t.is(code, 130);
  t.is(closes, 1);
});

test('help of an action tells its options', async (t) => {
  const { io, code } = await squall('dead word-count purge --help', []);
  t.is(code, 0);
  t.regex(io.stdout.text, /Usage: squall dead word-count purge[\s\S]*--yes[\s\S]*--state[\s\S]*NATS_URL/);
});
