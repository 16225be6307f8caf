import test from 'ava';
import { NatsTransport } from '../../core/transport/nats.js';
import { TestNats } from '../support/nats.js';
import { transportConformance } from './conformance.js';
import { durableConformance } from './durable-conformance.js';

transportConformance(test, async () => {
  const nats = await TestNats.start();
  const transports: NatsTransport[] = [];
  return {
    connect: async (events) => {
      const transport = await NatsTransport.connect({ ...nats.options, name: 'squall:test' }, events);
      transports.push(transport);
      return transport;
    },
    down: () => nats.kill9(),
    up: () => nats.restart(),
    stop: async () => {
      await Promise.all(transports.map((transport) => transport.close()));
      await nats.stop();
    },
  };
});

durableConformance(test, async () => {
  const nats = await TestNats.start();
  const transport = await NatsTransport.connect({ ...nats.options, name: 'squall:test' });
  return {
    streams: transport.jetstream(),
    down: () => nats.kill9(),
    up: () => nats.restart(),
    stop: async () => {
      await transport.close();
      await nats.stop();
    },
  };
});
