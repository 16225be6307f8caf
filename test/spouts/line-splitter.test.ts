import test from 'ava';
import fc from 'fast-check';
import { LineSplitter } from '../../spouts/line-splitter.js';
import { fileContents, referenceLines } from './reference.js';

const LIMIT_BYTES = 9;

/** What the splitter makes of the chunks, each in the same memory as the one before the last. */
function split(chunks: readonly Uint8Array[], place = { offset: 0, number: 0 }, limitBytes = LIMIT_BYTES) {
  const splitter = new LineSplitter({ limitBytes, ...place });
  const lines: ReturnType<typeof referenceLines> = [];
  const takeAll = () => {
    while (splitter.take()) {
      const { text, fault, offset, number } = splitter;
      lines.push({ text, fault: fault?.kind, bytes: fault?.bytes ?? Buffer.byteLength(text ?? ''), offset, number });
    }
  };
  for (const chunk of chunks) {
    const memory = Buffer.from(chunk);
    splitter.feed(memory);
    takeAll();
    memory.fill(0x2a);
  }
  splitter.finish();
  takeAll();
  return lines;
}

function cut(content: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < content.length; i += 1) {
    const size = sizes.length === 0 ? content.length : sizes[i % sizes.length];
    chunks.push(content.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const chunkSizes = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 });

test('any bytes in chunks of any sizes are cut into the same lines as by a slow reference', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fileContents, chunkSizes, (content, sizes) => {
        t.deepEqual(split(cut(content, sizes)), referenceLines(content, LIMIT_BYTES));
      }),
      { numRuns: 3000 },
    ),
  );
});

test('a splitter that begins behind any line goes on exactly there', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fileContents, chunkSizes, (content, sizes) => {
        const lines = referenceLines(content, LIMIT_BYTES);
        for (const [index, { offset, number }] of lines.entries()) {
          t.deepEqual(split(cut(content.subarray(offset), sizes), { offset, number }), lines.slice(index + 1));
        }
      }),
      { numRuns: 500 },
    ),
  );
});

const texts = (content: string | Buffer, sizes: number[] = []) =>
  split(cut(Buffer.from(content), sizes)).map((line) => line.text);

test('LF and CR LF end a line, a CR alone is text', (t) => {
  for (const sizes of [[], [1], [2]]) {
    t.deepEqual(texts('a\nb\r\nc\rd\r\r\ne\r', sizes), ['a', 'b', 'c\rd\r', 'e\r']);
  }
});

test('empty lines are lines, an empty file has none, a last line needs no ending', (t) => {
  t.deepEqual(texts('\n\r\n\nx'), ['', '', '', 'x']);
  t.deepEqual(texts('x\n'), ['x']);
  t.deepEqual(texts(''), []);
});

test('a byte order mark is dropped at the start of the file only', (t) => {
  for (const sizes of [[], [1]]) {
    t.deepEqual(texts('\ufeffa\n\ufeffb', sizes), ['a', '\ufeffb']);
    t.deepEqual(texts('\ufeff\na', sizes), ['', 'a']);
    t.deepEqual(texts('\ufeff', sizes), []);
  }
});

test('a line of the limit is text, one byte more is a fault that tells its length and head', (t) => {
  const most = 'x'.repeat(LIMIT_BYTES);
  for (const sizes of [[], [1], [4]]) {
    for (const ending of ['\n', '\r\n', '']) {
      t.deepEqual(texts(most + ending, sizes), [most]);
      t.deepEqual(texts(`\ufeff${most}${ending}`, sizes), [most]);
      const [fault] = split(cut(Buffer.from(`${most}y${ending}`), sizes));
      t.like(fault, {
        text: undefined,
        fault: 'too-long',
        bytes: LIMIT_BYTES + 1,
        offset: LIMIT_BYTES + 1 + ending.length,
      });
    }
  }
  const splitter = new LineSplitter({ limitBytes: 1000 });
  splitter.feed(Buffer.from(`${'long'.repeat(1000)}\nnext\n`));
  t.true(splitter.take());
  t.is(splitter.fault?.head, 'long'.repeat(64));
  t.true(splitter.take());
  t.is(splitter.text, 'next');
});

test('bad bytes spoil their own line only, and are shown as U+FFFD in its head', (t) => {
  const splitter = new LineSplitter({ limitBytes: 100 });
  splitter.feed(Buffer.concat([Buffer.from('é\nab'), Buffer.from([0xff]), Buffer.from('c\n€\n')]));
  t.true(splitter.take());
  t.is(splitter.text, 'é');
  t.true(splitter.take());
  t.deepEqual(splitter.fault, { kind: 'not-utf8', bytes: 4, head: 'ab\ufffdc' });
  t.true(splitter.take());
  t.is(splitter.text, '€');
  t.is(splitter.fault, undefined);
  t.false(splitter.take());
});
