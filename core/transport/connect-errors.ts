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
const SECURITY = /TLS|SSL|CERT|SIGNED|ISSUER|SERVER_OPT_NA|EPROTO/;

/** Codes of Node's network calls and of the client for a server that is not there or does not answer. */
const AWAY = /^(CONNECTION_\w+|TIMEOUT|DISCONNECT|EAI_\w+|E(CONN|HOST|NET)\w+|ENOTFOUND|ETIMEDOUT|EPIPE|EADDR\w+|EACCES)$/;

/** What the client threw while it connected, as a SquallError that names the server and never a secret. */
export function connectFailure(error: unknown, options: ConnectOptions): SquallError {
  if (error instanceof SquallError) return error;
  const { code = '', message = 'the connection was closed' } = (error ?? {}) as { code?: string; message?: string };
  if (AUTHORIZATION.has(code)) return unauthorized(options, error);
  if (SECURITY.test(code)) return insecure(options, message, error);
  if (code === '' && (error instanceof SyntaxError || /unexpected response/.test(message))) {
    return notNats(options, 'its greeting is another one', error);
  }
  if (code === '' || AWAY.test(code)) return unreachable(options, message, error);
  return new SquallError('ERR_SQUALL_NATS_REFUSED', `NATS at ${masked(options)} refused the connection: ${message}`, {
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

export function unauthorized(options: ConnectOptions, cause?: unknown): SquallError {
  const advice = options.credentials
    ? 'the credentials are wrong or have expired'
    : 'it wants credentials and none are set (NATS_USER and NATS_PASSWORD, NATS_TOKEN, NATS_CREDS or NATS_NKEY)';
  return new SquallError('ERR_SQUALL_NATS_AUTH', `NATS at ${masked(options)} does not let us in: ${advice}`, {
    facts: { servers: options.servers, credentials: options.credentials?.kind },
    cause,
  });
}

function insecure(options: ConnectOptions, why: string, cause: unknown): SquallError {
  return new SquallError(
    'ERR_SQUALL_NATS_TLS',
    `NATS at ${masked(options)} answers, but no secure connection came about (${why}): ` +
      'check the certificates (NATS_CA, NATS_CERT, NATS_KEY), and whether the server speaks TLS',
    { facts: { servers: options.servers }, cause },
  );
}
