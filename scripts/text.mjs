// npm run text -- LINES FILE [SEED]
//
// Writes LINES lines of English-looking text into FILE: words by Zipf's law (the r-th commonest is 1/r times as common
// as the first), 4 to 14 a line, with capitals, commas and full stops. The same SEED gives the same bytes everywhere:
// integers only, as the last digits of Math.pow and its like differ from engine to engine.
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const DEFAULT_SEED = 1;
const VOCABULARY = 20_000;
/** Fine enough that the last word of the vocabulary has slots too. */
const SLOTS = 1 << 20;
const CHUNK_CHARS = 256 * 1024;

const COMMON =
  'the of and to a in is that it was for on are as with his they at be this have from or had by not but what all were we ' +
  'when your can said there use an each which she do how their if will up other about out many then them these so some ' +
  'her would make like him into time has look two more go see no way could people my than first been call who its now ' +
  "find long down day did get come made may part don't it's café naïve";
const ONSETS = 'b br c ch cl cr d dr f fl fr g gr h j k l m n p pl pr qu r s sc sh sl sp st str t th tr v w wh'.split(
  ' ',
);
const VOWELS = 'a a ai e e ea ee i i ie o o oa oo ou u'.split(' ');
const CODAS = ['', '', '', ...'b ck d g l ll m n n nd ng nt p r r rd s ss st t t th x'.split(' ')];
const ENDINGS = ['', '', '', '', ...'ed er es ing ly ment ness tion able'.split(' ')];

/** mulberry32: whole numbers from 0 to 2³² − 1. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function vocabulary(next) {
  const words = new Set(COMMON.split(' '));
  const pick = (list) => list[next() % list.length];
  while (words.size < VOCABULARY) {
    // the rarer, the longer: 1 to 3 syllables
    const syllables = 1 + (next() % (words.size < 1000 ? 2 : 3));
    let word = '';
    for (let i = 0; i < syllables; i++) word += pick(ONSETS) + pick(VOWELS) + (i + 1 < syllables ? '' : pick(CODAS));
    words.add(word + (syllables > 1 ? pick(ENDINGS) : ''));
  }
  return [...words];
}

/** Slots by rank: a uniform slot names a word that is as common as Zipf's law says. */
function zipfSlots(words) {
  let harmonic = 0;
  for (let rank = 1; rank <= words; rank++) harmonic += Math.floor(2 ** 32 / rank);
  const slots = new Uint16Array(SLOTS);
  let sum = 0;
  let from = 0;
  for (let rank = 1; rank <= words; rank++) {
    sum += Math.floor(2 ** 32 / rank);
    const to = Math.floor((sum / harmonic) * SLOTS);
    slots.fill(rank - 1, from, to);
    from = to;
  }
  return slots;
}

function* text(lines, seed) {
  const next = random(seed);
  const words = vocabulary(next);
  const capitals = words.map((word) => word[0].toUpperCase() + word.slice(1));
  const slots = zipfSlots(words.length);
  let chunk = '';
  let capital = true;
  for (let line = 0; line < lines; line++) {
    const dice = next();
    const count = 4 + (dice % 11);
    const comma = (dice >>> 8) % 32;
    const stop = (dice >>> 16) & 1;
    for (let i = 0; i < count; i++) {
      const word = slots[next() & (SLOTS - 1)];
      chunk += capital ? capitals[word] : words[word];
      capital = false;
      if (i === count - 1) chunk += stop === 1 ? '.\n' : '\n';
      else chunk += i === comma ? ', ' : ' ';
    }
    capital = stop === 1;
    if (chunk.length >= CHUNK_CHARS) {
      yield Buffer.from(chunk);
      chunk = '';
    }
  }
  if (chunk !== '') yield Buffer.from(chunk);
}

function wholeNumber(argument, most) {
  const value = /^\d+$/.test(argument ?? '') ? Number(argument) : Number.NaN;
  return value <= most ? value : undefined;
}

const [linesArgument, file, seedArgument = String(DEFAULT_SEED), ...rest] = process.argv.slice(2);
const lines = wholeNumber(linesArgument, Number.MAX_SAFE_INTEGER);
const seed = wholeNumber(seedArgument, 2 ** 32 - 1);
if (lines === undefined || !file || seed === undefined || rest.length > 0) {
  const found = process.argv.slice(2).join(' ') || 'nothing';
  console.error(`usage: npm run text -- LINES FILE [SEED]   (two whole numbers, SEED below 2^32); found: ${found}`);
  process.exitCode = 2;
} else {
  try {
    await pipeline(Readable.from(text(lines, seed), { highWaterMark: 2 }), createWriteStream(file));
  } catch (error) {
    console.error(`cannot write ${file}: ${error.message}`);
    process.exitCode = 1;
  }
}
