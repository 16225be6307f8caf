/** What both transports do alike: call handlers that may throw, and name the two errors of a link. */
import { SquallError } from '../errors.js';
import type { TransportEvents } from './transport.js';

/** `events` with every call wrapped: no handler's exception gets into the transport that called it. */
export class EventTeller {
  readonly #events: TransportEvents;

  constructor(events: TransportEvents) {
    this.#events = events;
  }

  down(why: string): void {
    try {
      this.#events.onDown?.(why);
    } catch (error) {
      this.error(error);
    }
  }

  up(): void {
    try {
      this.#events.onUp?.();
    } catch (error) {
      this.error(error);
    }
  }

  error(error: unknown): void {
    const known = error instanceof Error ? error : new Error(String(error), { cause: error });
    try {
      if (this.#events.onError) this.#events.onError(known);
      else process.emitWarning(known);
    } catch (second) {
      process.emitWarning(second instanceof Error ? second : String(second));
    }
  }

  closed(error?: Error): void {
    try {
      this.#events.onClosed?.(error);
    } catch (failure) {
      this.error(failure);
    }
  }
}

export function linkDown(what: string, why: string): SquallError {
  return new SquallError('ERR_SQUALL_LINK_DOWN', `${what} needs the link to NATS, which is down: ${why}`);
}

export function transportClosed(what: string): SquallError {
  return new SquallError('ERR_SQUALL_CLOSED', `${what} came after the transport was closed`);
}

export function oversize(subject: string, sizeBytes: number, limitBytes: number): SquallError {
  return new SquallError(
    'ERR_SQUALL_OVERSIZE',
    `Expected at most ${limitBytes} bytes for one message (the server's max_payload), got ${sizeBytes} on ${subject}`,
    { facts: { subject, sizeBytes, limitBytes } },
  );
}
