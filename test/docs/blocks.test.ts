import test from 'ava';
import { ackerSteps } from './acker-steps.js';
import { blocksOf } from './blocks.js';
import { missingLine, shapeDifference } from './transcript.js';

const only = (markdown: string) => blocksOf(markdown, 'a.md');

test('a block has its language, its markers and its first line', (t) => {
  const markdown = 'Text\n\n```sh run prints="2 words"\necho 2 words\n```\n\n~~~json\n{}\n~~~\n';
  t.deepEqual(only(markdown), [
    { language: 'sh', markers: { run: '', prints: '2 words' }, text: 'echo 2 words\n', line: 3 },
    { language: 'json', markers: {}, text: '{}\n', line: 7 },
  ]);
});

test('a fence within a longer fence is text', (t) => {
  t.is(only('````text\n```ts\n````\n')[0].text, '```ts\n');
});

for (const [mistake, info] of [
  ['an unknown language', 'ruby'],
  ['no language', ''],
  ['an unknown marker', 'ts rum'],
  ['a marker of another language', 'json run'],
  ['a marker without its value', 'ts file'],
  ['a value where none belongs', 'sh run=yes'],
  ['something that is no marker', 'ts {1,2}'],
]) {
  test(`${mistake} is refused, with its line`, (t) => {
    t.throws(() => only(`\n\`\`\`${info}\n\`\`\`\n`), { message: /^a\.md:2: / });
  });
}

test('a block without an end is refused', (t) => {
  t.throws(() => only('```ts\nexport {};\n'), { message: /no end/ });
});

test('a transcript is compared but for figures, times and run ids', (t) => {
  const shown = 'run 01a1fcf9-c178-750c-841d-74e4e97d6a6c has begun\n\nsplit  34,709  12\ndone in 1.4 s\n';
  const printed = 'x\nrun 11111111-2222-3333-4444-555555555555 has begun\nsplit    1      2\ndone in 2 min 3 s\nmore';
  t.is(missingLine(shown, printed), undefined);
});

test('a line of a transcript that is not printed is found', (t) => {
  t.is(missingLine('a\nb\n', 'a\nc\n'), 'b');
});

test('between lines of a transcript nothing else is printed, except where it says so', (t) => {
  t.is(missingLine('a\nc\n', 'a\nb\nc\n'), 'c');
  t.is(missingLine('a\n…\nc\n', 'a\nb\nc\n'), undefined);
  t.is(missingLine('c\n…\na\n', 'a\nb\nc\n'), 'a');
});

test('how often a run tells its progress makes no difference', (t) => {
  t.is(missingLine('a\nb\n', 'a\nword-count  running  12 acked\nb\n'), undefined);
});

test('JSON values of one shape may have other values', (t) => {
  t.is(shapeDifference({ a: 1, b: { c: ['x'] }, d: {} }, { a: 2, b: { c: [] }, d: { any: 1 } }), undefined);
});

test('JSON values of another shape are told with their path', (t) => {
  t.regex(shapeDifference({ a: { b: 1 } }, { a: { b: '1' } }) ?? '', /^\$\.a\.b is shown as number, and is string/);
  t.regex(shapeDifference({ a: 1 }, {}) ?? '', /^\$\.a is shown, and is not there/);
  t.regex(shapeDifference({ a: 1 }, { a: 1, b: 2 }) ?? '', /^\$\.b is not shown/);
  t.regex(shapeDifference([{ a: 1 }], [{ a: null }]) ?? '', /^\$\[0\]\.a is shown as number, and is null/);
});

test('the steps of an acker are read', (t) => {
  t.deepEqual(ackerSteps('ACK   split  sentence, and more  00ff 1234  = 12cb\nDONE  lines\n'), [
    { said: 'ACK', by: 'split', edges: [0xff, 0x1234], value: 0x12cb },
    { said: 'DONE', by: 'lines', edges: [], value: 0 },
  ]);
  t.throws(() => ackerSteps('ACK split 12 = 3'));
});
