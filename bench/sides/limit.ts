import { fileURLToPath } from 'node:url';
import type { RunningSide, Side, SideSetting } from '../benchmark.js';
import { type Child, startChild } from '../child.js';

const PROGRAM = fileURLToPath(new URL('../limit/word-count.js', import.meta.url));
/** The order of starting, receivers first; they end the other way round, so that nothing stays under way. */
const ROLES = ['acker', 'count', 'split', 'spout'] as const;

/** The hand-written pipeline: what the machine allows when there is no framework. */
export const limitWordCount: Side = {
  name: 'limit',
  guarantee: 'every sentence acked by an XOR acker; no replay, no time-out, no flow control',
  async start({ natsUrl, progressFile }: SideSetting): Promise<RunningSide> {
    const children = new Map<(typeof ROLES)[number], Child>();
    for (const role of ROLES) {
      const child = startChild(`the limit's ${role}`, process.execPath, [PROGRAM, role, progressFile], {
        env: { ...process.env, NATS_URL: natsUrl },
      });
      children.set(role, child);
      await child.said('ready\n');
    }
    return {
      pids: [...children.values()].map(({ pid }) => pid),
      broken: Promise.race([...children.values()].map(({ broken }) => broken)),
      async stop() {
        const totals: Record<string, Record<string, number>> = {};
        for (const [role, child] of [...children].reverse()) {
          if ((await child.end()) !== 0) throw new Error(`the limit's ${role} did not end in good order`);
          totals[role] = JSON.parse(child.stdout().trimEnd().split('\n').at(-1) ?? '');
        }
        const { spout, split, count, acker } = totals;
        if (spout.acked !== spout.emitted || acker.completed !== spout.acked || count.counted !== split.emitted) {
          throw new Error(`the limit lost tuples, its figures mean nothing: ${JSON.stringify(totals)}`);
        }
        return totals;
      },
    };
  },
};
