import test from 'ava';
import { MemoryNetwork } from '../../core/transport/memory.js';
import { transportConformance } from './conformance.js';
import { durableConformance } from './durable-conformance.js';

transportConformance(test, async () => {
  const network = new MemoryNetwork();
  return {
    connect: async (events) => network.connect(events),
    down: async () => network.down(),
    up: async () => network.up(),
    stop: async () => {},
  };
});

durableConformance(test, async () => {
  const network = new MemoryNetwork();
  const transport = network.connect();
  return {
    streams: transport.jetstream(),
    down: async () => network.down(),
    up: async () => network.up(),
    stop: async () => transport.close(),
  };
});
