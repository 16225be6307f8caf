/** `Broker` on a NATS connection of its own. */
import type { Broker } from './broker.js';
import type { ConnectOptions } from './connect-options.js';
import { NatsTransport } from './nats.js';
import type { TransportEvents } from './transport.js';

export async function connectBroker(options: ConnectOptions, name: string, events: TransportEvents): Promise<Broker> {
  const transport = await NatsTransport.connect(
    { ...options, name, userSubjects: true, waitOnFirstConnect: false },
    events,
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
    flush: () => transport.flush(),
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
