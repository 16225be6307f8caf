import test from 'ava';
import { Acker } from '../../core/reliability/acker.js';
import { rootHi, rootLo } from '../../core/tuple/root-ids.js';

/**
 * The tree of «the cow jumped over the moon»: the spout emits the line, split emits its six words, count emits nothing.
 * Edge ids are fixed, so every value of the acker can be written down.
 */
const LINE = 0x1111111111111111n;
const WORDS: readonly (readonly [word: string, edge: bigint])[] = [
  ['the', 0x0123456789abcdefn],
  ['cow', 0xfedcba9876543210n],
  ['jumped', 0xdeadbeefcafebaben],
  ['over', 0x00000000ffffffffn],
  ['the', 0x8000000000000001n],
  ['moon', 0x5555aaaa5555aaaan],
];

interface Message {
  readonly text: string;
  readonly kind: 'init' | 'ack';
  readonly xor: bigint;
}

const INIT: Message = { text: 'INIT line', kind: 'init', xor: LINE };
const SPLIT: Message = { text: 'ACK split(line)', kind: 'ack', xor: WORDS.reduce((xor, [, edge]) => xor ^ edge, LINE) };
const COUNTS: readonly Message[] = WORDS.map(([word, edge]) => ({
  text: `ACK count(${word})`,
  kind: 'ack',
  xor: edge,
}));
const ALL = [INIT, SPLIT, ...COUNTS];

const ROOT = { hi: rootHi(1, 1, 1), lo: rootLo(0, 1) };

/** An acker that was told `messages`, and how often it has said DONE. */
function told(messages: readonly Message[]): { tell(message: Message): void; done: number } {
  const acker = new Acker(1, {
    done: (hi, lo) => {
      if (hi === ROOT.hi && lo === ROOT.lo) state.done += 1;
    },
  });
  const state = {
    done: 0,
    tell: ({ kind, xor }: Message) => acker[kind](ROOT.hi, ROOT.lo, Number(xor >> 32n), Number(xor & 0xffffffffn)),
  };
  for (const message of messages) state.tell(message);
  return state;
}

/**
 * The value that an acker has after `messages`, read from outside: the one `expected` that, XORed to it with INIT seen,
 * makes it say DONE; 64 single bits and every other value do not.
 */
function valueIs(messages: readonly Message[], expected: bigint): boolean {
  const completing = (xor: bigint): boolean => {
    const acker = told(messages);
    const kind = messages.includes(INIT) ? 'ack' : 'init';
    acker.tell({ text: 'probe', kind, xor });
    return acker.done === 1;
  };
  return completing(expected) && !completing(expected ^ 1n) && !completing(expected ^ (1n << 63n));
}

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');

/** Value after each step, in the order in which a quiet system sends the messages. Written down, not computed. */
const STEPS: readonly (readonly [text: string, value: string])[] = [
  ['INIT line', '1111111111111111'],
  ['ACK split(line)', 'f407ebba9fab1015'],
  ['ACK count(the)', 'f524aedd1600ddfa'],
  ['ACK count(cow)', '0bf814456054efea'],
  ['ACK count(jumped)', 'd555aaaaaaaa5554'],
  ['ACK count(over)', 'd555aaaa5555aaab'],
  ['ACK count(the)', '5555aaaa5555aaaa'],
  ['ACK count(moon)', '0000000000000000'],
];

test('the cow jumped over the moon: the value of its root, step by step', (t) => {
  const messages: Message[] = [];
  for (const message of ALL) {
    messages.push(message);
    const [text, value] = STEPS[messages.length - 1];
    t.log(value, text);
    t.is(message.text, text);
    t.is(hex(messages.reduce((xor, { xor: one }) => xor ^ one, 0n)), value);
    t.is(told(messages).done, messages.length === ALL.length ? 1 : 0);
    if (messages.length < ALL.length) t.true(valueIs(messages, BigInt(`0x${value}`)));
  }
});

test('the counts ack before split, and split before INIT: the values of the same tree backwards', (t) => {
  const messages: Message[] = [];
  for (const message of ALL.toReversed()) {
    messages.push(message);
    const value = hex(messages.reduce((xor, { xor: one }) => xor ^ one, 0n));
    t.log(value, message.text);
    // what is still to come is what has come so far: the whole is zero
    t.is(value, messages.length === ALL.length ? '0'.repeat(16) : STEPS[ALL.length - messages.length - 1][1]);
    t.is(told(messages).done, messages.length === ALL.length ? 1 : 0);
    if (messages.length < ALL.length) t.true(valueIs(messages, BigInt(`0x${value}`)));
  }
});

test('in each of the 40 320 orders of the eight messages DONE comes with the last one, and never before', (t) => {
  let orders = 0;
  let early = 0;
  let missing = 0;
  const order = [...ALL];
  const visit = (from: number): void => {
    if (from === order.length) {
      orders += 1;
      const acker = told(order.slice(0, -1));
      early += acker.done;
      acker.tell(order[order.length - 1]);
      if (acker.done !== 1) missing += 1;
      return;
    }
    for (let at = from; at < order.length; at++) {
      [order[from], order[at]] = [order[at], order[from]];
      visit(from + 1);
      [order[from], order[at]] = [order[at], order[from]];
    }
  };
  visit(0);
  t.is(orders, 40_320);
  t.is(early, 0);
  t.is(missing, 0);
});

test('without any one of the eight messages there is no DONE', (t) => {
  for (const left of ALL) t.is(told(ALL.filter((message) => message !== left)).done, 0);
});

test('an ack applied twice is as good as lost: XOR is not idempotent, so frame numbers keep duplicates away', (t) => {
  for (const twice of ALL.slice(1)) t.is(told([twice, twice, ...ALL.filter((message) => message !== twice)]).done, 0);
});

test('two counts that merge their acks before they send complete the tree with three messages less', (t) => {
  const merge = (messages: readonly Message[]): Message => ({
    text: messages.map(({ text }) => text).join(' + '),
    kind: 'ack',
    xor: messages.reduce((xor, message) => xor ^ message.xor, 0n),
  });
  const first = merge([COUNTS[0], COUNTS[4], COUNTS[5]]);
  const second = merge([COUNTS[1], COUNTS[2], COUNTS[3]]);
  for (const order of [
    [first, INIT, second, SPLIT],
    [INIT, SPLIT, first, second],
    [second, first, SPLIT, INIT],
  ]) {
    t.is(told(order.slice(0, -1)).done, 0);
    t.is(told(order).done, 1);
  }
});
