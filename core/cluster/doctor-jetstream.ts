/** Is JetStream there for this login, and has it room? */
import type { ConnectOptions } from '../transport/connect-options.js';
import type { NatsTransport } from '../transport/nats.js';
import type { Finding } from './doctor.js';

const FULL_SHARE = 0.9;
const MB = 1e6;

interface JetStreamInfo {
  readonly storage?: number;
  readonly streams?: number;
  readonly limits?: { readonly max_storage?: number };
}

/** `refused`: what the server has said that we may not; a request whose answer cannot come just lasts too long. */
export async function checkJetStream(
  transport: NatsTransport,
  options: ConnectOptions,
  refused: readonly Error[],
): Promise<Finding> {
  try {
    return room(await transport.jetstream().api<JetStreamInfo>('INFO', {}));
  } catch (error) {
    // The client takes a refused inbox for a refused request; the server's own words come right after.
    await transport.flush();
    const inbox = refused.find(({ message }) => message.includes('subscription on _INBOX'));
    return notAnswered(inbox ?? (error as Error), options);
  }
}

function room({ storage = 0, streams = 0, limits }: JetStreamInfo): Finding {
  const limit = limits?.max_storage ?? -1;
  const used = `${streams} streams, ${megabytes(storage)} stored`;
  if (limit < 0) return { check: 'jetstream', state: 'ok', text: `JetStream: ${used}, no limit for this account` };
  const text = `JetStream: ${used} of ${megabytes(limit)}, ${megabytes(Math.max(0, limit - storage))} free`;
  const mend = 'delete streams, or raise the limit of the account';
  if (storage >= limit) return { check: 'jetstream', state: 'bad', text: `${text}: ${mend}` };
  if (storage <= limit * FULL_SHARE) return { check: 'jetstream', state: 'ok', text };
  return { check: 'jetstream', state: 'note', text: `${text}: more than ${FULL_SHARE * 100} % are used; ${mend}` };
}

/** The operator of a folder of logins looks at runs and starts none: what it may not ask, a run may. */
function notAnswered(error: Error, { inboxPrefix }: ConnectOptions): Finding {
  const isForbidden = (error as { readonly code?: unknown }).code === 'ERR_SQUALL_NATS_PERMISSION';
  if (inboxPrefix !== undefined && isForbidden) {
    const text = `JetStream's room is not known: ${error.message}, as squall permissions --logins does`;
    return { check: 'jetstream', state: 'note', text };
  }
  const text = `${error.message}; or run with --no-jetstream: dead letters are then not kept`;
  return { check: 'jetstream', state: 'bad', text };
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
