/** A bad network between a client and a server: slow, silent, cut, half open. */
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'to-server' | 'to-client';

/** What happens to bytes of one direction. */
interface Flow {
  /** each chunk waits so long, in order */
  delayMs: number;
  /** plus up to so much */
  jitterMs: number;
  /** not read any more: buffers fill up to the sender */
  stalled: boolean;
  /** read and thrown away: the sender notices nothing */
  dropped: boolean;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export class TcpProxy {
  readonly port: number;
  /** connections that were ever made */
  accepted = 0;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  readonly #flows: Record<Direction, Flow> = { 'to-server': freeFlow(), 'to-client': freeFlow() };
  #refusing = false;

  private constructor(listener: Server, targetPort: number) {
    this.#listener = listener;
    this.port = (listener.address() as { readonly port: number }).port;
    listener.on('connection', (client) => this.#join(client, targetPort));
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const listener = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    return new TcpProxy(listener, targetPort);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** connections that are open at present */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Both ways, each chunk later by `delayMs` to `delayMs + jitterMs`, in order. */
  delay(delayMs: number, jitterMs = 0): void {
    for (const flow of Object.values(this.#flows)) Object.assign(flow, { delayMs, jitterMs });
  }

  /** Bytes of these directions vanish, on old and new connections. */
  drop(...directions: Direction[]): void {
    for (const direction of directions) this.#flows[direction].dropped = true;
  }

  /** Nobody reads these directions any more: the sender's buffers fill up. */
  stall(...directions: Direction[]): void {
    for (const direction of directions) this.#flows[direction].stalled = true;
    this.#applyStall();
  }

  /** Resets all connections. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Resets all connections, and new ones at once, until `heal`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** A good network again. Connections that lost bytes are reset: a stream with a hole is no TCP. */
  heal(): void {
    this.#refusing = false;
    if (Object.values(this.#flows).some((flow) => flow.dropped)) this.cut();
    for (const flow of Object.values(this.#flows)) Object.assign(flow, freeFlow());
    this.#applyStall();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #join(client: Socket, targetPort: number): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = createConnection({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    this.accepted += 1;
    const pair = { client, server };
    this.#pairs.add(pair);
    this.#pump(client, server, this.#flows['to-server']);
    this.#pump(server, client, this.#flows['to-client']);
    this.#applyStall();
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', () => {}).on('close', end);
  }

  #pump(from: Socket, to: Socket, flow: Flow): void {
    // Each timer runs the oldest act: so chunks keep their order whatever timers do.
    const waiting: (() => void)[] = [];
    let lastDue = 0;
    const later = (act: () => void): void => {
      if (waiting.length === 0 && flow.delayMs === 0 && flow.jitterMs === 0) {
        act();
        return;
      }
      const now = performance.now();
      lastDue = Math.max(lastDue, now + flow.delayMs + Math.random() * flow.jitterMs);
      waiting.push(act);
      setTimeout(() => waiting.shift()?.(), lastDue - now);
    };
    from.on('data', (bytes) => {
      if (flow.dropped) return;
      later(() => {
        if (to.destroyed || to.write(bytes)) return;
        from.pause();
        to.once('drain', () => {
          if (!flow.stalled) from.resume();
        });
      });
    });
    from.on('end', () => {
      if (!flow.dropped) later(() => to.end());
    });
  }

  #applyStall(): void {
    for (const { client, server } of this.#pairs) {
      if (this.#flows['to-server'].stalled) client.pause();
      else client.resume();
      if (this.#flows['to-client'].stalled) server.pause();
      else server.resume();
    }
  }
}

function freeFlow(): Flow {
  return { delayMs: 0, jitterMs: 0, stalled: false, dropped: false };
}
