/** `Broker` on a NATS connection of its own. */
import { setImmediate as turn } from 'node:timers/promises';
import { SquallError } from '../errors.js';
import type { Broker } from './broker.js';
import type { ConnectOptions } from './connect-options.js';
import { NatsTransport } from './nats.js';
import type { TransportEvents } from './transport.js';

export async function connectBroker(options: ConnectOptions, name: string, events: TransportEvents): Promise<Broker> {
  /** what the server forbade since the last flush */
  let forbidden: SquallError | undefined;
  const transport = await NatsTransport.connect(
    { ...options, name, userSubjects: true, waitOnFirstConnect: false },
    {
      ...events,
      onError(error) {
        if (error instanceof SquallError && error.code === 'ERR_SQUALL_NATS_PERMISSION') forbidden ??= error;
        events.onError?.(error);
      },
    },
  );
  const streams = transport.jetstream();
  return {
    get maxPayload() {
      return transport.maxPayload;
    },
    get connected() {
      return transport.connected;
    },
    publish: (subject, payload) => transport.publish(subject, payload),
    async flush() {
      await transport.flush();
      // the server refuses before it answers, but what it refuses is told through a queue of the client's
      await turn();
      const error = forbidden;
      forbidden = undefined;
      if (error !== undefined) throw error;
    },
    close: () => transport.close(),
    subscribe: (pattern, handler, queue) => transport.subscribe(pattern, handler, queue),
    append: (subject, bytes, given) => streams.append(subject, bytes, given),
    makeStream: async (config) => {
      if ((await streams.info(config.name)) === undefined) await streams.ensureStream(config);
    },
    consume: (config, handler) => transport.consume(config, handler),
    streamOf: (subject) => streams.streamOf(subject),
  };
}
