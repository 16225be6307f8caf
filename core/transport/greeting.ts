/** The first thing that a NATS server says: `INFO {…}`, before anybody has shown who he is. */
import { createConnection } from 'node:net';

/** The fields of the greeting that are of use here; a server sends more. */
export interface NatsGreeting {
  readonly version: string;
  readonly server_id: string;
  readonly server_name?: string;
  readonly max_payload: number;
  readonly auth_required?: boolean;
  readonly tls_required?: boolean;
  readonly jetstream?: boolean;
}

/** Something else listens there. `connected` and silent counts, too. */
export class NoGreeting extends Error {}

/** A greeting has some 500 bytes; who sends more without a line end is no NATS server. */
const GREETING_LIMIT_BYTES = 64 * 1024;

/** Rejects with Node's error when there is no connection, and with NoGreeting when what listens greets otherwise. */
export function readGreeting(host: string, port: number, timeoutMs: number): Promise<NatsGreeting> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    let connected = false;
    let text = '';
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      finish();
    };
    const timer = setTimeout(() => {
      end(() =>
        reject(
          connected
            ? new NoGreeting(`it said nothing within ${timeoutMs} ms`)
            : Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }),
        ),
      );
    }, timeoutMs);
    socket.once('connect', () => {
      connected = true;
    });
    socket.on('error', (error) => end(() => reject(error)));
    socket.on('close', () => end(() => reject(new NoGreeting('it closed the connection without a word'))));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const line = text.indexOf('\n');
      if (line === -1 && text.length < GREETING_LIMIT_BYTES) return;
      end(() => {
        const greeting = parse(text.slice(0, line));
        if (greeting) resolve(greeting);
        else reject(new NoGreeting(`it said ${JSON.stringify(text.slice(0, 40))}`));
      });
    });
  });
}

function parse(line: string): NatsGreeting | undefined {
  const json = /^INFO\s+(\{.*\})\s*$/i.exec(line)?.[1];
  if (json === undefined) return undefined;
  try {
    const greeting = JSON.parse(Buffer.from(json, 'latin1').toString()) as NatsGreeting;
    return typeof greeting.version === 'string' ? greeting : undefined;
  } catch {
    return undefined;
  }
}
