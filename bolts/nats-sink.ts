/** `natsSink`: tuples to NATS subjects, a message each, for whoever listens. */
import { SquallError } from '../core/errors.js';
import { defineBolt } from '../core/topology/bolt.js';
import type { BoltComponent } from '../core/topology/component.js';
import { checkOptions } from '../core/topology/options.js';
import { withRights } from '../core/topology/rights.js';
import type { BrokerServer } from '../core/transport/broker.js';
import { checkServer, openBroker } from '../core/transport/broker-option.js';
import { type Encoding, encoderOf } from './encoding.js';
import { withMistakes } from './mistakes.js';
import { type SinkSubject, subjectOf } from './sink-subject.js';

export interface NatsSinkOptions<V> {
  readonly subject: SinkSubject<V>;
  /** default `json` */
  readonly encode?: Encoding<V>;
  /** default: the NATS of the run */
  readonly nats?: BrokerServer;
}

const OPTIONS = ['subject', 'encode', 'nats'] as const satisfies readonly (keyof NatsSinkOptions<object>)[];

/**
 * Publishes one message per tuple of any stream, and acks it when the server has taken it: one round trip for all tuples
 * of a batch. NATS hands it to those who listen at that moment; nobody keeps it. While the link is down tuples fail
 * (ERR_SQUALL_LINK_DOWN) and are replayed. A replay publishes again.
 */
export function natsSink<V extends object = Record<string, unknown>>(
  options: NatsSinkOptions<V>,
): BoltComponent<V, Record<never, never>> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`natsSink: ${mistake}`);
  const given = checkOptions(options, OPTIONS, 'options', report);
  const subject = subjectOf(given.subject, report);
  const encode = encoderOf(given.encode, report);
  const server = checkServer(given.nats, report);

  const bolt = defineBolt({
    keepsState: false,
    async prepare(context) {
      const broker = await openBroker(context, server, 'natsSink');
      return {
        execute({ values }) {
          const to = subject.of(values);
          if (broker.publish(to, encode(values))) return;
          throw new SquallError(
            'ERR_SQUALL_LINK_DOWN',
            `natsSink: nothing can be published to ${to}: the link is down`,
          );
        },
        flush: () => broker.flush(),
        cleanup: () => broker.close(),
      };
    },
  });
  const sink = withMistakes(bolt, mistakes) as BoltComponent<V, Record<never, never>>;
  if (server !== undefined) return sink;
  const { fixed } = subject;
  return withRights(sink, () => (fixed === undefined ? { unknown: true } : { publish: [fixed] }));
}
