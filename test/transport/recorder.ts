import type { TransportEvents } from '../../core/transport/transport.js';
import { Log } from '../support/log.js';

export interface RecordedEvent {
  readonly name: 'down' | 'up' | 'error' | 'closed';
  readonly detail?: unknown;
}

/** Transport events, kept in order. */
export class Recorder extends Log<RecordedEvent> implements TransportEvents {
  onDown = (why: string): void => this.push({ name: 'down', detail: why });
  onUp = (): void => this.push({ name: 'up' });
  onError = (error: Error): void => this.push({ name: 'error', detail: error });
  onClosed = (error?: Error): void => this.push({ name: 'closed', detail: error });

  get names(): string[] {
    return this.items.map(({ name }) => name);
  }

  get errors(): Error[] {
    return this.items.filter(({ name }) => name === 'error').map(({ detail }) => detail as Error);
  }

  /** Resolves at the `count`th event of that name. */
  async saw(name: RecordedEvent['name'], count = 1): Promise<void> {
    const seen = (items: readonly RecordedEvent[]): boolean =>
      items.filter((item) => item.name === name).length >= count;
    await this.until(seen, `${count} × ${name}`);
  }
}
