/** A program without a test runner, which ends by itself: see `runners.test.ts`. */
import { feeder, startLocal } from '../../core/testing/index.js';
import { t } from '../../core/topology/fields.js';
import { wordCount } from './word-count.js';

const lines = feeder({ line: t.string });
const local = await startLocal(wordCount(), { spouts: { lines } });
lines.feed({ line: 'a b' });
await local.advance(1000);
// neither ended nor stopped: nothing of it keeps the process alive
console.log(`acked ${lines.acked.length}`);
