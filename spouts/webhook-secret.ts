/** Who may post to `httpSpout`: those who know a secret that the environment has. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { SquallError, shown } from '../core/errors.js';
import { checkOptions, type Report, within } from '../core/topology/options.js';

export interface WebhookSecret {
  /** name of the environment variable that has the secret: it does not stand in the topology, nor on a command line */
  readonly env: string;
  /**
   * `bearer` (default): the secret itself is sent, as `Authorization: Bearer …`. `hmac`: a header has the HMAC-SHA-256 of
   * the body in hex, with or without `sha256=` before it.
   */
  readonly scheme?: 'bearer' | 'hmac';
  /** with `hmac`; default `X-Hub-Signature-256`, as GitHub sends it */
  readonly header?: string;
}

const OPTIONS = ['env', 'scheme', 'header'] as const satisfies readonly (keyof WebhookSecret)[];
const HMAC_HEADER = 'X-Hub-Signature-256';
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

export interface SecretCheck {
  readonly scheme: 'bearer' | 'hmac';
  readonly header: string;
  /** is this what the header must have? */
  right(sent: string | undefined, body: Uint8Array): boolean;
}

export function checkSecret(secret: unknown, report: Report): WebhookSecret | undefined {
  if (secret === undefined) return undefined;
  const to = within('secret', report);
  const { env, scheme, header } = checkOptions(secret, OPTIONS, 'secret', report);
  // a secret that stands here by mistake must not be shown
  if (typeof env !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(env))
    to('env: expected the name of an environment variable, such as WEBHOOK_SECRET');
  if (scheme !== undefined && scheme !== 'bearer' && scheme !== 'hmac')
    to(`scheme: expected 'bearer' or 'hmac', found ${shown(scheme)}`);
  if (header !== undefined && (typeof header !== 'string' || !TOKEN.test(header)))
    to(`header: expected the name of a header, found ${shown(header)}`);
  if (header !== undefined && scheme !== 'hmac') to("header: stands with scheme: 'hmac' only");
  return secret as WebhookSecret;
}

/** Throws ERR_SQUALL_SECRET where the variable is not set. */
export function secretCheck({ env, scheme = 'bearer', header = HMAC_HEADER }: WebhookSecret): SecretCheck {
  const secret = process.env[env];
  if (secret === undefined || secret === '') {
    throw new SquallError(
      'ERR_SQUALL_SECRET',
      `httpSpout expected a secret in the environment variable ${env}, and it is not set: set it where squall run is started`,
      { facts: { env } },
    );
  }
  if (scheme === 'bearer')
    return { scheme, header: 'Authorization', right: (sent) => equal(sent?.replace(/^bearer +/i, ''), secret) };
  const right = (sent: string | undefined, body: Uint8Array): boolean =>
    equal(sent?.replace(/^sha256=/, '').toLowerCase(), createHmac('sha256', secret).update(body).digest('hex'));
  return { scheme, header, right };
}

/** In a time that does not tell how much of it is right. */
function equal(sent: string | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return sent !== undefined && timingSafeEqual(digest(sent), digest(expected));
}
