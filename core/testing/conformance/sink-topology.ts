/**
 * Numbered messages, a bolt that fails some of them after it has sent them on, and the sink under test. What it fails is
 * replayed, so that the sink gets it again, with the same id.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hashValues } from '../../grouping/hash.js';
import { defineBolt } from '../../topology/bolt.js';
import { topology } from '../../topology/builder.js';
import type { BoltComponent, SpoutComponent } from '../../topology/component.js';
import type { Topology } from '../../topology/draft.js';
import { type Fields, t } from '../../topology/fields.js';
import { defineSpout } from '../../topology/spout.js';
import { loadBolt } from './load-component.js';
import type { LooseBuilder } from './loose-builder.js';
import { readSettings, type SinkSettings } from './settings.js';
import { tupleOf } from './sink-tuples.js';
import { watchedSpout } from './watched-spout.js';

/** Some thousand messages a second: enough to keep a sink busy, slow enough for a fault at a chosen moment. */
const BURST = 8;
const BURST_EVERY_MS = 4;
const PENDING = 256;
/** One message in so many is failed, so long after it went to the sink. */
const FAILED_OF = 6;
const FAILED_AFTER_MS = 40;
/** Whatever becomes of a store, no message is given up. */
const RETRY = { attempts: Number.POSITIVE_INFINITY, backoff: { firstMs: 0, maxMs: 250 } } as const;

export default async (parameters: { readonly check?: string } = {}): Promise<Topology> => {
  const settings = readSettings<SinkSettings>(parameters);
  const sink = await loadBolt(settings);
  const make = await tupleOf(settings, sink);
  const numbers = watchedSpout(
    messages(settings) as unknown as SpoutComponent,
    join(settings.folder, 'spout'),
    settings.start,
  );
  const builder = topology(settings.name) as unknown as LooseBuilder;
  return builder
    .spout('messages', numbers)
    .bolt('before', before(settings, make) as unknown as BoltComponent, (from) => from.shuffle('messages'))
    .bolt('sink', sink, (from) => from.shuffle('before'), { tasks: settings.tasks })
    .config({ maxSpoutPending: PENDING });
};

const messages = ({ from, to }: SinkSettings) =>
  defineSpout({
    output: { n: t.number },
    retry: RETRY,
    open({ position }) {
      let n = Number(position ?? from);
      return {
        async next(out) {
          for (let count = 0; count < BURST && n < to; count++) {
            out.emit({ n }, { id: n, position: n + 1 });
            n += 1;
          }
          if (n >= to) return 'done' as const;
          await delay(BURST_EVERY_MS);
          return undefined;
        },
      };
    },
  });

const before = (
  { seed, spoils }: SinkSettings,
  make: { readonly fields: Fields; readonly values: (n: number) => Record<string, unknown> },
) =>
  defineBolt({
    input: { n: t.number },
    output: make.fields,
    ack: 'manual',
    keepsState: false,
    prepare: () => ({
      execute(tuple, out) {
        out.emit(make.values(tuple.values.n) as never, { anchors: [tuple] });
        const draw = hashValues(['spoils', seed, tuple.id]);
        if (!spoils || tuple.attempt > 1 || draw % FAILED_OF !== 0) out.ack(tuple);
        else
          setTimeout(
            () => out.fail(tuple, new Error('the check fails this tuple once')),
            (draw >>> 8) % FAILED_AFTER_MS,
          );
      },
    }),
  });
