/**
 * One socket of the NATS client, with three faults of its own transport mended (each was seen, and has a test):
 *
 * - A dial that timed out left its socket behind. When a stopped server went on, it greeted the forgotten sockets too;
 *   as each of them closed, the client took the living connection for dead and opened another beside it: from then on
 *   every message came twice, through one parser. Here a link that is given up is destroyed and stays dead.
 * - Dropping a silent link waited until the socket had taken an empty write, which never happens when its buffer is
 *   full: the client never dialled again. Here the socket is destroyed at once.
 * - Loss of the link was told through two asynchronous queues. Here the observer hears of it in the same turn as the
 *   socket's own event, before the client starts to throw published messages away.
 */
import { createConnection, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionOptions } from 'nats';
import { setTransportFactory } from 'nats/lib/nats-base-client/transport.js';
import { NodeTransport, nodeResolveHost } from 'nats/lib/src/node_transport.js';

export interface LinkObserver {
  /** a socket is about to be dialled; may throw to stop that */
  dialling(link: NatsLink): void;
  /** the socket of an established link closed */
  lost(link: NatsLink, error: Error | undefined): void;
}

/** Connection options carry the observer to the links that are dialled for them. */
export type ObservedOptions = ConnectionOptions & { readonly squallObserver?: LinkObserver };

export class NatsLink extends NodeTransport {
  #observer: LinkObserver | undefined;
  #host = '';
  #abandoned = false;
  /** The client gave the link up: no answer to its pings, or credentials that expired. */
  dropped = false;

  override async connect(server: Parameters<NodeTransport['connect']>[0], options: ObservedOptions): Promise<void> {
    this.#observer = options.squallObserver;
    this.#observer?.dialling(this);
    // The client names the host in a handshake only where its own resolver found it, which asks DNS but no hosts file.
    const tlsName = server.tlsName || (isIP(server.hostname) === 0 ? server.hostname : '');
    this.#host = server.hostname;
    await super.connect({ hostname: server.hostname, port: server.port, tlsName }, options);
  }

  /** Ends the link at once, whatever it is doing; nothing of it comes back later. */
  abandon(): void {
    this.#abandoned = true;
    // undefined until it dials, and again after it closed
    (this.socket as Socket | undefined)?.destroy();
  }

  override dial(server: { readonly hostname: string; readonly port: number }): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(server.port, server.hostname);
      this.socket = socket;
      let failure = new Error('the connection was closed while it was made');
      socket.setNoDelay(true);
      socket.on('error', (error) => {
        failure = error;
      });
      socket.once('close', () => reject(failure));
      socket.once('connect', () => {
        socket.removeAllListeners();
        resolve(socket);
      });
    });
  }

  /** With the host that the certificate has to be for: Node takes `localhost` where it is dialled by address. */
  override startTLS(): Promise<TLSSocket> {
    const tls = { ...this.options.tls, host: this.#host };
    this.options = { ...this.options, tls };
    return super.startTLS();
  }

  /** Over a socket of ours, so that a handshake that hangs can be given up. */
  override async tlsFirst(server: { readonly hostname: string; readonly port: number }): Promise<TLSSocket> {
    this.socket = await this.dial(server);
    return super.tlsFirst(server);
  }

  /** The link is established. */
  override setupHandlers(): void {
    if (this.#abandoned) throw new Error('the connection was given up while it was made');
    super.setupHandlers();
    let failure: Error | undefined;
    this.socket.prependListener('error', (error) => {
      failure = error;
    });
    this.socket.prependListener('close', () => this.#observer?.lost(this, failure));
  }

  override close(error?: Error): Promise<void> {
    if (this.connected) return super.close(error);
    this.abandon();
    return Promise.resolve();
  }

  override disconnect(): void {
    this.dropped = true;
    this.abandon();
  }
}

/**
 * Makes the client use these links. It keeps its factory in a variable of its module, and every `connect()` of anybody
 * in this process puts the plain one back: so this is called again before each dial.
 */
export function useNatsLinks(): void {
  setTransportFactory({ factory: () => new NatsLink(), dnsResolveFn: nodeResolveHost });
}
