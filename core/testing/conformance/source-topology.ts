/**
 * The source under test, a bolt that delays, fails and holds, and one that writes down what has arrived. Tuples complete
 * in another order than they were emitted in, some only when the gate is opened: a position that runs ahead is seen.
 */

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { hashValues } from '../../grouping/hash.js';
import { defineBolt } from '../../topology/bolt.js';
import { topology } from '../../topology/builder.js';
import type { BoltComponent } from '../../topology/component.js';
import type { Topology } from '../../topology/draft.js';
import { t } from '../../topology/fields.js';
import { Gate } from './gate.js';
import { Journal } from './journal.js';
import { loadSpout } from './load-component.js';
import type { LooseBuilder } from './loose-builder.js';
import { readSettings, type SourceSettings } from './settings.js';
import { watchedSpout } from './watched-spout.js';

/** Executes that overlap, and how many of them may be held: the others keep the flow going. */
const CONCURRENCY = 32;
const MAX_HELD = 12;
/** One tuple in so many is held; is failed when it comes first. */
const HELD_OF = 12;
const FAILED_OF = 16;
/** So the flow takes a second for some thousand tuples, and a fault at a chosen moment meets it. */
const MAX_DELAY_MS = 16;

export default async (parameters: { readonly check?: string } = {}): Promise<Topology> => {
  const settings = readSettings<SourceSettings>(parameters);
  const spout = await loadSpout(settings);
  const streams = spout.streams.filter(({ direct }) => !direct).map(({ name }) => name);
  const builder = topology(settings.name) as unknown as LooseBuilder;
  return builder
    .spout('source', watchedSpout(spout, join(settings.folder, 'source'), settings.start), { tasks: settings.tasks })
    .bolt('middle', middle(settings) as unknown as BoltComponent, (from) =>
      streams.map((stream) => from.shuffle('source', { stream })),
    )
    .bolt('end', end(settings) as unknown as BoltComponent, (from) => from.shuffle('middle'))
    .config({ maxSpoutPending: settings.pending });
};

const middle = ({ folder, start, seed }: SourceSettings) =>
  defineBolt({
    output: { stream: t.string, id: t.string, values: t.any },
    concurrency: CONCURRENCY,
    keepsState: false,
    prepare() {
      const gate = new Gate(folder);
      const journal = new Journal(join(folder, 'held'));
      // by id and not by attempt: a source that sends again itself begins with attempt 1 again
      const failed = new Set<string>();
      return {
        async execute({ id, stream, values }, out) {
          const draw = (what: string, of: number): number => hashValues([what, seed, id]) % of;
          await delay(1 + draw('delay', MAX_DELAY_MS));
          if (draw('fails', FAILED_OF) === 0 && !failed.has(id)) {
            failed.add(id);
            throw new Error('the check fails this tuple once');
          }
          if (draw('held', HELD_OF) === 0 && gate.held < MAX_HELD && !gate.isOpen) {
            journal.write('held', start);
            await gate.hold();
          }
          out.emit({ stream, id, values });
        },
      };
    },
  });

const end = ({ folder, start }: SourceSettings) =>
  defineBolt({
    input: { stream: t.string, id: t.string, values: t.any },
    keepsState: false,
    prepare() {
      const journal = new Journal(join(folder, 'end'));
      return {
        execute({ values: { stream, id, values } }) {
          // bytes, dates and big integers stay what they are
          journal.write('arrived', start, stream, id, serialize(values).toString('base64'));
        },
      };
    },
  });
