/** `jetStreamSink`: tuples into a JetStream stream, a message each. */
import { SquallError } from '../core/errors.js';
import { defineBolt } from '../core/topology/bolt.js';
import type { BoltComponent } from '../core/topology/component.js';
import { CONCURRENCY } from '../core/topology/component-config.js';
import { checkInteger, checkOptions } from '../core/topology/options.js';
import { withRights } from '../core/topology/rights.js';
import { type BrokerServer, brokerOf } from '../core/transport/broker.js';
import { checkServer, openBroker } from '../core/transport/broker-option.js';
import { checkMakeStream, type MakeStream } from '../core/transport/stream-option.js';
import { appendRights } from '../core/transport/stream-rights.js';
import { type Encoding, encoderOf } from './encoding.js';
import { withMistakes } from './mistakes.js';
import { type SinkSubject, subjectOf } from './sink-subject.js';

export interface JetStreamSinkOptions<V> {
  /** where each tuple is published; a stream must store it */
  readonly subject: SinkSubject<V>;
  /** made at the start where there is no stream of this name; left out: it must be there */
  readonly make?: MakeStream;
  /** default `json` */
  readonly encode?: Encoding<V>;
  /** publishes that wait for the server's answer, 1 … 1024; default 256. More are not begun: the source is slowed. */
  readonly maxInFlight?: number;
  /** a tuple whose publish has no answer within this time fails, and is replayed; default 30 000 */
  readonly ackWithinMs?: number;
  /** default: the NATS of the run */
  readonly nats?: BrokerServer;
}

const OPTIONS = [
  'subject',
  'make',
  'encode',
  'maxInFlight',
  'ackWithinMs',
  'nats',
] as const satisfies readonly (keyof JetStreamSinkOptions<object>)[];
const MAX_IN_FLIGHT = 256;
/** A server may take seconds to come back, a full stream longer; the tuples that wait are held, and do not time out. */
const ACK_WITHIN_MS = 30_000;
const MAX_ACK_WITHIN_MS = 3_600_000;

/**
 * Publishes one message per tuple of any stream, with the tuple's stable id as `Nats-Msg-Id`, and acks the tuple when the
 * server has answered that it is stored. A replay within the stream's duplicate window (two minutes, if nobody set
 * another) is recognised by the server and not stored again. Where other tasks get the same tuples, the component's
 * name and the task's index stand behind the id, so that one's message is not taken for the other's.
 *
 * ERR_SQUALL_NO_STREAM at the start, where no stream stores a fixed subject; ERR_SQUALL_STREAM_UNAVAILABLE,
 * ERR_SQUALL_STREAM_REFUSED and ERR_SQUALL_OVERSIZE fail the tuple.
 */
export function jetStreamSink<V extends object = Record<string, unknown>>(
  options: JetStreamSinkOptions<V>,
): BoltComponent<V, Record<never, never>> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`jetStreamSink: ${mistake}`);
  const given = checkOptions(options, OPTIONS, 'options', report);
  const subject = subjectOf(given.subject, report);
  const make = checkMakeStream(given.make, report);
  const encode = encoderOf(given.encode, report);
  const server = checkServer(given.nats, report);
  const concurrency = checkInteger(given.maxInFlight, CONCURRENCY, MAX_IN_FLIGHT, 'maxInFlight', report);
  const withinMs = checkInteger(
    given.ackWithinMs,
    { min: 1, max: MAX_ACK_WITHIN_MS },
    ACK_WITHIN_MS,
    'ackWithinMs',
    report,
  );

  const bolt = defineBolt({
    keepsState: false,
    concurrency,
    async prepare(context) {
      const { component, index, metrics } = context;
      const broker = await openBroker(context, server, 'jetStreamSink');
      if (make !== undefined) await broker.makeStream(make);
      if (subject.fixed !== undefined) await mustBeStored(broker, subject.fixed, component);
      const suffix = brokerOf(context)?.sharesInput ? `.${component}.${index}` : '';
      return {
        async execute({ id, values }) {
          const { duplicate } = await broker.append(subject.of(values), encode(values), {
            msgId: id + suffix,
            withinMs,
          });
          if (duplicate) metrics.counter('already-stored').add();
        },
        cleanup: () => broker.close(),
      };
    },
  });
  const sink = withMistakes(bolt, mistakes) as BoltComponent<V, Record<never, never>>;
  return server === undefined ? withRights(sink, () => appendRights(subject.fixed, make)) : sink;
}

async function mustBeStored(
  broker: { streamOf(subject: string): Promise<string | undefined>; close(): Promise<void> },
  subject: string,
  component: string,
): Promise<void> {
  if ((await broker.streamOf(subject)) !== undefined) return;
  await broker.close();
  throw new SquallError(
    'ERR_SQUALL_NO_STREAM',
    `jetStreamSink '${component}': expected a stream that stores ${subject}, found none. Make one, for instance with: nats stream add NAME --subjects '${subject}'; or say how with the option make`,
    { facts: { component, subject } },
  );
}
