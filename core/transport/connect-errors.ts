/** Why a connection to NATS failed: one code per thing that a person can do something about. */
import { SquallError } from '../errors.js';
import { type ConnectOptions, masked } from './connect-options.js';

const AUTHORIZATION = new Set([
  'AUTHORIZATION_VIOLATION',
  'BAD_AUTHENTICATION',
  'AUTHENTICATION_EXPIRED',
  'AUTHENTICATION_TIMEOUT',
  'ACCOUNT_EXPIRED',
  'BAD_CREDS',
]);

/** Codes of the client, of OpenSSL and of Node for a secure connection that did not come about. */
const SECURITY = /TLS|SSL|CERT|CRL|SIGN|ISSUER|INVALID_CA|PURPOSE|HOSTNAME|UNABLE_TO|SERVER_OPT_NA|EPROTO/;

/** Codes of Node's network calls and of the client for a server that is not there or does not answer. */
const AWAY =
  /^(CONNECTION_\w+|TIMEOUT|DISCONNECT|EAI_\w+|E(CONN|HOST|NET)\w+|ENOTFOUND|ETIMEDOUT|EPIPE|EADDR\w+|EACCES)$/;

/** What the client threw while it connected, as a SquallError that names the server and never a secret. */
export function connectFailure(error: unknown, options: ConnectOptions): SquallError {
  if (error instanceof SquallError) return error;
  const { code = '', message } = (error ?? {}) as { readonly code?: string; readonly message?: string };
  const why = message || code || 'the connection was closed';
  if (AUTHORIZATION.has(code)) return unauthorized(options, error);
  if (SECURITY.test(code)) return insecure(options, why, error);
  if (code === '' && (error instanceof SyntaxError || /unexpected response/.test(why))) {
    return notNats(options, 'its greeting is another one', error);
  }
  if (code === '' || AWAY.test(code))
    return unreachable(options, code === 'TIMEOUT' ? 'no answer in time' : why, error);
  return new SquallError('ERR_SQUALL_NATS_REFUSED', `NATS at ${masked(options)} refused the connection: ${why}`, {
    facts: { servers: options.servers, code },
    cause: error,
  });
}

export function unreachable(options: ConnectOptions, why: string, cause?: unknown): SquallError {
  return new SquallError(
    'ERR_SQUALL_NATS_UNREACHABLE',
    `Expected a NATS server at ${options.servers.join(', ')}, but it cannot be reached (${why}): ` +
      'start it, or correct --nats or NATS_URL',
    { facts: { servers: options.servers }, cause },
  );
}

export function notNats(options: ConnectOptions, why: string, cause?: unknown): SquallError {
  return new SquallError(
    'ERR_SQUALL_NATS_NOT_NATS',
    `Expected a NATS server at ${options.servers.join(', ')}, but what listens there does not greet like one (${why}): ` +
      'correct --nats or NATS_URL',
    { facts: { servers: options.servers }, cause },
  );
}

function unauthorized(options: ConnectOptions, cause?: unknown): SquallError {
  const advice = options.credentials
    ? 'the credentials are wrong or have expired'
    : 'it wants credentials and none are set (NATS_USER and NATS_PASSWORD, NATS_TOKEN, NATS_CREDS or NATS_NKEY)';
  return new SquallError('ERR_SQUALL_NATS_AUTH', `NATS at ${masked(options)} does not let us in: ${advice}`, {
    facts: { servers: options.servers, credentials: options.credentials?.kind },
    cause,
  });
}

/**
 * A server that misses our certificate says so only after the handshake, and a reset connection may swallow its words:
 * who closes a secure link before we are let in is taken to mean that.
 */
export function secureLinkClosed(cause: Error | undefined): Error {
  const message = cause?.message ?? 'the server closed it after the handshake';
  return Object.assign(new Error(message, { cause }), { code: 'TLS' });
}

/** What the server told an established connection, as the client's `code` and the error that holds its words. */
export function serverRefusal(code: string, cause: Error | undefined, options: ConnectOptions): SquallError {
  if (AUTHORIZATION.has(code)) return unauthorized(options, cause);
  const facts = { servers: options.servers, code };
  return new SquallError('ERR_SQUALL_NATS_REFUSED', `NATS refused a command: ${cause?.message ?? code}`, {
    facts,
    cause,
  });
}

/** `operation`: publish or subscription, in the client's words. */
export function forbidden(operation: string, subject: string, cause?: unknown): SquallError {
  const effect = operation === 'subscription' ? 'the subscription is over' : 'the message was dropped';
  return new SquallError(
    'ERR_SQUALL_NATS_PERMISSION',
    `NATS allows this user no ${operation} on ${subject}: ${effect}; allow it in the server's permissions`,
    { facts: { operation, subject }, cause },
  );
}

function insecure(options: ConnectOptions, why: string, cause: unknown): SquallError {
  return new SquallError(
    'ERR_SQUALL_NATS_TLS',
    `NATS at ${masked(options)} answers, but no secure connection came about (${why}): ` +
      'check the certificates (NATS_CA, NATS_CERT, NATS_KEY), and whether the server speaks TLS',
    { facts: { servers: options.servers }, cause },
  );
}
