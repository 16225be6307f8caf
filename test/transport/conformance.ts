/** What every Transport must do. Each implementation runs all of it, on a network of its own per test. */
import type { ExecutionContext, TestFn } from 'ava';
import { isSquallError } from '../../core/errors.js';
import type { Transport, TransportEvents } from '../../core/transport/transport.js';
import { Log } from '../support/log.js';
import { Recorder } from './recorder.js';

/** A network with its links, which a test can break and mend. */
export interface TestNetwork {
  connect(events?: TransportEvents): Promise<Transport>;
  /** all links break; resolves when nobody can connect any more */
  down(): Promise<void>;
  /** the network is back; links come back by themselves */
  up(): Promise<void>;
  stop(): Promise<void>;
}

export function transportConformance(test: TestFn, open: () => Promise<TestNetwork>): void {
  const claim = (title: string, body: (t: ExecutionContext, network: TestNetwork) => Promise<void>): void => {
    test(title, async (t) => {
      const network = await open();
      t.teardown(() => network.stop());
      await body(t, network);
    });
  };
  const code = (error: unknown): string => (isSquallError(error) ? (error as { code: string }).code : String(error));
  const thrown = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      return code(error);
    }
    return 'nothing thrown';
  };
  const rejected = (work: Promise<unknown>): Promise<string> => work.then(() => 'resolved', code);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  const bytes = (value: string): Uint8Array => Buffer.from(value);

  /** A transport that hears `pattern`, and what it heard as `subject=payload`. */
  const listen = async (network: TestNetwork, pattern: string, events?: TransportEvents) => {
    const transport = await network.connect(events);
    const heard = new Log<string>();
    const subscription = transport.subscribe(pattern, (payload, subject) => heard.push(`${subject}=${text(payload)}`));
    await transport.flush();
    return { transport, heard, subscription };
  };

  claim('every current subscriber hears a message once, the publishing connection too', async (t, network) => {
    const one = await listen(network, 'a.b');
    const two = await listen(network, 'a.b');
    t.true(one.transport.publish('a.b', bytes('x')));
    one.transport.publish('a.b', bytes('end'));
    await one.heard.count(2);
    await two.heard.count(2);
    t.deepEqual(one.heard.items, ['a.b=x', 'a.b=end']);
    t.deepEqual(two.heard.items, ['a.b=x', 'a.b=end']);
  });

  claim('a handler is never called before publish has returned', async (t, network) => {
    const { transport, heard } = await listen(network, 'a');
    transport.publish('a', bytes('x'));
    t.is(heard.items.length, 0);
    await heard.count(1);
    t.is(heard.items.length, 1);
  });

  claim('messages of one connection on one subject arrive in the order of publishing', async (t, network) => {
    const { heard } = await listen(network, 'order');
    const sender = await network.connect();
    const sent = Array.from({ length: 2_000 }, (_, index) => `order=${index}`);
    for (const [index, message] of sent.entries()) {
      sender.publish('order', bytes(message.slice('order='.length)));
      if (index % 100 === 0) await sender.flush();
    }
    await heard.count(sent.length);
    t.deepEqual(heard.items, sent);
  });

  claim('a pattern hears what it matches, and each message tells its subject', async (t, network) => {
    const { transport, heard } = await listen(network, 'p.*.end');
    const rest = await listen(network, 'p.one.>');
    for (const subject of [
      'p.one.end',
      'p.two.end',
      'p.one',
      'p.one.end.more',
      'q.one.end',
      'p.last.end',
      'p.one.last',
    ]) {
      transport.publish(subject, bytes(''));
    }
    await heard.until((items) => items.includes('p.last.end='), 'the last one');
    await rest.heard.until((items) => items.includes('p.one.last='), 'the last one');
    t.deepEqual(heard.items, ['p.one.end=', 'p.two.end=', 'p.last.end=']);
    t.deepEqual(rest.heard.items, ['p.one.end=', 'p.one.end.more=', 'p.one.last=']);
  });

  claim('after unsubscribe no handler is called, and a second unsubscribe does nothing', async (t, network) => {
    const { transport, heard, subscription } = await listen(network, 'a');
    const witness = await listen(network, 'a');
    transport.publish('a', bytes('1'));
    await heard.count(1);
    await witness.heard.count(1);
    transport.publish('a', bytes('2'));
    subscription.unsubscribe();
    subscription.unsubscribe();
    transport.publish('a', bytes('3'));
    await witness.heard.count(3);
    await transport.flush();
    t.deepEqual(heard.items, ['a=1']);
  });

  claim('a handler that throws is reported, and reading goes on', async (t, network) => {
    const events = new Recorder();
    const transport = await network.connect(events);
    const heard = new Log<string>();
    transport.subscribe('a', (payload) => {
      heard.push(text(payload));
      if (text(payload) !== 'last') throw new Error(`refuses ${text(payload)}`);
    });
    for (const value of ['1', '2', '3', 'last']) transport.publish('a', bytes(value));
    await heard.count(4);
    t.deepEqual(heard.items, ['1', '2', '3', 'last']);
    t.deepEqual(
      events.errors.map((error) => error.message),
      ['refuses 1', 'refuses 2', 'refuses 3'],
    );
    t.true(transport.connected);
  });

  claim('a published buffer may be reused in the next turn of the event loop', async (t, network) => {
    const { transport, heard } = await listen(network, 'a');
    for (const size of [10, 100_000]) {
      const buffer = new Uint8Array(size);
      for (let turn = 0; turn < 3; turn++) {
        buffer.fill(48 + turn);
        transport.publish('a', buffer);
        await new Promise((resolve) => setImmediate(resolve));
      }
      buffer.fill(33);
    }
    await heard.count(6);
    const first = heard.items.map((item) => new Set(item.slice('a='.length)));
    t.deepEqual(
      first,
      ['0', '1', '2', '0', '1', '2'].map((digit) => new Set(digit)),
    );
  });

  claim('a subject that is none is refused before it reaches the network, and the link stays', async (t, network) => {
    const events = new Recorder();
    const { transport, heard } = await listen(network, '>', events);
    const bad = [
      '',
      ' ',
      'a b',
      'a..b',
      '.a',
      'a.',
      'a\r\nPUB evil 0\r\n',
      'a\n',
      'a\t',
      'ä',
      '$JS.API.INFO',
      'x'.repeat(600),
    ];
    for (const subject of [...bad, 'a.*', 'a.>', '>', '*']) {
      t.is(
        thrown(() => transport.publish(subject, bytes(''))),
        'ERR_SQUALL_BAD_SUBJECT',
        JSON.stringify(subject),
      );
    }
    for (const subject of [...bad, '>.a', 'a*', 'a.>.b']) {
      t.is(
        thrown(() => transport.subscribe(subject, () => {})),
        'ERR_SQUALL_BAD_SUBJECT',
        JSON.stringify(subject),
      );
    }
    transport.publish('good', bytes(''));
    await heard.count(1);
    t.deepEqual(heard.items, ['good=']);
    t.deepEqual(events.names, []);
  });

  claim('a payload above the limit is refused with both sizes, the largest one passes', async (t, network) => {
    const transport = await network.connect();
    const sizes = new Log<number>();
    transport.subscribe('a', (payload) => sizes.push(payload.length));
    const limitBytes = transport.maxPayload;
    const error = t.throws(() => transport.publish('a', new Uint8Array(limitBytes + 1)), {
      code: 'ERR_SQUALL_OVERSIZE',
    });
    t.like((error as unknown as { facts: object }).facts, { sizeBytes: limitBytes + 1, limitBytes });
    t.true(transport.publish('a', new Uint8Array(limitBytes)));
    await sizes.count(1);
    t.deepEqual(sizes.items, [limitBytes]);
    t.true(transport.connected);
  });

  claim(
    'a broken link is told before the first publish that returns false; what was refused never arrives',
    async (t, network) => {
      const events = new Recorder();
      const { transport, heard } = await listen(network, 'a', events);
      const other = await network.connect();
      await network.down();
      await events.saw('down');
      t.false(transport.connected);
      t.false(transport.publish('a', bytes('lost 1')));
      t.is(await rejected(transport.flush()), 'ERR_SQUALL_LINK_DOWN');
      t.false(transport.publish('a', bytes('lost 2')));
      await network.up();
      await events.saw('up');
      t.true(transport.connected);
      t.true(transport.publish('a', bytes('own')));
      await heard.count(1);
      await untilUp(other);
      other.publish('a', bytes('other'));
      await heard.count(2);
      t.deepEqual(heard.items, ['a=own', 'a=other']);
      t.deepEqual(events.names, ['down', 'up']);
    },
  );

  claim('publish returns true only while the owner has not been told that the link is down', async (t, network) => {
    let down = false;
    const wrong: string[] = [];
    const events = new Recorder();
    const transport = await network.connect({
      onDown: (why) => {
        down = true;
        events.onDown(why);
      },
      onUp: () => {
        down = false;
        events.onUp();
      },
    });
    let ended = false;
    const publishing = (async () => {
      while (!ended) {
        for (let index = 0; index < 20; index++) {
          const sent = transport.publish('a', bytes('x'));
          if (sent === down) wrong.push(`publish ${sent} while ${down ? 'down' : 'up'}`);
          await null;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let outage = 1; outage <= 2; outage++) {
      await network.down();
      await events.saw('down', outage);
      await network.up();
      await events.saw('up', outage);
    }
    ended = true;
    await publishing;
    t.deepEqual(wrong, []);
    t.deepEqual(events.names, ['down', 'up', 'down', 'up']);
  });

  claim('a subscription made while the link is down is in force when it is back', async (t, network) => {
    const events = new Recorder();
    const transport = await network.connect(events);
    await network.down();
    await events.saw('down');
    const heard = new Log<string>();
    transport.subscribe('late', (payload) => heard.push(text(payload)));
    transport.subscribe('ended', (payload) => heard.push(`ended ${text(payload)}`)).unsubscribe();
    await network.up();
    await events.saw('up');
    transport.publish('ended', bytes('1'));
    transport.publish('late', bytes('2'));
    await heard.count(1);
    t.deepEqual(heard.items, ['2']);
  });

  claim('a flush that waits rejects when the link breaks', async (t, network) => {
    const transport = await network.connect();
    const flushed = rejected(transport.flush());
    void transport.reconnect();
    t.is(await flushed, 'ERR_SQUALL_LINK_DOWN');
  });

  claim(
    'reconnect tells onDown before it returns, brings the subscriptions back, and does nothing while down',
    async (t, network) => {
      const events = new Recorder();
      const { transport, heard } = await listen(network, 'a', events);
      const first = transport.reconnect();
      t.deepEqual(events.names, ['down']);
      const second = transport.reconnect();
      t.deepEqual(events.names, ['down']);
      t.false(transport.publish('a', bytes('lost')));
      await Promise.all([first, second]);
      await events.saw('up');
      transport.publish('a', bytes('back'));
      await heard.count(1);
      t.deepEqual(heard.items, ['a=back']);
      t.deepEqual(events.names, ['down', 'up']);
    },
  );

  claim('drain delivers what was published, then closes', async (t, network) => {
    const { heard } = await listen(network, 'a');
    const events = new Recorder();
    const sender = await network.connect(events);
    const own = new Log<string>();
    sender.subscribe('a', (payload) => own.push(text(payload)));
    const sent = Array.from({ length: 500 }, (_, index) => `a=${index}${'.'.repeat(1000)}`);
    for (const message of sent) sender.publish('a', bytes(message.slice(2)));
    await Promise.all([sender.drain(), sender.drain()]);
    t.deepEqual(events.names, ['closed']);
    t.is(events.items[0].detail, undefined);
    t.is(own.items.length, sent.length, 'its own subscription heard everything before it ended');
    await heard.count(sent.length);
    t.deepEqual(heard.items, sent);
    t.false(sender.publish('a', bytes('late')));
    await sender.drain();
    await sender.close();
    t.deepEqual(events.names, ['closed']);
  });

  claim('drain rejects where the link is down, and closes all the same', async (t, network) => {
    const events = new Recorder();
    const transport = await network.connect(events);
    await network.down();
    await events.saw('down');
    t.is(await rejected(transport.drain()), 'ERR_SQUALL_LINK_DOWN');
    t.deepEqual(events.names, ['down', 'closed']);
  });

  claim('drain rejects when the link breaks under it, and closes all the same', async (t, network) => {
    const events = new Recorder();
    const transport = await network.connect(events);
    transport.publish('a', new Uint8Array(100_000));
    const drained = rejected(transport.drain());
    void transport.reconnect();
    t.is(await drained, 'ERR_SQUALL_LINK_DOWN');
    t.deepEqual(events.names, ['down', 'closed']);
  });

  claim('after close nothing is sent, subscribed or waited for, and closing again does nothing', async (t, network) => {
    const events = new Recorder();
    const { transport, heard, subscription } = await listen(network, 'a', events);
    await Promise.all([transport.close(), transport.close()]);
    t.deepEqual(events.names, ['closed']);
    t.is(events.items[0].detail, undefined);
    t.false(transport.connected);
    t.false(transport.publish('a', bytes('x')));
    t.is(
      thrown(() => transport.subscribe('a', () => {})),
      'ERR_SQUALL_CLOSED',
    );
    t.is(await rejected(transport.flush()), 'ERR_SQUALL_CLOSED');
    subscription.unsubscribe();
    await transport.reconnect();
    await transport.close();
    await transport.drain();
    const other = await listen(network, 'a');
    other.transport.publish('a', bytes('y'));
    await other.heard.count(1);
    t.deepEqual(heard.items, []);
    t.deepEqual(events.names, ['closed']);
  });

  claim('a transport that was closed while the link was down stays closed', async (t, network) => {
    const events = new Recorder();
    const transport = await network.connect(events);
    const witnessEvents = new Recorder();
    const witness = await network.connect(witnessEvents);
    await network.down();
    await events.saw('down');
    await transport.close();
    await network.up();
    await witnessEvents.saw('up');
    await witness.flush();
    t.deepEqual(events.names, ['down', 'closed']);
  });

  claim('an event handler that throws is reported, and the transport goes on', async (t, network) => {
    const errors = new Log<string>();
    const transport = await network.connect({
      onDown: () => {
        throw new Error('in onDown');
      },
      onUp: () => {
        throw new Error('in onUp');
      },
      onClosed: () => {
        throw new Error('in onClosed');
      },
      onError: (error) => errors.push(error.message),
    });
    await transport.reconnect();
    await errors.count(2);
    t.true(transport.publish('a', bytes('')));
    await transport.flush();
    await transport.close();
    t.deepEqual(errors.items, ['in onDown', 'in onUp', 'in onClosed']);
  });

  async function untilUp(transport: Transport): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!transport.connected) {
      if (Date.now() > deadline) throw new Error('Expected the link to come back within 10 s');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
