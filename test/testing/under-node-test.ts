/** Run by `node --test`: see `runners.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runLocal } from '../../core/testing/index.js';
import { wordCount } from './word-count.js';

test('words are counted', async () => {
  const { emitted } = await runLocal(wordCount(), { spouts: { lines: [{ line: 'a b a' }] } });
  assert.deepEqual(new Set(emitted.count.map(({ word, count }) => `${word} ${count}`)), new Set(['a 2', 'b 1']));
});

test('timers that the runner has replaced stop nothing', async ({ mock }) => {
  mock.timers.enable();
  const { status } = await runLocal(wordCount(), { spouts: { lines: [{ line: 'a' }] } });
  assert.equal(status, 'completed');
});
