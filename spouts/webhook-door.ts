/** The HTTP server of `httpSpout`: what is posted goes into a stream, and is answered when it is there. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { v4 as uuid } from 'uuid';
import { SquallError } from '../core/errors.js';
import type { TaskContext } from '../core/topology/definition.js';
import type { Broker } from '../core/transport/broker.js';
import { type SecretCheck, secretCheck, type WebhookSecret } from './webhook-secret.js';

export interface DoorSettings {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly subject: string;
  readonly limitBytes: number;
  readonly secret: WebhookSecret | undefined;
  readonly idHeader: string | undefined;
}

/** Their bodies are in memory meanwhile. A stream takes some thousands a second, so few are there at once. */
const MAX_POSTS_AT_ONCE = 64;
/** Shorter than those who post wait for an answer: commonly 10 s. */
const STORE_WITHIN_MS = 5000;
const RETRY_AFTER_S = '1';
/** For the posts that are under way at the end: what is stored is answered. */
const CLOSE_WITHIN_MS = STORE_WITHIN_MS + 500;
/** An id from outside becomes a header of a message. */
const MAX_ID_LENGTH = 256;

export class WebhookDoor {
  readonly #settings: DoorSettings;
  readonly #broker: Broker;
  readonly #secret: SecretCheck | undefined;
  readonly #log: TaskContext['log'];
  readonly #accepted: { add(by?: number): void };
  readonly #refused: { add(by?: number): void };
  #server!: Server;
  #posts = 0;

  /** Rejects with ERR_SQUALL_SECRET, and with ERR_SQUALL_LISTEN where the port cannot be had. The broker is its own. */
  static async open(settings: DoorSettings, context: TaskContext, broker: Broker): Promise<WebhookDoor> {
    const door = new WebhookDoor(settings, context, broker);
    await door.#listen();
    return door;
  }

  private constructor(settings: DoorSettings, context: TaskContext, broker: Broker) {
    this.#settings = settings;
    this.#broker = broker;
    this.#secret = settings.secret === undefined ? undefined : secretCheck(settings.secret);
    this.#log = context.log;
    this.#accepted = context.metrics.counter('accepted');
    this.#refused = context.metrics.counter('refused');
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#server.closeAllConnections(), CLOSE_WITHIN_MS);
    await closed;
    clearTimeout(late);
    await this.#broker.close();
  }

  async #listen(): Promise<void> {
    const { port, host, path } = this.#settings;
    this.#server = createAdaptorServer({ fetch: this.#app().fetch }) as Server;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) =>
        reject(
          new SquallError('ERR_SQUALL_LISTEN', `httpSpout cannot listen on ${host}:${port}: ${cause.message}`, {
            facts: { host, port },
            cause,
          }),
        ),
      );
      this.#server.listen(port, host, resolve);
    });
    const { port: found } = this.#server.address() as AddressInfo;
    this.#log.info(`listens on http://${host.includes(':') ? `[${host}]` : host}:${found}${path}`);
  }

  #app(): Hono {
    const { path, limitBytes } = this.#settings;
    const app = new Hono();
    app.use(async (context, next) => {
      await next();
      if (context.res.status >= 400) this.#refused.add();
    });
    app.post(
      path,
      async (context, next) => {
        const secret = this.#secret;
        // before its body is read, where that can be
        if (secret?.scheme === 'bearer' && !secret.right(context.req.header(secret.header), NOTHING))
          return context.json({ error: 'the secret is wrong, or there is none' }, 401, {
            'WWW-Authenticate': 'Bearer',
          });
        if (this.#posts >= MAX_POSTS_AT_ONCE) return unavailable('too many posts at once');
        this.#posts += 1;
        try {
          return await next();
        } finally {
          this.#posts -= 1;
        }
      },
      bodyLimit({
        maxSize: limitBytes,
        onError: (context) => context.json({ error: `a body may have ${limitBytes} bytes` }, 413),
      }),
      async (context) => {
        const body = new Uint8Array(await context.req.arrayBuffer());
        const secret = this.#secret;
        if (secret?.scheme === 'hmac' && !secret.right(context.req.header(secret.header), body))
          return context.json({ error: 'the signature is wrong, or there is none' }, 401);
        const { idHeader } = this.#settings;
        return this.#store(body, idHeader === undefined ? undefined : context.req.header(idHeader));
      },
    );
    app.all(path, (context) => context.json({ error: 'only POST' }, 405, { Allow: 'POST' }));
    return app;
  }

  async #store(body: Uint8Array, id: string | undefined): Promise<Response> {
    const msgId = id === undefined || id.length > MAX_ID_LENGTH || !/^[\x21-\x7e]+$/.test(id) ? uuid() : id;
    try {
      const { seq, duplicate } = await this.#broker.append(this.#settings.subject, body, {
        msgId,
        withinMs: STORE_WITHIN_MS,
      });
      this.#accepted.add();
      return Response.json({ stored: seq, duplicate }, { status: 202 });
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_SQUALL_OVERSIZE')
        return Response.json({ error: 'the body is larger than NATS takes' }, { status: 413 });
      this.#log.warn(`a post could not be stored, and was answered with 503: ${(error as Error).message}`);
      return unavailable('it could not be stored');
    }
  }
}

const NOTHING = new Uint8Array();

function unavailable(error: string): Response {
  return Response.json({ error }, { status: 503, headers: { 'Retry-After': RETRY_AFTER_S } });
}
