import test from 'ava';
import type { TaskContext } from '../../core/topology/definition.js';
import { serverOptions, withBroker } from '../../core/transport/broker.js';
import { checkServer, openBroker } from '../../core/transport/broker-option.js';
import { unreachable } from '../../core/transport/connect-errors.js';

function mistakes(server: unknown): string[] {
  const found: string[] = [];
  checkServer(server, (mistake) => void found.push(mistake));
  return found;
}
const context = { component: 'store', task: 1 } as TaskContext;

test('a server is a URL, or an object with URLs; credentials in either are taken out of them', (t) => {
  const credentials = { kind: 'password', user: 'u', password: 'p' };
  for (const server of ['nats://u:p@h:1', { servers: ['nats://u:p@h:1'] }]) {
    t.deepEqual(mistakes(server), []);
    t.deepEqual(serverOptions(server), { servers: ['nats://h:1'], credentials } as never);
  }
  const own = { servers: ['nats://h:1'], credentials: { kind: 'creds', file: 'f' } } as const;
  t.deepEqual(serverOptions(own), own);
  t.is(serverOptions(undefined), undefined);
});

test('what is no server is a mistake that shows no secret', (t) => {
  const secrets = [
    { server: 'h', credentials: { kind: 'password', user: 'u', password: 'geheim' } },
    { servers: [], credentials: { kind: 'token', token: 'geheim' } },
    { servers: [5], token: 'geheim' },
    { servers: ['http://u:geheim@h'] },
    'http://u:geheim@h',
    'nats://u:geheim@h:port',
  ];
  for (const server of secrets) {
    const found = mistakes(server);
    t.is(found.length, 1, JSON.stringify(server));
    t.regex(found[0], /^nats: .*[Ee]xpected/);
    t.notRegex(found[0], /geheim|--nats/);
  }
  for (const server of ['', 5, null, []]) t.is(mistakes(server).length, 1, String(server));
});

test('a server that cannot be reached is told with the component and its option, not with the flag of the run', async (t) => {
  const door = {
    sharesInput: false,
    open: () => Promise.reject(unreachable({ servers: ['nats://h:1'] }, 'refused')),
  };
  const error = await t.throwsAsync(openBroker(withBroker(context, door), 'nats://h:1', 'jetStreamSink'), {
    code: 'ERR_SQUALL_NATS_UNREACHABLE',
  });
  t.regex(error?.message ?? '', /^jetStreamSink 'store': .*nats:\/\/h:1.*correct the option nats$/);
});

test('without NATS, as in a local run, it is said what to do', async (t) => {
  await t.throwsAsync(openBroker(context, undefined, 'natsSpout'), {
    code: 'ERR_SQUALL_NO_BROKER',
    message: /natsSpout needs NATS, and this run has none: in a local run give a spout's tuples with `spouts`/,
  });
});
