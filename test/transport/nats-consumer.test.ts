/** A pull consumer against a real server: links that break, consumers and streams that change, limits of the server. */
import test, { type ExecutionContext } from 'ava';
import type { SquallError } from '../../core/errors.js';
import type { Broker } from '../../core/transport/broker.js';
import type { ConnectOptions } from '../../core/transport/connect-options.js';
import type { ConsumerConfig, PullConsumer, PulledMessage } from '../../core/transport/consumer.js';
import { connectBroker } from '../../core/transport/nats-broker.js';
import { HeldMessages } from '../../spouts/held-messages.js';
import { until } from '../support/e2e.js';
import { TestNats } from '../support/nats.js';
import { TestStreams } from '../support/streams.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const CONFIG: ConsumerConfig = {
  stream: 'IN',
  name: 'reader',
  subject: undefined,
  deliver: 'all',
  ackWaitMs: 2000,
  maxAckPending: 5000,
};

/** Eight tests at once on a slow machine: a client may be late with its credentials. */
const LET_IN_S = 30;

let shared: TestNats;
test.before(async () => {
  shared = await TestNats.start({ authorization: { token: 'test-token', timeout: LET_IN_S } });
});
test.after.always(() => shared.stop());

/** What the consumer told. */
class Told {
  readonly messages: PulledMessage[] = [];
  readonly gone: SquallError[] = [];
  backs = 0;
  readonly handler = {
    message: (message: PulledMessage) => void this.messages.push(message),
    gone: (error: Error) => void this.gone.push(error as SquallError),
    back: () => {
      this.backs += 1;
    },
  };
}

interface Place {
  readonly streams: TestStreams;
  readonly stream: string;
  readonly subject: string;
  readonly config: ConsumerConfig;
  /** as the JetStream API answers */
  api(path: string, body?: object): Promise<Record<string, unknown>>;
  broker(options?: ConnectOptions): Promise<Broker>;
  read(broker: Broker, config?: Partial<ConsumerConfig>): Promise<{ consumer: PullConsumer; told: Told }>;
}

let places = 0;
/** A stream of the test's own, on the server that all tests share. */
async function place(t: ExecutionContext, nats: TestNats = shared): Promise<Place> {
  const streams = await TestStreams.connect(t, nats.options);
  const stream = `IN${++places}`;
  const subject = `in${places}.n`;
  await streams.make(stream, subject);
  const config = { ...CONFIG, stream };
  return {
    streams,
    stream,
    subject,
    config,
    api: (path, body = {}) => streams.transport.jetstream().api(path, body),
    async broker(options = nats.options) {
      const broker = await connectBroker(options, 'reader', { onError() {} });
      t.teardown(() => broker.close());
      return broker;
    },
    async read(broker, more = {}) {
      const told = new Told();
      const consumer = await broker.consume({ ...config, ...more }, told.handler);
      t.teardown(() => consumer.stop());
      return { consumer, told };
    },
  };
}

test('a consumer that is deleted while it is read is told, whether a request was open or not', async (t) => {
  const { config, read, broker, api } = await place(t);
  const open = await read(await broker());
  open.consumer.want(10);
  const idle = await read(await broker());
  await api(`CONSUMER.DELETE.${config.stream}.${config.name}`);
  idle.consumer.want(10);
  for (const { told } of [open, idle]) {
    await until(() => told.gone.length > 0, 'the end to be told');
    t.is(told.gone[0].code, 'ERR_SQUALL_CONSUMER');
    t.regex(told.gone[0].message, /the consumer reader of the stream IN\d+ was deleted while it was read.*--fresh/);
  }
});

test('a consumer that has to be there and is not is refused, and not made', async (t) => {
  const { stream, read, broker, api } = await place(t);
  const error = await t.throwsAsync(read(await broker(), { mustExist: true }), { code: 'ERR_SQUALL_CONSUMER' });
  t.regex(error?.message ?? '', /is not there any more.*--fresh.*nats consumer add/);
  t.like(await api(`CONSUMER.NAMES.${stream}`), { total: 0 });
});

test('a stream that is made anew while the link is down is told, and none of its messages is acked for an old one', async (t) => {
  const { streams, stream, subject, read, broker, api, config } = await place(t);
  const proxy = await TcpProxy.start(shared.port);
  t.teardown(() => proxy.stop());
  await streams.fill(subject, 0, 20);
  const { consumer, told } = await read(await broker({ ...shared.options, servers: [proxy.url] }));
  consumer.want(20);
  await until(() => told.messages.length === 20, '20 messages');
  proxy.refuse();
  await streams.transport.jetstream().delete(stream);
  await streams.make(stream, subject);
  await streams.fill(subject, 100, 120);
  const other = await read(await broker());
  other.consumer.want(20);
  await until(() => other.told.messages.length === 20, '20 new messages');
  proxy.heal();
  const acks = setInterval(() => {
    for (const { delivery } of told.messages) delivery.ack();
  }, 5);
  await until(() => told.gone.length > 0, 'the end to be told');
  clearInterval(acks);
  t.is(told.gone[0].code, 'ERR_SQUALL_STREAM_CHANGED');
  t.is(told.backs, 0);
  t.like(await api(`CONSUMER.INFO.${stream}.${config.name}`), { num_ack_pending: 20 });
});

