/** Is NATS there, is it one that we can work with, and does it let us in? Asked once, before anything is started. */
import { SquallError } from '../errors.js';
import { notNats, unreachable } from './connect-errors.js';
import type { ConnectOptions } from './connect-options.js';
import { type NatsGreeting, NoGreeting, readGreeting } from './greeting.js';
import { NatsTransport } from './nats.js';
import { atLeast, OLDEST_NATS } from './nats-version.js';
import type { TransportEvents } from './transport.js';

export interface ServerInfo {
  /** `nats://host:port` or `tls://host:port`, of the server that answered */
  readonly url: string;
  readonly version: string;
  readonly name: string;
  readonly maxPayload: number;
  /** it has JetStream, and we may use it */
  readonly jetstream: boolean;
}

/** Together they stay below the 5 s within which a command has to say what is wrong. */
const GREETING_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 1_500;
const JETSTREAM_TIMEOUT_MS = 1_000;

/**
 * Within 5 s: what answers at the first of `options.servers` that does, or a rejection with one of
 * ERR_SQUALL_NATS_UNREACHABLE, _NOT_NATS, _TOO_OLD, _AUTH, _TLS, _REFUSED, and, where `jetstream` is wanted,
 * _NO_JETSTREAM.
 */
export async function probeServer(
  options: ConnectOptions,
  { jetstream }: { readonly jetstream: boolean },
  events: TransportEvents = {},
): Promise<ServerInfo> {
  // Such servers greet only behind TLS; what they are is left to the client.
  if (!options.tls?.handshakeFirst) checkVersion(options, await firstGreeting(options));
  const transport = await NatsTransport.connect(
    { ...options, name: 'squall:probe', waitOnFirstConnect: false, connectTimeoutMs: CONNECT_TIMEOUT_MS },
    events,
  );
  try {
    const { version, name, address, maxPayload } = transport.server;
    checkVersion(options, { version });
    const usable = await transport
      .jetstream()
      .checkEnabled(JETSTREAM_TIMEOUT_MS)
      .then(
        () => true,
        (error: unknown) => {
          if (jetstream) throw error;
          return false;
        },
      );
    const url = options.servers.find((server) => server.endsWith(`//${address}`)) ?? `nats://${address}`;
    return { url, version, name, maxPayload, jetstream: usable };
  } finally {
    await transport.close();
  }
}

/** All servers are asked at once; one that greets is enough. Else the failure that says most: somebody is there. */
async function firstGreeting(options: ConnectOptions): Promise<NatsGreeting> {
  const greetings = options.servers.map((server) => {
    const { hostname, port } = new URL(server.replace(/^[a-z]+:/, 'http:'));
    return readGreeting(hostname.replace(/^\[|\]$/g, ''), Number(port || 80), GREETING_TIMEOUT_MS);
  });
  try {
    return await Promise.any(greetings);
  } catch (error) {
    const failures = (error as AggregateError).errors as Error[];
    const stranger = failures.find((failure) => failure instanceof NoGreeting);
    if (stranger) throw notNats(options, stranger.message, stranger);
    // A name with several addresses fails with one error for all, whose message is empty.
    const [{ message, code }] = failures as NodeJS.ErrnoException[];
    throw unreachable(options, message || code || 'no connection', failures[0]);
  }
}

function checkVersion(options: ConnectOptions, { version }: { readonly version: string }): void {
  if (atLeast(version, OLDEST_NATS)) return;
  throw new SquallError(
    'ERR_SQUALL_NATS_TOO_OLD',
    `Expected NATS ${OLDEST_NATS} or newer at ${options.servers.join(', ')}, found ${version}: update the server`,
    { facts: { servers: options.servers, version, oldest: OLDEST_NATS } },
  );
}
