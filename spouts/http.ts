/** `httpSpout`: webhooks, by way of a JetStream stream. */
import { shown } from '../core/errors.js';
import { COMPONENT, type SpoutComponent } from '../core/topology/component.js';
import type { SpoutInstance, TaskContext } from '../core/topology/definition.js';
import type { Fields, Values } from '../core/topology/fields.js';
import { checkInteger, checkOptions } from '../core/topology/options.js';
import type { RetryOptions } from '../core/topology/retry.js';
import type { BrokerServer } from '../core/transport/broker.js';
import { openBroker } from '../core/transport/broker-option.js';
import type { MakeStream } from '../core/transport/stream-option.js';
import { checkUserSubject } from '../core/transport/subject-check.js';
import { jetStreamSpout } from './jetstream.js';
import type { Message } from './message-decoding.js';
import type { DoorSettings } from './webhook-door.js';
import { checkSecret, type WebhookSecret } from './webhook-secret.js';

export interface HttpSpoutOptions {
  /** where it listens; 0: any free port, which a line of its log tells */
  readonly port: number;
  /** default `127.0.0.1`: this machine only. Put a server with TLS before it, for others. */
  readonly host?: string;
  /** what is posted elsewhere is not found; default `/` */
  readonly path?: string;
  /** stream that keeps the bodies until they are processed; made where there is none of its name */
  readonly stream: string;
  /** what the bodies are published to; default `webhooks.` and the name of the stream */
  readonly subject?: string;
  /** of the stream, where it is made; default 1 GiB. While it is full posts are answered with 503. */
  readonly maxBytes?: number;
  /** a larger body is answered with 413; default 1 000 000, which NATS takes if nobody set another limit */
  readonly limitBytes?: number;
  /** what those who post must know; default: anybody may post who reaches the port */
  readonly secret?: WebhookSecret;
  /** header with an id that a repeated post has too, such as `X-GitHub-Delivery`: within two minutes it is stored once */
  readonly idHeader?: string;
  readonly retry?: RetryOptions;
  /** default: the NATS of the run */
  readonly nats?: BrokerServer;
}

const OPTIONS = [
  'port',
  'host',
  'path',
  'stream',
  'subject',
  'maxBytes',
  'limitBytes',
  'secret',
  'idHeader',
  'retry',
  'nats',
  'decode',
  'output',
] as const;
const LIMIT_BYTES = 1_000_000;
/** max_payload of a nats-server cannot be set higher. */
const MAX_LIMIT_BYTES = 64 << 20;

/**
 * Stores the body of every POST in a stream, answers 202 when it is stored, and reads the stream as `jetStreamSpout` does:
 * what was answered with 202 is processed, whatever dies meanwhile. 401: the secret is wrong. 413: the body is too large.
 * 503 with `Retry-After`: it could not be stored, because the stream is full or NATS is away. Whoever posts repeats it then, and where no answer came: so a body can
 * come twice, unless `idHeader` tells.
 *
 * Of several tasks the first listens; all of them read. While its process is started again, nobody listens for a second.
 * ERR_SQUALL_LISTEN: the port cannot be had. ERR_SQUALL_SECRET: the variable is not set.
 */
export function httpSpout(
  options: HttpSpoutOptions & { readonly decode?: 'bytes'; readonly output?: undefined },
): SpoutComponent<{ readonly default: { subject: string; data: Uint8Array } }>;
export function httpSpout(
  options: HttpSpoutOptions & { readonly decode: 'text'; readonly output?: undefined },
): SpoutComponent<{ readonly default: { subject: string; text: string } }>;
export function httpSpout<O extends Fields>(
  options: HttpSpoutOptions & { readonly decode: 'json' | ((message: Message) => Values<O>); readonly output: O },
): SpoutComponent<{ readonly default: Values<O> }>;
export function httpSpout(options: object): SpoutComponent<never> {
  const mistakes: string[] = [];
  const report = (mistake: string) => void mistakes.push(`httpSpout: ${mistake}`);
  const given = checkOptions(options, OPTIONS, 'options', report);
  const { stream, host = '127.0.0.1', path = '/', idHeader, retry, nats, decode, output } = given;
  const { subject = `webhooks.${String(stream)}` } = given;
  if (given.port === undefined) report('port: expected the port to listen on, found none');
  if (typeof host !== 'string' || host === '') report(`host: expected an address, found ${shown(host)}`);
  if (typeof path !== 'string' || !/^\/[\w./~-]*$/.test(path))
    report(`path: expected a path such as /hooks, found ${shown(path)}`);
  if (idHeader !== undefined && (typeof idHeader !== 'string' || !/^[\w-]+$/.test(idHeader)))
    report(`idHeader: expected the name of a header, found ${shown(idHeader)}`);
  try {
    checkUserSubject(subject as string);
  } catch (error) {
    report(`subject: ${(error as Error).message}`);
  }
  const settings: DoorSettings = {
    port: checkInteger(given.port, { min: 0, max: 65_535 }, 0, 'port', report),
    host: host as string,
    path: path as string,
    subject: subject as string,
    limitBytes: checkInteger(given.limitBytes, { min: 1, max: MAX_LIMIT_BYTES }, LIMIT_BYTES, 'limitBytes', report),
    secret: checkSecret(given.secret, report),
    idHeader: idHeader as string | undefined,
  };
  const { maxBytes } = given;
  // what was answered with 202 must not go unread; and what is processed makes room
  const kept = { discard: 'new', retention: 'workqueue' } as const;
  const make = { name: stream, subjects: [subject], maxBytes, ...kept } as MakeStream;
  const reading = { stream, make, subject, retry, nats, decode, output } as Parameters<typeof jetStreamSpout>[0];
  const reader = jetStreamSpout(reading) as unknown as SpoutComponent<never>;
  const ofReader = reader[COMPONENT].mistakes
    .filter((mistake) => !mistakes.length || !/^jetStreamSpout: (make|subject)/.test(mistake))
    .map((mistake) => mistake.replace(/^jetStreamSpout/, 'httpSpout'));
  return Object.freeze({
    ...reader,
    open: (context: TaskContext) => opened(settings, reader, nats as BrokerServer | undefined, context),
    [COMPONENT]: Object.freeze({ mistakes: Object.freeze([...mistakes, ...ofReader]) }),
  });
}

/** The reader, which has made the stream; and before it the door, at the first task. */
async function opened(
  settings: DoorSettings,
  component: SpoutComponent<never>,
  nats: BrokerServer | undefined,
  context: TaskContext,
): Promise<SpoutInstance> {
  const reader = await component.open(context);
  if (context.index > 0) return reader;
  try {
    // every topology file imports this module; only who listens needs the libraries
    const { WebhookDoor } = await import('./webhook-door.js');
    const broker = await openBroker(context, nats, 'httpSpout');
    const door = await WebhookDoor.open(settings, context, broker).catch(async (error: unknown) => {
      await broker.close();
      throw error;
    });
    return {
      next: (out) => reader.next(out),
      ack: (id) => reader.ack?.(id),
      fail: (id, failure) => reader.fail?.(id, failure),
      async close() {
        await door.close();
        await reader.close?.();
      },
    };
  } catch (error) {
    await reader.close?.();
    throw error;
  }
}
