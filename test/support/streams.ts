/** Streams of a test's server: made, filled, read and asked after, as a client of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '../../core/transport/broker.js';
import type { ConnectOptions } from '../../core/transport/connect-options.js';
import type { ConsumerInfo } from '../../core/transport/consumer.js';
import { NatsTransport } from '../../core/transport/nats.js';
import { connectBroker } from '../../core/transport/nats-broker.js';
import type { Scope } from './e2e.js';
import { until } from './e2e.js';

const IN_FLIGHT = 256;
const MAX_BYTES = 1 << 30;

export class TestStreams {
  readonly transport: NatsTransport;
  readonly broker: Broker;

  private constructor(transport: NatsTransport, broker: Broker) {
    this.transport = transport;
    this.broker = broker;
  }

  static async connect(scope: Scope, options: ConnectOptions): Promise<TestStreams> {
    const transport = await NatsTransport.connect({ ...options, name: 'test' });
    const broker = await connectBroker(options, 'test', {});
    scope.teardown(async () => {
      await Promise.all([transport.close(), broker.close()]);
    });
    return new TestStreams(transport, broker);
  }

  async make(name: string, subject: string): Promise<void> {
    await this.transport.jetstream().ensureStream({ name, subjects: [subject], maxBytes: MAX_BYTES });
  }

  /** `{ n: from }` … `{ n: to - 1 }`, in order. */
  async fill(subject: string, from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += IN_FLIGHT) {
      const numbers = Array.from({ length: Math.min(IN_FLIGHT, to - at) }, (_, index) => at + index);
      await Promise.all(
        numbers.map((n) =>
          this.broker.append(subject, Buffer.from(JSON.stringify({ n })), {
            msgId: `fill ${subject} ${n}`,
            withinMs: 30_000,
          }),
        ),
      );
    }
  }

  /** How often each `n` is in the stream. */
  async numbers(stream: string): Promise<Map<number, number>> {
    const { messages = 0 } = (await this.transport.jetstream().info(stream)) ?? {};
    const counts = new Map<number, number>();
    let read = 0;
    const consumer = await this.broker.consume(
      {
        stream,
        name: `reader-${Date.now()}`,
        subject: undefined,
        deliver: 'all',
        ackWaitMs: 60_000,
        maxAckPending: 100_000,
      },
      {
        message({ data, delivery }) {
          const { n } = JSON.parse(Buffer.from(data).toString()) as { n: number };
          counts.set(n, (counts.get(n) ?? 0) + 1);
          read += 1;
          delivery.ack();
          if (consumer.asked < 500) consumer.want(1000 - consumer.asked);
        },
        gone(error) {
          throw error;
        },
        back() {},
      },
    );
    consumer.want(1000);
    await until(() => read >= messages, `${messages} messages of ${stream} to be read`, 60_000);
    consumer.stop();
    return counts;
  }

  async consumer(stream: string, name: string): Promise<Pick<ConsumerInfo, 'ackedSeq' | 'unacked' | 'waiting'>> {
    const found = await this.transport.jetstream().api<{
      readonly ack_floor: { readonly stream_seq: number };
      readonly num_ack_pending: number;
      readonly num_pending: number;
    }>(`CONSUMER.INFO.${stream}.${name}`, {});
    return { ackedSeq: found.ack_floor.stream_seq, unacked: found.num_ack_pending, waiting: found.num_pending };
  }

  /** How far the consumer is when nothing waits and all that was delivered is acked. */
  async settled(stream: string, name: string, withinMs = 5000): ReturnType<TestStreams['consumer']> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const found = await this.consumer(stream, name);
      if (found.unacked === 0 && found.waiting === 0) return found;
      if (performance.now() > deadline) throw new Error(`${name} is not settled: ${JSON.stringify(found)}`);
      await delay(20);
    }
  }
}