test('acks that were said while the link was down count: nothing comes again', async (t) => {
  const { streams, subject, read, broker, stream, config } = await place(t);
  const proxy = await TcpProxy.start(shared.port);
  t.teardown(() => proxy.stop());
  await streams.fill(subject, 0, 500);
  const held = new HeldMessages();
  const { consumer, told } = await read(await broker({ ...shared.options, servers: [proxy.url] }));
  consumer.want(500);
  await until(() => told.messages.length === 500, '500 messages');
  for (const message of told.messages) held.arrived(message, 0);
  proxy.refuse();
  for (const { seq } of told.messages) held.ack(seq);
  proxy.heal();
  await until(() => told.backs === 1, 'the link to be back');
  held.repeat(0);
  t.is((await streams.settled(stream, config.name, 1500)).ackedSeq, 500);
  t.is(told.messages.length, 500);
});

test('large messages come a few at a time, and all of them', async (t) => {
  const { streams, subject, read, broker } = await place(t);
  const bytes = new Uint8Array(900_000);
  for (let n = 0; n < 24; n++) await streams.broker.append(subject, bytes, { msgId: `large ${n}` });
  const { consumer, told } = await read(await broker());
  consumer.want(1000);
  await until(() => told.messages.length > 0, 'a message');
  consumer.want(1000 - told.messages.length);
  await until(() => told.messages.length === 24, 'all messages');
  t.deepEqual(
    told.messages.map(({ seq }) => seq),
    Array.from({ length: 24 }, (_, index) => index + 1),
  );
});

test("a consumer of the user's own loses the settings that would lose messages", async (t) => {
  const { streams, stream, subject, read, broker, api } = await place(t);
  await streams.fill(subject, 0, 30);
  const own = {
    durable_name: 'own',
    ack_policy: 'explicit',
    deliver_policy: 'by_start_sequence',
    opt_start_seq: 11,
    max_deliver: 3,
    backoff: [30e9, 60e9],
    max_batch: 5,
    max_expires: 1e9,
  };
  await api(`CONSUMER.DURABLE.CREATE.${stream}.own`, { stream_name: stream, config: own });
  const { consumer, told } = await read(await broker(), { name: 'own' });
  consumer.want(100);
  await until(() => told.messages.length === 20, 'the messages from its start');
  t.is(told.messages[0].seq, 11);
  // not acked: again after ack_wait, more often than it had allowed
  consumer.want(100);
  await until(() => told.messages.some(({ deliveries }) => deliveries > 1), 'one to come again', 6000);
  t.like(await api(`CONSUMER.INFO.${stream}.own`), {
    config: { max_deliver: -1, ack_wait: 2e9, max_ack_pending: 5000 },
  });
});

test("a consumer that cannot be read, or is another component's, is refused with what to do", async (t) => {
  const { stream, read, broker, api } = await place(t);
  const one = await broker();
  const bare = { durable_name: 'bare', ack_policy: 'explicit', headers_only: true };
  await api(`CONSUMER.DURABLE.CREATE.${stream}.bare`, { stream_name: stream, config: bare });
  await t.throwsAsync(read(one, { name: 'bare' }), {
    code: 'ERR_SQUALL_CONSUMER',
    message: /another headers_only, which cannot be changed: name another consumer, or delete it/,
  });
  await read(one, { owner: 'a-b/c' });
  await read(one, { owner: 'a-b/c' });
  await t.throwsAsync(read(one, { owner: 'a/b-c' }), {
    code: 'ERR_SQUALL_CONSUMER',
    message: /is that of a-b\/c, and a\/b-c would take messages from it: name a consumer of its own/,
  });
});

test('who may not publish, listen, ask for messages or ack them is told', async (t) => {
  const denied = (publish: string[], subscribe: string[] = []) => ({
    publish: { deny: publish },
    subscribe: { deny: subscribe },
  });
  const users = [
    { user: 'all', password: 'p' },
    { user: 'writer', password: 'p', permissions: denied(['out.>'], ['secret.>']) },
    { user: 'asker', password: 'p', permissions: denied(['$JS.API.CONSUMER.MSG.NEXT.>']) },
    { user: 'acker', password: 'p', permissions: denied(['$JS.ACK.>']) },
  ];
  const nats = await TestNats.start({ authorization: { users, timeout: LET_IN_S } });
  t.teardown(() => nats.stop());
  const as = (user: string): ConnectOptions => ({
    ...nats.options,
    credentials: { kind: 'password', user, password: 'p' },
  });
  const FORBIDDEN = { code: 'ERR_SQUALL_NATS_PERMISSION' };

  const streams = await TestStreams.connect(t, as('all'));
  await streams.make('IN', 'in.n');
  await streams.fill('in.n', 0, 3);
  const open = async (user: string) => {
    const broker = await connectBroker(as(user), user, { onError() {} });
    t.teardown(() => broker.close());
    return broker;
  };
  const writer = await open('writer');
  writer.publish('in.other', Buffer.from('x'));
  await t.notThrowsAsync(writer.flush());
  writer.publish('out.x', Buffer.from('x'));
  await t.throwsAsync(writer.flush(), { ...FORBIDDEN, message: /no publish on out\.x/ });
  await t.notThrowsAsync(writer.flush(), 'told once');
  writer.subscribe('secret.x', () => {});
  await t.throwsAsync(writer.flush(), { ...FORBIDDEN, message: /no subscription on secret\.x/ });

  for (const user of ['asker', 'acker']) {
    const told = new Told();
    const broker = await open(user);
    const consumer = await broker.consume({ ...CONFIG, name: user }, told.handler);
    consumer.want(10);
    if (user === 'acker') {
      await until(() => told.messages.length > 0, 'a message');
      told.messages[0].delivery.ack();
    }
    await until(() => told.gone.length > 0, 'the end to be told');
    t.like(told.gone[0], FORBIDDEN);
  }
});
