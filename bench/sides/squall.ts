import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningSide, Side, SideSetting } from '../benchmark.js';
import { startChild } from '../child.js';

const COMMAND = fileURLToPath(new URL('../../cli/squall.js', import.meta.url));
const TOPOLOGY = fileURLToPath(new URL('../topologies/word-count.js', import.meta.url));

/** The part of `squall run --json` that decides whether the run was in order. */
interface RunResult {
  readonly status: string;
  readonly spouts: Readonly<
    Record<string, { readonly emitted: number; readonly acked: number; readonly deadLettered: number }>
  >;
}

/** `squall run`, a process per task, as a user starts it. */
export const squallWordCount: Side = {
  name: 'squall',
  guarantee: 'at least once: every sentence acked, replayed when it fails, is lost or times out; flow control',
  async start({ natsUrl, folder, progressFile, limitMs }: SideSetting): Promise<RunningSide> {
    const child = startChild(
      'squall run',
      process.execPath,
      [
        ...[COMMAND, 'run', TOPOLOGY, '--set', `progress=${progressFile}`],
        ...['--json', '--state', join(folder, 'state'), '--duration', `${Math.ceil(limitMs / 1000)}s`],
      ],
      { cwd: folder, env: { ...process.env, NATS_URL: natsUrl } },
    );
    return {
      pids: [child.pid],
      broken: child.broken,
      async stop() {
        await child.end();
        const run = JSON.parse(child.stdout()) as RunResult;
        const { emitted, acked, deadLettered } = run.spouts.sentences;
        if (run.status === 'failed' || acked !== emitted || deadLettered > 0) {
          throw new Error(`squall did not complete what it emitted: ${child.stdout()}`);
        }
        return { ...run };
      },
    };
  },
};
