import test from 'ava';
import { checkMakeStream } from '../../core/transport/stream-option.js';

const BASE = { name: 'ORDERS', subjects: ['orders.>'] };

function checked(make: unknown) {
  const mistakes: string[] = [];
  return { config: checkMakeStream(make, (mistake) => void mistakes.push(mistake)), mistakes };
}

test('a stream drops its oldest messages and keeps what is processed, unless it is told otherwise', (t) => {
  t.deepEqual(checked(BASE), { config: { ...BASE, maxBytes: 1 << 30 }, mistakes: [] });
  const kept = { ...BASE, maxBytes: 1000, maxAgeMs: 60_000, discard: 'new', retention: 'workqueue' };
  t.deepEqual(checked(kept), { config: kept as never, mistakes: [] });
});

test('what discard and retention cannot be is named with what they can', (t) => {
  t.deepEqual(checked({ ...BASE, discard: 'newest', retention: 'interest' }).mistakes, [
    "make: discard: expected 'old' or 'new', found 'newest' (string)",
    "make: retention: expected 'limits' or 'workqueue', found 'interest' (string)",
  ]);
});
