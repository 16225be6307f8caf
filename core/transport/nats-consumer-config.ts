/** The settings of a JetStream consumer: a new one's, and what may become of one that is there. */
import { SquallError } from '../errors.js';
import type { ConsumerConfig } from './consumer.js';

/** One request to JetStream's API; rejects as NatsDurableStreams does. */
export type AskJetStream = <R>(path: string, body: object) => Promise<R>;

export const CONSUMER_NOT_FOUND = 10014;
export const STREAM_NOT_FOUND = 10059;
const NANOS_PER_MS = 1_000_000;
/** The settings that cannot be changed later. */
const FIXED = ['filter_subject', 'ack_policy'] as const;
/** These say that it is a consumer of another kind, one that we cannot read. */
const FOREIGN = ['deliver_subject', 'filter_subjects', 'headers_only'] as const;
/**
 * What a consumer made by other means may have, and must not: a message that was delivered too often would never come
 * again and be neither acked nor a dead letter, and a request that asks for more than allowed is answered with nothing.
 */
const UNLIMITED = { max_deliver: -1, max_batch: 0, max_expires: 0, max_bytes: 0 } as const;

interface ConsumerReply {
  readonly config: Readonly<Record<string, unknown>>;
}

/** Makes the consumer, or changes the settings of one that is there. */
export async function ensureConsumer(ask: AskJetStream, config: ConsumerConfig): Promise<void> {
  const { stream, name, subject, deliver, ackWaitMs, maxAckPending, owner } = config;
  const wanted: Record<string, unknown> = {
    durable_name: name,
    ack_policy: 'explicit',
    ack_wait: ackWaitMs * NANOS_PER_MS,
    max_ack_pending: maxAckPending,
    ...(owner === undefined ? {} : { description: ownerText(owner) }),
    ...(subject === undefined ? {} : { filter_subject: subject }),
    ...UNLIMITED,
  };
  const found = (await consumerOf(ask, stream, name))?.config;
  if (found === undefined && config.mustExist) throw await lost(ask, config);
  if (found !== undefined) checkFound(found, wanted, config);
  const fresh: Readonly<Record<string, unknown>> = { deliver_policy: deliver, replay_policy: 'instant' };
  // what the consumer has that we say nothing of stays as it is; a backoff would stand above ack_wait
  const { backoff: _, ...kept } = found ?? fresh;
  const whole = { ...kept, ...wanted };
  const made = await ask<ConsumerReply>(`CONSUMER.DURABLE.CREATE.${stream}.${name}`, {
    stream_name: stream,
    config: whole,
  });
  // servers leave out what is zero, and ignore what they do not know
  const wrong = Object.keys(wanted).filter((key) => (made.config[key] || undefined) !== (wanted[key] || undefined));
  if (wrong.length > 0) throw unfit(config, wrong, made.config);
}

function checkFound(
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
  config: ConsumerConfig,
): void {
  const { stream, name, owner } = config;
  const wrong: string[] = FIXED.filter((key) => (found[key] ?? '') !== (wanted[key] ?? ''));
  wrong.push(...FOREIGN.filter((key) => Boolean(found[key])));
  if (wrong.length > 0) throw unfit(config, wrong, found);
  const description = found.description as string | undefined;
  if (owner === undefined || !description?.startsWith(ownerText('')) || description === ownerText(owner)) return;
  throw new SquallError(
    'ERR_SQUALL_CONSUMER',
    `the consumer ${name} of the stream ${stream} is that of ${description.slice(ownerText('').length)}, and ${owner} would take messages from it: name a consumer of its own with the option consumer`,
    { facts: { stream, consumer: name, owner: description } },
  );
}

async function consumerOf(ask: AskJetStream, stream: string, name: string): Promise<ConsumerReply | undefined> {
  try {
    return await ask<ConsumerReply>(`CONSUMER.INFO.${stream}.${name}`, {});
  } catch (error) {
    const number = numberOf(error);
    if (number === CONSUMER_NOT_FOUND) return undefined;
    if (number !== STREAM_NOT_FOUND) throw error;
    throw new SquallError(
      'ERR_SQUALL_NO_STREAM',
      `expected the stream ${stream}, but there is none of this name. Make it, for instance with: nats stream add ${stream}; or say how with the option make`,
      { facts: { stream }, cause: error },
    );
  }
}

/** JetStream's own number for the error; undefined: it is none of JetStream's. */
export function numberOf(error: unknown): number | undefined {
  return error instanceof SquallError ? (error.facts.number as number | undefined) : undefined;
}

function ownerText(owner: string): string {
  return `Squall: ${owner}`;
}

function unfit(
  { stream, name }: ConsumerConfig,
  wrong: readonly string[],
  found: Readonly<Record<string, unknown>>,
): SquallError {
  return new SquallError(
    'ERR_SQUALL_CONSUMER',
    `the consumer ${name} of the stream ${stream} exists with another ${wrong.join(' and another ')}, which cannot be changed: name another consumer, or delete it with: nats consumer rm ${stream} ${name}`,
    { facts: { stream, consumer: name, wrong, found } },
  );
}

/** With a stream go its consumers: that it is another one says more. */
async function lost(ask: AskJetStream, { stream, name, streamCreated }: ConsumerConfig): Promise<SquallError> {
  const { created } = await ask<{ readonly created: string }>(`STREAM.INFO.${stream}`, {});
  const facts = { stream, consumer: name, created };
  if (streamCreated !== undefined && streamCreated !== created) {
    return new SquallError(
      'ERR_SQUALL_STREAM_CHANGED',
      `the stream ${stream}, of which the messages before were read, was made anew since (at ${created}). To read what is there now, start the run with --fresh.`,
      { facts },
    );
  }
  return new SquallError(
    'ERR_SQUALL_CONSUMER',
    `the consumer ${name} of the stream ${stream}, with which the messages before were read, is not there any more, and with it is gone which of them are done. ` +
      'To read the stream from its beginning again, start the run with --fresh; to begin elsewhere, make the consumer first, with: nats consumer add',
    { facts },
  );
}
